import type { ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import type { Signal } from "../pdata/index.ts";
import { packageFile } from "../process/package_file.ts";
import { serviceName } from "./otlp_paths.ts";

const files: Record<Signal, string> = {
  traces: "trace/v1/trace_service.proto",
  metrics: "metrics/v1/metrics_service.proto",
  logs: "logs/v1/logs_service.proto",
  profiles: "profiles/v1development/profiles_service.proto",
};

/** The OTLP services of these signals, from our `.proto` files, with messages as raw bytes both ways. */
export function otlpServices(signals: readonly Signal[]): ServiceDefinition[] {
  if (signals.length === 0) return [];
  const names = signals.map((signal) => `opentelemetry/proto/collector/${files[signal]}`);
  const definitions = loadSync(names, { includeDirs: [packageFile("proto")] });
  return signals.map((signal) => rawService(definitions[serviceName(signal)] as ServiceDefinition));
}

function rawService(service: ServiceDefinition): ServiceDefinition {
  const raw = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  return Object.fromEntries(Object.entries(service).map(([name, method]) => [name, { ...method, ...raw }]));
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
