import { choice, duration, z } from "./schema.ts";

const ignored = "Accepted as the Collector accepts it, without effect yet.";

const logs = z.strictObject({
  level: choice(["debug", "info", "warn", "error", "dpanic", "panic", "fatal"])
    .prefault("info")
    .describe("The lowest level that is logged."),
  encoding: z.enum(["console", "json"]).default("console").describe("Columns for people, or one JSON object per line."),
  development: z.boolean().default(false).describe(ignored),
  disable_caller: z.boolean().default(false).describe(ignored),
  disable_stacktrace: z.boolean().default(false).describe(ignored),
  disable_zap_resource: z.boolean().default(false).describe(ignored),
  sampling: z
    .strictObject({
      enabled: z.boolean().default(true),
      tick: duration().prefault("10s"),
      initial: z.int().default(10),
      thereafter: z.int().default(100),
    })
    .prefault({})
    .describe(ignored),
  output_paths: z.array(z.string()).default(["stderr"]).describe(ignored),
  error_output_paths: z.array(z.string()).default(["stderr"]).describe(ignored),
  initial_fields: z.record(z.string(), z.unknown()).optional().describe(ignored),
  processors: z.array(z.unknown()).optional().describe(ignored),
});

const prometheus = z.strictObject({
  host: z.string().default("localhost").describe("The address to listen on."),
  port: z.int().min(0).max(65535).default(8888).describe("The port to listen on; 0 takes a free one."),
  without_scope_info: z.boolean().default(true).describe("Leaves out the labels of the instrumentation scope."),
  without_units: z.boolean().default(true).describe("Leaves the unit out of metric names."),
  without_type_suffix: z.boolean().default(true).describe("Leaves `_total` out of the names of counters."),
  with_resource_constant_labels: z
    .strictObject({
      included: z.array(z.string()).optional(),
      excluded: z.array(z.string()).optional(),
    })
    .optional()
    .describe(ignored),
});

const pullReader = z.strictObject({
  exporter: z.strictObject({ prometheus }).describe("Who asks for the metrics."),
});

const periodicReader = z.strictObject({
  interval: z.int().min(0).default(60_000).describe("Milliseconds between two exports."),
  timeout: z.int().min(0).default(30_000).describe("Milliseconds an export may take."),
  exporter: z.strictObject({
    otlp: z.record(z.string(), z.unknown()).optional(),
    console: z.record(z.string(), z.unknown()).nullable().optional(),
  }),
});

const reader = z
  .strictObject({
    pull: pullReader.optional().describe("Serves the metrics to whoever asks."),
    periodic: periodicReader.optional().describe(ignored),
  })
  .refine((value) => (value.pull === undefined) !== (value.periodic === undefined), {
    message: 'a reader is either "pull" or "periodic"',
  });

const metrics = z
  .strictObject({
    level: choice(["none", "basic", "normal", "detailed"])
      .prefault("normal")
      .describe("How much is measured; none serves nothing."),
    readers: z
      .array(reader)
      .prefault([{ pull: { exporter: { prometheus: {} } } }])
      .describe("Where own metrics go. Giving the key replaces the default, Prometheus on localhost:8888."),
    views: z.array(z.unknown()).optional().describe(ignored),
  })
  .superRefine((value, context) => {
    if (value.level !== "none" && value.readers.length === 0) {
      context.addIssue({ code: "custom", path: ["readers"], message: 'must hold a reader unless "level" is none' });
    }
    if (value.level !== "detailed" && value.views !== undefined) {
      context.addIssue({ code: "custom", path: ["views"], message: 'can only be set when "level" is detailed' });
    }
  });

const traces = z.strictObject({
  level: choice(["none", "basic", "normal", "detailed"]).prefault("normal").describe(ignored),
  processors: z.array(z.unknown()).optional().describe(ignored),
  propagators: z
    .array(z.enum(["tracecontext", "b3"]))
    .optional()
    .describe(ignored),
  sampler: z.record(z.string(), z.unknown()).optional().describe(ignored),
  limits: z.record(z.string(), z.unknown()).optional().describe(ignored),
});

/** `service::telemetry`: what otelpipe says of itself. Keys and defaults are the Collector's. */
export const telemetryConfig = z.strictObject({
  logs: logs.prefault({}).describe("Own logs."),
  metrics: metrics.prefault({}).describe("Own metrics."),
  traces: traces.prefault({}).describe(ignored),
  resource: z.record(z.string(), z.unknown()).optional().describe(ignored),
});

/** Decoded `service::telemetry`. */
export type TelemetryConfig = z.output<typeof telemetryConfig>;
