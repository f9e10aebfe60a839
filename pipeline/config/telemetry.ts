import { whenWritten, z } from "./schema.ts";
import { logs } from "./telemetry/logs.ts";
import { metrics } from "./telemetry/metrics.ts";
import { resource, unsetResource } from "./telemetry/resource.ts";
import { traces, unsetTraces } from "./telemetry/traces.ts";

/** `service::telemetry`: what otelpipe says of itself. Keys and defaults are the Collector's. */
export const telemetryConfig = z.strictObject({
  logs: logs.prefault({}).describe("Own logs."),
  metrics: metrics.prefault({}).describe("Own metrics."),
  traces: whenWritten(traces, unsetTraces).prefault({}).describe("Own traces. Without a processor there are none."),
  resource: whenWritten(resource, unsetResource)
    .prefault({})
    .describe("Attributes of all own telemetry, besides name, version and instance id."),
});

/** Decoded `service::telemetry`. */
export type TelemetryConfig = z.output<typeof telemetryConfig>;
