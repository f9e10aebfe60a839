import { acrossFields, z } from "../schema.ts";

const instrumentTypes = [
  "counter",
  "histogram",
  "observable_counter",
  "observable_gauge",
  "observable_up_down_counter",
  "up_down_counter",
] as const;

const selector = () =>
  z
    .strictObject({
      instrument_name: z.string().optional().describe("The metric's name, with * and ?."),
      instrument_type: z.enum(instrumentTypes).optional().describe("The kind of instrument."),
      unit: z.string().optional().describe("The metric's unit."),
      meter_name: z.string().optional().describe("The name of the instrumentation scope."),
      meter_version: z.string().optional().describe("Its version."),
      meter_schema_url: z.string().optional().describe("Its schema."),
    })
    .check(
      acrossFields((value, context) => {
        if (Object.values(value).some((part) => part !== undefined && part !== "")) return;
        context.addIssue({ code: "custom", message: "view_selector: empty selector not supporter" });
      }),
    );

const empty = () => z.strictObject({}).optional();

const aggregation = () =>
  z
    .strictObject({
      default: empty().describe("As it is."),
      drop: empty().describe("Leaves the metric out: `drop: {}`."),
      explicit_bucket_histogram: z
        .strictObject({
          boundaries: z.array(z.number()).default([]).describe("Upper bounds of the buckets, rising."),
          record_min_max: z.boolean().default(false).describe("Keeps the least and the greatest value as well."),
        })
        .optional()
        .describe("A histogram of other buckets."),
      last_value: empty().describe("Accepted; the metric stays as it is."),
      sum: empty().describe("Of a histogram, only the sum."),
      base2_exponential_bucket_histogram: z
        .strictObject({
          max_scale: z.int().optional(),
          max_size: z.int().optional(),
          record_min_max: z.boolean().optional(),
        })
        .optional()
        .describe("Accepted; the buckets stay as they are."),
    })
    .describe("What becomes of the values.");

const stream = () =>
  z.strictObject({
    name: z.string().optional().describe("Another name."),
    description: z.string().optional().describe("Another description."),
    attribute_keys: z
      .strictObject({
        included: z.array(z.string()).default([]).describe("Attributes to keep; all unless given."),
        excluded: z.array(z.string()).default([]).describe("Attributes to leave out."),
      })
      .optional()
      .describe("The attributes that series keep; those that become equal are added up."),
    aggregation: aggregation().optional(),
  });

const view = () =>
  z.strictObject({
    selector: selector().optional().describe("The metrics it is about."),
    stream: stream().prefault({}).describe("What they become."),
  });

/** `service::telemetry::metrics::views`. */
export function views() {
  return z.array(
    view().check(
      acrossFields((value, context) => {
        if (value.selector === undefined) context.addIssue({ code: "custom", message: "view: no selector provided" });
      }),
    ),
  );
}
