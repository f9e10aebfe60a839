/** The kinds of telemetry OTLP carries. */
export type Signal = "traces" | "metrics" | "logs" | "profiles";

export const signals: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];

/** What one item of a signal is called, in the plural, as in `otelcol_receiver_accepted_spans`. */
export const itemNoun: Record<Signal, string> = {
  traces: "spans",
  metrics: "data points",
  logs: "log records",
  profiles: "profile samples",
};
