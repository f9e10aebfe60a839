import type {
  ProtobufLogsSerializer,
  ProtobufMetricsSerializer,
  ProtobufTraceSerializer,
} from "@opentelemetry/otlp-transformer";
import type { Resource } from "../resource.ts";

/** What the OpenTelemetry SDK calls a log record, a span, and all metrics at one moment. */
export type SdkLogRecord = Parameters<typeof ProtobufLogsSerializer.serializeRequest>[0][number];
export type SdkSpan = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number];
export type SdkMetrics = Parameters<typeof ProtobufMetricsSerializer.serializeRequest>[0];

/** Seconds and nanoseconds, as the SDK has times. */
export function sdkTime(unixMs: number): [number, number] {
  const seconds = Math.floor(unixMs / 1000);
  return [seconds, Math.round((unixMs - seconds * 1000) * 1e6)];
}

/** The own resource as the SDK's, as far as it is encoded. */
export function sdkResource(attributes: Resource, schemaUrl: string | undefined): SdkMetrics["resource"] {
  return { attributes, ...(schemaUrl !== undefined && { schemaUrl }) } as SdkMetrics["resource"];
}

/** Gives one object for one scope of a component: the SDK groups records by the identity of their scope. */
export function sameScopes<S extends object>(): (scope: S, component: object) => S {
  const scopes = new Map<string, S>();
  return (scope, component) => {
    const key = JSON.stringify([scope, component]);
    const made = scopes.get(key) ?? { ...scope, attributes: component };
    scopes.set(key, made);
    return made;
  };
}
