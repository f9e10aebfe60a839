import { acrossFields, choice, whenWritten, z } from "../schema.ts";
import { exporter } from "./exporter.ts";
import { views } from "./views.ts";

const labelFilter = () =>
  z
    .strictObject({
      included: z.array(z.string()).default([]).describe("Attributes to use; all unless given."),
      excluded: z.array(z.string()).default([]).describe("Attributes to leave out."),
    })
    .check(
      acrossFields(({ included, excluded }, context) => {
        for (const name of excluded.filter((one) => included.includes(one))) {
          const message = `attribute cannot be in both include and exclude list: ${name}`;
          context.addIssue({ code: "custom", message });
        }
      }),
    );

const prometheus = z.strictObject({
  host: z.string({ error: "host must be specified" }).describe("The address to listen on."),
  port: z
    .int({ error: (issue) => (issue.input === undefined ? "port must be specified" : undefined) })
    .min(0)
    .max(65535)
    .describe("The port to listen on; 0 takes a free one."),
  without_scope_info: z.boolean().default(true).describe("Leaves out the labels of the instrumentation scope."),
  without_units: z.boolean().default(true).describe("false puts units and `_total` at the end of metric names."),
  without_type_suffix: z.boolean().default(true).describe("The same, as in the Collector: one is enough."),
  with_resource_constant_labels: whenWritten(labelFilter)
    .optional()
    .describe("Attributes of the own resource to put on every series."),
});

const pullReader = z.strictObject({
  exporter: z
    .strictObject({ prometheus: prometheus.optional().describe("Prometheus text on `/metrics`.") })
    .check(
      acrossFields((value, context) => {
        if (value.prometheus === undefined) context.addIssue({ code: "custom", message: "no valid metric exporter" });
      }),
    )
    .describe("Who asks for the metrics."),
});

const periodicReader = () =>
  z.strictObject({
    interval: z.int().min(0).default(60_000).describe("Milliseconds between two exports."),
    timeout: z.int().min(0).default(30_000).describe("Milliseconds an export may take."),
    exporter: exporter("metric").describe("Where to."),
  });

const reader = z
  .strictObject({
    pull: pullReader.optional().describe("Serves the metrics to whoever asks."),
    periodic: whenWritten(periodicReader).optional().describe("Sends the metrics."),
    producers: z.array(z.unknown()).optional().describe("Accepted without effect, as in the Collector."),
  })
  .check(
    acrossFields(({ pull, periodic }, context) => {
      if (pull !== undefined && periodic !== undefined) {
        context.addIssue({ code: "custom", message: "must not specify multiple metric reader type" });
      } else if (pull === undefined && periodic === undefined) {
        context.addIssue({ code: "custom", message: "no valid metric reader" });
      }
    }),
  );

/** `service::telemetry::metrics`. */
export const metrics = z
  .strictObject({
    level: choice(["none", "basic", "normal", "detailed"])
      .prefault("normal")
      .describe("How much is measured; none serves nothing."),
    readers: z
      .array(reader)
      .prefault([{ pull: { exporter: { prometheus: { host: "localhost", port: 8888 } } } }])
      .describe("Where own metrics go. Giving the key replaces the default, Prometheus on localhost:8888."),
    views: whenWritten(views).optional().describe("Which metrics are kept, and how: instead of those of the level."),
  })
  .check(
    acrossFields((value, context) => {
      if (value.level !== "none" && value.readers.length === 0) {
        context.addIssue({
          code: "custom",
          path: ["readers"],
          message: "collector telemetry metrics reader should exist when metric level is not none",
        });
      }
      if (value.level !== "detailed" && value.views !== undefined) {
        context.addIssue({
          code: "custom",
          path: ["views"],
          message:
            "service::telemetry::metrics::views can only be set when service::telemetry::metrics::level is detailed",
        });
      }
    }),
  );
