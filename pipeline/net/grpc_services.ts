import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Signal } from "../pdata/index.ts";

const services: Record<Signal, { file: string; name: string }> = {
  traces: { file: "trace/v1/trace_service.proto", name: "trace.v1.TraceService" },
  metrics: { file: "metrics/v1/metrics_service.proto", name: "metrics.v1.MetricsService" },
  logs: { file: "logs/v1/logs_service.proto", name: "logs.v1.LogsService" },
  profiles: { file: "profiles/v1development/profiles_service.proto", name: "profiles.v1development.ProfilesService" },
};

/** The OTLP service of a signal, from our `.proto` files, with messages as raw bytes both ways. */
export function otlpService(signal: Signal): ServiceDefinition {
  const { file, name } = services[signal];
  const root = protoDirectory();
  const definitions = loadSync(`opentelemetry/proto/collector/${file}`, { includeDirs: [root] });
  return rawService(definitions[`opentelemetry.proto.collector.${name}`] as ServiceDefinition);
}

/** The gRPC path of a signal's one method. */
export function exportPath(signal: Signal): string {
  return `/opentelemetry.proto.collector.${services[signal].name}/Export`;
}

function rawService(service: ServiceDefinition): ServiceDefinition {
  const raw = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  return Object.fromEntries(Object.entries(service).map(([name, method]) => [name, { ...method, ...raw }]));
}

function same(bytes: Buffer): Buffer {
  return bytes;
}

/** `proto/` beside the sources, or beside the bundle's folder. */
function protoDirectory(): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, "proto");
    if (existsSync(join(candidate, "opentelemetry"))) return candidate;
    if (dirname(folder) === folder) throw new Error(`no proto folder above ${import.meta.dirname}`);
  }
}
