import type { Signal } from "../pdata/index.ts";

/** Where OTLP has the service of a signal: its package and name below `opentelemetry.proto.collector`, and its HTTP path. */
const places = {
  traces: { packageName: "trace.v1", service: "TraceService", http: "/v1/traces" },
  metrics: { packageName: "metrics.v1", service: "MetricsService", http: "/v1/metrics" },
  logs: { packageName: "logs.v1", service: "LogsService", http: "/v1/logs" },
  profiles: {
    packageName: "profiles.v1development",
    service: "ProfilesService",
    http: "/v1development/profiles",
  },
} as const satisfies Record<Signal, object>;

/** The full name of a signal's gRPC service. */
export function serviceName(signal: Signal): string {
  const { packageName, service } = places[signal];
  return `opentelemetry.proto.collector.${packageName}.${service}`;
}

/** The gRPC path of a signal's one method. */
export function exportPath(signal: Signal): string {
  return `/${serviceName(signal)}/Export`;
}

/** The path OTLP over HTTP has for a signal. */
export function httpPath(signal: Signal): string {
  return places[signal].http;
}
