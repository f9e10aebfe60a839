import { join } from "node:path";
import type { MethodDefinition, ServiceDefinition } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { serviceName } from "../pipeline/net/otlp_paths.ts";
import { type Signal, signals } from "../pipeline/pdata/index.ts";
import { root } from "./root.ts";

const files: Record<Signal, string> = {
  traces: "trace/v1/trace_service.proto",
  metrics: "metrics/v1/metrics_service.proto",
  logs: "logs/v1/logs_service.proto",
  profiles: "profiles/v1development/profiles_service.proto",
};

/**
 * The methods of OTLP's services by signal, as `@grpc/proto-loader` reads them from our `.proto` files, without their
 * message types: otelpipe hands messages on as bytes. Reading the files at every start would take a fifth of it.
 */
export function otlpServiceMethods(): Record<string, Record<string, object>> {
  const names = signals.map((signal) => `opentelemetry/proto/collector/${files[signal]}`);
  const definitions = loadSync(names, { includeDirs: [join(root, "proto")] });
  return Object.fromEntries(
    signals.map((signal) => [signal, methodsOf(definitions[serviceName(signal)] as ServiceDefinition)]),
  );
}

function methodsOf(service: ServiceDefinition): Record<string, object> {
  return Object.fromEntries(Object.entries(service).map(([name, method]) => [name, plain(method)]));
}

function plain({ path, requestStream, responseStream, originalName }: MethodDefinition<object, object>): object {
  return { path, requestStream, responseStream, originalName };
}
