import { choice, duration, whenWritten, z } from "../schema.ts";
import { processors } from "./exporter.ts";

const sampling = z.strictObject({
  enabled: z.boolean().default(true).describe("false logs every line."),
  tick: duration().prefault("10s").describe("The time over which equal lines are counted."),
  initial: z.int().default(10).describe("As many of the same level and message are logged in each tick."),
  thereafter: z.int().default(100).describe("After these every so manieth; 0 drops the rest of the tick."),
});

const paths = (what: string) =>
  z.array(z.string()).default(["stderr"]).describe(`${what} \`stdout\`, \`stderr\` or a file, also as a file:// URL.`);

/** `service::telemetry::logs`. */
export const logs = z.strictObject({
  level: z
    .preprocess(
      (value) => (typeof value === "string" && value.toLowerCase() === "warning" ? "warn" : value),
      choice(["debug", "info", "warn", "error", "dpanic", "panic", "fatal"]),
    )
    .prefault("info")
    .describe("The lowest level that is logged."),
  encoding: z
    .enum(["console", "json"], { error: (issue) => `no encoder registered for name ${JSON.stringify(issue.input)}` })
    .default("console")
    .describe("Columns for people, or one JSON object per line."),
  development: z.boolean().default(false).describe("Stack traces from warn on instead of error."),
  disable_caller: z.boolean().default(false).describe("Leaves out who logged."),
  disable_stacktrace: z.boolean().default(false).describe("Leaves out stack traces."),
  disable_zap_resource: z.boolean().default(false).describe("Leaves the resource out of the lines; OTLP keeps it."),
  sampling: sampling.prefault({}).describe("Keeps a line that repeats from filling the log."),
  output_paths: paths("Where lines go:"),
  error_output_paths: paths("Where complaints about the log itself go:"),
  initial_fields: z.record(z.string(), z.unknown()).optional().describe("Fields on every line."),
  processors: whenWritten(() => processors("log"))
    .optional()
    .describe("Where log lines go besides, as OTLP: `batch` or `simple`."),
});
