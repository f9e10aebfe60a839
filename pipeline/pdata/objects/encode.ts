import { wireType } from "./decode.ts";
import type { Field, MessageType } from "./field.ts";
import { packs } from "./field.ts";

type PlainObject = Readonly<Record<string, unknown>>;

/**
 * Writes a plain object in the shape of `types.ts` as a message. Members may be missing or undefined. 64-bit integers
 * may be bigint, integral number or decimal string; bytes may be a Uint8Array or base64, ids a Uint8Array or hex.
 * Zero scalars without presence are left out; singular messages that are there are written, even empty.
 *
 * @throws {TypeError} for a member the message does not have, a value of another type, or one out of range
 */
export function encodeMessage(type: MessageType, object: PlainObject): Buffer {
  const parts: Buffer[] = [];
  writeMessage(type, object, parts, type.name.slice(type.name.lastIndexOf(".") + 1));
  return Buffer.concat(parts);
}

const memberNames = new WeakMap<MessageType, ReadonlySet<string>>();

function writeMessage(type: MessageType, object: PlainObject, parts: Buffer[], path: string): void {
  if (typeof object !== "object" || object === null) throw wrong(path, "an object", object);
  const names = memberNames.get(type) ?? new Set(type.fields.map((field) => field.name));
  memberNames.set(type, names);
  for (const name of Object.keys(object)) {
    if (!names.has(name)) throw new TypeError(`${path}: ${type.name} has no field ${name}`);
  }
  for (const field of type.fields) {
    const value = object[field.name];
    if (value !== undefined) writeField(field, value, parts, `${path}.${field.name}`);
  }
}

function writeField(field: Field, value: unknown, parts: Buffer[], path: string): void {
  if (!field.repeated) writeSingular(field, value, parts, path);
  else if (!Array.isArray(value)) throw wrong(path, "an array", value);
  else if (!packs(field)) value.forEach((item, index) => void writeRecord(field, item, parts, `${path}[${index}]`));
  else if (value.length > 0) {
    const items = value.map((item, index) => scalarBytes(field, item, `${path}[${index}]`));
    pushDelimited(field, items, parts);
  }
}

function writeSingular(field: Field, value: unknown, parts: Buffer[], path: string): void {
  if (field.kind === "message" || field.oneof !== undefined || field.optional) writeRecord(field, value, parts, path);
  else {
    const bytes = scalarBytes(field, value, path);
    const isZero = wireType(field) === 2 ? bytes.length === 0 : bytes.every((byte) => byte === 0);
    if (!isZero) pushScalar(field, bytes, parts);
  }
}

function writeRecord(field: Field, value: unknown, parts: Buffer[], path: string): void {
  if (field.kind !== "message") {
    pushScalar(field, scalarBytes(field, value, path), parts);
    return;
  }
  const content: Buffer[] = [];
  writeMessage(field.type(), value as PlainObject, content, path);
  pushDelimited(field, content, parts);
}

function pushScalar(field: Field, bytes: Buffer, parts: Buffer[]): void {
  if (wireType(field) === 2) pushDelimited(field, [bytes], parts);
  else parts.push(varint(BigInt(field.number * 8 + wireType(field))), bytes);
}

function pushDelimited(field: Field, content: readonly Buffer[], parts: Buffer[]): void {
  const size = content.reduce((sum, part) => sum + part.length, 0);
  parts.push(varint(BigInt(field.number * 8 + 2)), varint(BigInt(size)));
  for (const part of content) parts.push(part); // more of them than a call takes arguments
}

/** A scalar as it stands on the wire, without tag and length. */
function scalarBytes(field: Field, value: unknown, path: string): Buffer {
  switch (field.kind) {
    case "double": {
      if (typeof value !== "number") throw wrong(path, "a number", value);
      const bytes = Buffer.alloc(8);
      bytes.writeDoubleLE(value);
      return bytes;
    }
    case "string":
      if (typeof value !== "string") throw wrong(path, "a string", value);
      return Buffer.from(value, "utf8");
    case "bytes":
    case "id":
      return rawBytes(field, value, path);
    case "bool":
      if (typeof value !== "boolean") throw wrong(path, "a boolean", value);
      return varint(value ? 1n : 0n);
    case "fixed32":
      return fixed(integer(value, 0n, 0xffffffffn, path), 4);
    case "fixed64":
      return fixed(integer(value, 0n, maxUint64, path), 8);
    case "sfixed64":
      return fixed(integer(value, -(1n << 63n), (1n << 63n) - 1n, path), 8);
    case "uint64":
      return varint(integer(value, 0n, maxUint64, path));
    case "int64":
      return varint(integer(value, -(1n << 63n), (1n << 63n) - 1n, path));
    case "uint32":
      return varint(integer(value, 0n, 0xffffffffn, path));
    case "sint32": {
      const signed = integer(value, -(1n << 31n), (1n << 31n) - 1n, path);
      return varint(signed < 0n ? -signed * 2n - 1n : signed * 2n);
    }
    default:
      return varint(integer(value, -(1n << 31n), (1n << 31n) - 1n, path));
  }
}

const maxUint64 = (1n << 64n) - 1n;

function rawBytes(field: Field, value: unknown, path: string): Buffer {
  if (typeof value !== "string" && !(value instanceof Uint8Array)) throw wrong(path, "bytes", value);
  const encoding = field.kind === "id" ? "hex" : "base64";
  const bytes = typeof value === "string" ? Buffer.from(value, encoding) : Buffer.from(value);
  if (field.kind === "id" && bytes.length !== 0 && bytes.length !== field.idSize) {
    throw wrong(path, `${field.idSize} bytes or none`, value);
  }
  return bytes;
}

function integer(value: unknown, least: bigint, most: bigint, path: string): bigint {
  let exact: bigint | undefined;
  if (typeof value === "bigint") exact = value;
  else if (typeof value === "number" && Number.isInteger(value)) exact = BigInt(value);
  else if (typeof value === "string" && /^-?\d+$/.test(value)) exact = BigInt(value);
  if (exact === undefined || exact < least || exact > most) throw wrong(path, `an integer ${least} to ${most}`, value);
  return exact;
}

function fixed(value: bigint, size: 4 | 8): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt.asUintN(64, value));
  return bytes.subarray(0, size);
}

function varint(value: bigint): Buffer {
  let rest = BigInt.asUintN(64, value);
  if (rest < 0x80n) return Buffer.from([Number(rest)]);
  const bytes: number[] = [];
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  bytes.push(Number(rest));
  return Buffer.from(bytes);
}

function wrong(path: string, want: string, value: unknown): TypeError {
  return new TypeError(`${path}: want ${want}, got ${typeof value === "object" ? typeof value : String(value)}`);
}
