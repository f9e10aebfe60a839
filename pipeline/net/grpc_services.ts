import type { ServiceDefinition } from "@grpc/grpc-js";
import type { Signal } from "../pdata/index.ts";
import services from "./services.generated.json" with { type: "json" };

/** The OTLP services of these signals, generated from our `.proto` files, with messages as raw bytes both ways. */
export function otlpServices(signals: readonly Signal[]): ServiceDefinition[] {
  return signals.map((signal) => rawService(services[signal]));
}

function rawService(methods: (typeof services)[Signal]): ServiceDefinition {
  const raw = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same };
  return Object.fromEntries(Object.entries(methods).map(([name, method]) => [name, { ...method, ...raw }]));
}

function same(bytes: Buffer): Buffer {
  return bytes;
}
