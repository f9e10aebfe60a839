/** The kinds of telemetry OTLP carries. */
export type Signal = "traces" | "metrics" | "logs" | "profiles";

export const signals: readonly Signal[] = ["traces", "metrics", "logs", "profiles"];
