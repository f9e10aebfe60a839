import { readdirSync } from "node:fs";
import { join } from "node:path";
import protobuf from "protobufjs";
import type { Signal } from "../../../../pipeline/pdata/signal.ts";

/** `proto/` as protobufjs reads it: the tests' independent idea of OTLP. */

const folder = join(import.meta.dirname, "../../../../proto");

/** Reads `proto/` anew, for who wants to change it. */
export function loadProtos(): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => (target.startsWith("google/protobuf/") ? target : join(folder, target));
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".proto"));
  root.loadSync(files).resolveAll();
  return root;
}

export const protos = loadProtos();

const requestNames: Record<Signal, string> = {
  traces: "trace.v1.ExportTraceServiceRequest",
  metrics: "metrics.v1.ExportMetricsServiceRequest",
  logs: "logs.v1.ExportLogsServiceRequest",
  profiles: "profiles.v1development.ExportProfilesServiceRequest",
};

/** The export request of a signal in protobufjs. */
export function oracleType(signal: Signal, root = protos): protobuf.Type {
  return root.lookupType(`opentelemetry.proto.collector.${requestNames[signal]}`);
}

/** A protobufjs message in the shape our `decode` gives. */
export function plain(type: protobuf.Type, message: object): Record<string, unknown> {
  const values = message as Record<string, unknown>;
  const object: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const isSet = Object.hasOwn(values, field.name) && values[field.name] !== null;
    if (field.repeated) {
      const items = isSet ? (values[field.name] as unknown[]) : [];
      object[field.name] = items.map((item) => plainValue(field, item));
    } else if (isSet) object[field.name] = plainValue(field, values[field.name]);
    else if (field.partOf === null && !(field.resolvedType instanceof protobuf.Type)) {
      object[field.name] = plainValue(field, field.typeDefault);
    }
  }
  return object;
}

function plainValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return plain(field.resolvedType, value as object);
  if (field.long) return bigintOf(value as { low: number; high: number; unsigned: boolean });
  if (field.type === "bytes") return Buffer.from(value as Uint8Array);
  return value;
}

/** The exact value of a protobufjs Long. */
function bigintOf(long: { low: number; high: number; unsigned: boolean } | number): bigint {
  if (typeof long === "number") return BigInt(long);
  const bits = (BigInt(long.high >>> 0) << 32n) | BigInt(long.low >>> 0);
  return long.unsigned ? bits : BigInt.asIntN(64, bits);
}
