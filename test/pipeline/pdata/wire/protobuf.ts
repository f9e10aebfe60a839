import protobuf from "protobufjs";
import type { Signal } from "../../../../pipeline/pdata/signal.ts";
import { oracleType } from "../oracle/protobuf.ts";

interface LongClass {
  isLong(value: unknown): boolean;
  fromString(text: string, unsigned: boolean): unknown;
}
const Long = protobuf.util.Long as unknown as LongClass;

/** Telemetry as protobufjs objects: the independent idea of what bytes say. Unknown fields are kept in `$unknowns`. */

/** A message as protobufjs has it, with any members. */
// biome-ignore lint/suspicious/noExplicitAny: tests reach into messages of every type
export type Message = any;

/** Serialized by protobufjs. */
export function encodeRequest(signal: Signal, request: object): Buffer {
  return Buffer.from(oracleType(signal).encode(request).finish());
}

/** Parsed by protobufjs, unknown fields kept; still protobufjs objects, which `encodeRequest` takes back. */
export function decodeRequest(signal: Signal, bytes: Buffer): Message {
  const reader = protobuf.Reader.create(bytes);
  reader.discardUnknown = false;
  return oracleType(signal).decode(reader);
}

/** A protobufjs message as values that compare: 64-bit as bigint, bytes as hex, only what is there. */
export function comparable(value: unknown): unknown {
  if (Long.isLong(value)) return BigInt((value as { toString(): string }).toString());
  if (value instanceof Uint8Array) return Buffer.from(value).toString("hex");
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value !== "object" || value === null) return value;
  const unknowns = (value as Message).$unknowns;
  const entries = Object.entries(value).map(([name, member]) => [name, comparable(member)] as const);
  if (unknowns !== undefined) entries.push(["$unknowns", comparable(unknowns)]);
  entries.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.filter(([, member]) => !(Array.isArray(member) && member.length === 0)));
}

/** What the bytes of a request say. */
export function meaning(signal: Signal, bytes: Buffer): Message {
  return comparable(decodeRequest(signal, bytes));
}

/** A bigint as protobufjs takes it. */
export function long(value: bigint, unsigned = false): unknown {
  return Long.fromString(value.toString(), unsigned);
}

/** Gives some messages below `message` an unknown field, as a newer OTLP would. */
export function addUnknownFields(message: Message, chance: () => boolean): void {
  if (Array.isArray(message)) {
    for (const item of message) addUnknownFields(item, chance);
    return;
  }
  if (typeof message !== "object" || message === null || message instanceof Uint8Array) return;
  if (Long.isLong(message)) return;
  for (const member of Object.values(message)) addUnknownFields(member, chance);
  if (!chance()) return;
  const unknowns = [Buffer.from([0xca, 0x3e, 2, 0x41, 0x42]), Buffer.from([0xd3, 0x3e, 8, 1, 0xd4, 0x3e])];
  Object.defineProperty(message, "$unknowns", { value: unknowns, enumerable: false, writable: true });
}
