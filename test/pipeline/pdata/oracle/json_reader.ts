import protobuf from "protobufjs";
import { type Json, JsonNumber, JsonObject } from "./json_text.ts";

/** OTLP/JSON read by its rules into the shape of `decode`, slowly: the idea of it that `fromJson` is held against. */

type PlainObject = Record<string, unknown>;

/** The request in parsed JSON; throws when a rule is broken. */
export function readRequest(type: protobuf.Type, json: Json): PlainObject {
  return readMessage(type, json, blank(type), 0);
}

/** A message with nothing set. */
export function blank(type: protobuf.Type): PlainObject {
  const object: PlainObject = {};
  for (const field of type.fieldsArray) {
    if (field.repeated) object[field.name] = [];
    else if (!(field.resolvedType instanceof protobuf.Type) && field.partOf === null) {
      object[field.name] = zero(field);
    }
  }
  return object;
}

function zero(field: protobuf.Field): unknown {
  if (field.type === "string") return "";
  if (field.type === "bytes") return Buffer.alloc(0);
  if (field.type === "bool") return false;
  return field.long ? 0n : 0;
}

function readMessage(type: protobuf.Type, json: Json, into: PlainObject, depth: number): PlainObject {
  if (json === null) return into;
  if (!(json instanceof JsonObject)) throw new Error(`${type.name} is no object`);
  if (depth > 100) throw new Error("too deep");
  for (const [name, value] of json.members) {
    const field = type.fieldsArray.find((candidate) => names(candidate).includes(name));
    if (field === undefined) checkDepth(value, 1);
    else if (field.repeated) readList(field, value, into[field.name] as unknown[], depth);
    else readSingular(type, field, value, into, depth);
  }
  return into;
}

function names(field: protobuf.Field): string[] {
  return [field.name, field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)];
}

/** Unknown values nest at most a hundred deep. */
function checkDepth(value: Json, depth: number): void {
  if (!(Array.isArray(value) || value instanceof JsonObject)) return;
  if (depth > 100) throw new Error("an unknown value is too deep");
  const items: readonly Json[] = value instanceof JsonObject ? value.members.map(([, item]) => item) : value;
  for (const item of items) checkDepth(item, depth + 1);
}

function readList(field: protobuf.Field, json: Json, list: unknown[], depth: number): void {
  if (json === null) return;
  if (!Array.isArray(json)) throw new Error(`${field.name} is no list`);
  for (const item of json as readonly Json[]) list.push(readValue(field, item, undefined, depth));
}

function readSingular(type: protobuf.Type, field: protobuf.Field, json: Json, into: PlainObject, depth: number): void {
  const isOneof = field.partOf !== null && !field.partOf.isProto3Optional;
  const isMessage = field.resolvedType instanceof protobuf.Type;
  if (isMessage && !isOneof && json === null) return;
  const present = isOneof ? undefined : (into[field.name] as PlainObject | undefined);
  const value = readValue(field, json, present, depth);
  if (isOneof) for (const member of type.fieldsArray) if (member.partOf === field.partOf) delete into[member.name];
  into[field.name] = value;
}

function readValue(field: protobuf.Field, json: Json, present: PlainObject | undefined, depth: number): unknown {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) {
    return readMessage(resolvedType, json, present ?? blank(resolvedType), depth + 1);
  }
  if (resolvedType instanceof protobuf.Enum) {
    if (typeof json !== "string") return Number(readInteger(json, -(2n ** 31n), 2n ** 31n - 1n));
    const value = resolvedType.values[json];
    if (value === undefined) throw new Error(`${json} is no ${resolvedType.name}`);
    return value;
  }
  switch (field.type) {
    case "string":
      if (json !== null && typeof json !== "string") throw new Error(`${field.name} is no text`);
      return (json ?? "").toWellFormed();
    case "bool":
      if (typeof json !== "boolean") throw new Error(`${field.name} is no boolean`);
      return json;
    case "bytes":
      return readBytes(field, json);
    case "double":
      return readDouble(json);
    default: {
      const [least, most] = ranges[field.type]!;
      const value = readInteger(json, least, most);
      return field.long ? value : Number(value);
    }
  }
}

const ranges: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  sint32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  fixed32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  sfixed64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
  fixed64: [0n, 2n ** 64n - 1n],
};

function readBytes(field: protobuf.Field, json: Json): Buffer {
  if (typeof json !== "string") throw new Error(`${field.name} is no text`);
  const size = { traceId: 16, spanId: 8, parentSpanId: 8, profileId: 16 }[field.name];
  if (size !== undefined) {
    if (!/^[\da-fA-F]*$/.test(json) || ![0, size * 2].includes(json.length)) throw new Error(`${json} is no id`);
    return Buffer.from(json, "hex");
  }
  const groups = /^(?:[\w+/-]{4})*(?:[\w+/-]{2}(?:==)?|[\w+/-]{3}=?)?$/;
  if (!groups.test(json)) throw new Error(`${json} is no base64`);
  return Buffer.from(json, "base64");
}

function readDouble(json: Json): number {
  const text = json instanceof JsonNumber ? json.text : json;
  if (typeof text !== "string") throw new Error("no number");
  if (typeof json === "string") {
    if (/^nan$/i.test(text)) return Number.NaN;
    const infinite = /^([+-]?)inf(?:inity)?$/i.exec(text);
    if (infinite !== null) return infinite[1] === "-" ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    if (!/^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text)) throw new Error(`${text} is no number`);
  }
  const value = Number(text);
  if (!Number.isFinite(value)) throw new Error(`${text} is out of range`);
  return value;
}

function readInteger(json: Json, least: bigint, most: bigint): bigint {
  const text = json instanceof JsonNumber ? json.text : json;
  const match = typeof text === "string" ? /^([+-]?)(\d*)\.?(\d*)(?:e([+-]?\d+))?$/i.exec(text) : null;
  if (match === null || match[2] + match[3]! === "") throw new Error("no integer");
  const digits = BigInt(match[2] + match[3]!);
  const scale = Number(match[4] ?? 0) - match[3]!.length;
  if (digits !== 0n && Math.abs(scale) > 1000) throw new Error("out of range");
  const power = 10n ** BigInt(digits === 0n ? 0 : Math.abs(scale));
  if (scale < 0 && digits % power !== 0n) throw new Error("not integral");
  const magnitude = scale < 0 ? digits / power : digits * power;
  const value = match[1] === "-" ? -magnitude : magnitude;
  if (value < least || value > most) throw new Error("out of range");
  return value;
}
