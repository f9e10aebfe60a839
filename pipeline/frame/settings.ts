import { acrossFields, duration, z } from "../config/schema.ts";
import { messageOf } from "../error_text.ts";
import { type EngineSettings, engineNames } from "./engines.ts";
import { type Expression, parseExpression } from "./expression.ts";
import { type Field, fieldName, parseField } from "./fields.ts";

/** The output of `parse`, or an issue at the value when it throws. */
function parsed<T>(parse: (text: string) => T) {
  return z.string().transform((text, context): T => {
    try {
      return parse(text);
    } catch (thrown) {
      context.addIssue({ code: "custom", message: messageOf(thrown) });
      return z.NEVER;
    }
  });
}

const engineType = z.enum(engineNames);

const engineBlock = z.strictObject({
  type: engineType.describe(
    "auto takes the first of rapids and node_rapids that has an NVIDIA GPU, else cpu. rapids is Python with cuDF, or with pandas where there is no GPU; " +
      "node_rapids is Node with @rapidsai/cudf. Both run in a process of their own, with cpu whenever they are not there.",
  ),
  device: z.int().min(0).optional().describe("The GPU, as nvidia-smi numbers them; cpu does not read it."),
  python: z
    .string()
    .min(1)
    .default("python3")
    .describe("The interpreter of the environment that has cudf and pyarrow."),
  node: z.string().min(1).optional().describe("The Node that @rapidsai/cudf was built for; this one unless written."),
  module: z
    .string()
    .min(1)
    .default("@rapidsai/cudf")
    .describe("What node_rapids requires, from the working directory: a package, or the path of one."),
  pool_mib: z
    .int()
    .min(0)
    .default(0)
    .describe(
      "MiB of the GPU that the engine sets apart when it starts, and its limit; 0 takes what it needs when it needs it.",
    ),
  timeout: duration()
    .refine((milliseconds) => milliseconds > 0, "must be longer than 0")
    .prefault("30s")
    .describe(
      "How long a window may take before its process counts as hung: it is ended, and cpu computes the window.",
    ),
});

const engine = z.union([engineType.transform((type) => engineBlock.parse({ type })), engineBlock]);

/** The settings of `aggregate`, the processor and the connector. */
export const aggregateConfig = z
  .strictObject({
    window: duration()
      .refine((milliseconds) => milliseconds > 0, "must be longer than 0")
      .prefault("10s")
      .describe(
        "Length of the tumbling windows, which start at multiples of it since the Unix epoch. A span is in the window in which it ends.",
      ),
    allowed_lateness: duration()
      .refine((milliseconds) => milliseconds >= 0, "must not be negative")
      .prefault("5s")
      .describe(
        "How long a window waits for spans that arrive after spans which ended later. Spans that come after that are counted as late.",
      ),
    group_by: z
      .array(parsed(parseField))
      .prefault(["resource.service.name", "gen_ai.request.model", "status"])
      .describe(
        "Fields whose combinations are the rows: name, kind, status, trace_id and other span fields, scope.name, " +
          "resource.KEY, scope.KEY or span.KEY for an attribute; any other name is a span attribute. Values are compared as text. " +
          "Every span counts in its row: where an SDK, a gateway, an engine and an agent report the tokens of one call, group " +
          "by what tells them apart as well, such as resource.service.name, kind or gen_ai.operation.name, and read the rows " +
          "of one of them.",
      ),
    columns: z
      .record(z.string().min(1, { error: "a column needs a name" }), parsed(parseExpression))
      .prefault({
        requests: "count",
        tokens: "sum(gen_ai.usage.output_tokens)",
        p95_ms: "quantile(duration, 0.95)",
      })
      .describe(
        "What to compute, by column name: count, count(field), sum(field), mean(field), min(field), max(field), std(field), " +
          "nunique(field), quantile(field, q), error_rate. `duration` is in milliseconds.",
      ),
    engine: engine
      .prefault("auto")
      .describe("What computes the windows: auto takes the best engine that is there. Short for { type: auto }."),
    max_groups: z
      .int()
      .min(1)
      .max(100_000)
      .default(1000)
      .describe("Rows of a window; further combinations share one row, marked otel.metric.overflow."),
    max_spans: z
      .int()
      .min(1)
      .default(4_000_000)
      .describe(
        "Spans a window holds at most, with 4 bytes for each, 8 for each number that columns name and 4 for each text they count; " +
          "twice that while it grows. A window that is full closes early, at the latest of its spans, and the rest of its time " +
          "is a window of its own.",
      ),
    history: z
      .int()
      .min(1)
      .default(90)
      .describe("Closed windows kept for the dashboard and other readers of the tables."),
  })
  .check(
    acrossFields(({ group_by, columns }, context) => {
      const groups = group_by.map(fieldName);
      groups.forEach((name, place) => {
        if (groups.indexOf(name) === place) return;
        context.addIssue({ code: "custom", path: ["group_by", place], message: `"${name}" is in group_by twice` });
      });
      if (Object.keys(columns).length === 0) {
        context.addIssue({
          code: "custom",
          path: ["columns"],
          message: "name at least one column, such as requests: count",
        });
      }
      for (const name of Object.keys(columns)) {
        if (!groups.includes(name)) continue;
        context.addIssue({
          code: "custom",
          path: ["columns", name],
          message: `"${name}" is already a group_by column`,
        });
      }
    }),
  );

export type AggregateConfig = z.output<typeof aggregateConfig>;

/** What `aggregate` does, in terms of the code. */
export interface AggregateSettings {
  readonly windowMs: number;
  readonly allowedLatenessMs: number;
  readonly groupBy: readonly Field[];
  readonly columns: ReadonlyMap<string, Expression>;
  readonly engine: EngineSettings;
  readonly maxGroups: number;
  readonly maxSpans: number;
  readonly history: number;
}

export function aggregateSettings(config: AggregateConfig): AggregateSettings {
  return {
    windowMs: config.window,
    allowedLatenessMs: config.allowed_lateness,
    groupBy: config.group_by,
    columns: new Map(Object.entries(config.columns)),
    engine: engineSettings(config.engine),
    maxGroups: config.max_groups,
    maxSpans: config.max_spans,
    history: config.history,
  };
}

function engineSettings({ pool_mib, timeout, ...engine }: AggregateConfig["engine"]): EngineSettings {
  return { ...engine, device: engine.device, node: engine.node, poolBytes: pool_mib * 2 ** 20, timeoutMs: timeout };
}
