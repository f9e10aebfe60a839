import type { Arena } from "./arena.ts";
import { int64Size, writeInt64 } from "./number64.ts";
import { DoubleValue, type Value, valueTag } from "./value.ts";
import { varintSize, writeVarint } from "./wire.ts";

const int64Limit = 2 ** 63;

/** Bytes of `value` as an `AnyValue`, without tag and length. */
export function valueSize(value: Value | DoubleValue): number {
  switch (typeof value) {
    case "string":
      return delimitedSize(textSize(value));
    case "boolean":
      return 2;
    case "number":
      return isInt(value) ? 1 + int64Size(value) : 9;
    case "bigint":
      return 1 + int64Size(value);
    default:
      if (value === null) return 0;
      if (value instanceof DoubleValue) return 9;
      if (Buffer.isBuffer(value)) return delimitedSize(value.length);
      return delimitedSize(isList(value) ? listSize(value) : mapSize(value));
  }
}

/** Writes `value` as an `AnyValue` and returns the position behind it; the room of `valueSize` must be there. */
export function writeValue(bytes: Buffer, at: number, value: Value | DoubleValue): number {
  switch (typeof value) {
    case "string":
      return writeText(bytes, at, valueTag.string, value);
    case "boolean":
      bytes[at] = valueTag.bool;
      bytes[at + 1] = value ? 1 : 0;
      return at + 2;
    case "number":
      return isInt(value) ? writeInt(bytes, at, value) : writeDouble(bytes, at, value);
    case "bigint":
      return writeInt(bytes, at, value);
    default:
      if (value === null) return at;
      if (value instanceof DoubleValue) return writeDouble(bytes, at, value.value);
      if (Buffer.isBuffer(value)) return writeBytes(bytes, at, value);
      return isList(value) ? writeList(bytes, at, value) : writeMap(bytes, at, value);
  }
}

/** Takes room in the arena for a length-delimited field of text and writes it there; returns its size. */
export function putText(arena: Arena, tag: number, value: string): { piece: number; size: number } {
  const size = delimitedSize(textSize(value));
  const piece = arena.reserve(size);
  writeText(arena.bytes, piece, tag, value);
  return { piece, size };
}

function isInt(value: number): boolean {
  return Number.isInteger(value) && value >= -int64Limit && value < int64Limit;
}

function isList(value: object): value is readonly Value[] {
  return Array.isArray(value);
}

function delimitedSize(size: number): number {
  return 1 + varintSize(size) + size;
}

const shortText = 32;

/** Bytes of a text in UTF-8. */
export function textSize(value: string): number {
  if (value.length > shortText) return Buffer.byteLength(value);
  for (let index = 0; index < value.length; index++) if (value.charCodeAt(index) > 127) return Buffer.byteLength(value);
  return value.length;
}

/** Writes a length-delimited field of text and returns the position behind it. */
export function writeText(bytes: Buffer, at: number, tag: number, value: string): number {
  const size = textSize(value);
  bytes[at] = tag;
  const start = writeVarint(bytes, at + 1, size);
  if (size === value.length && size <= shortText) {
    for (let index = 0; index < size; index++) bytes[start + index] = value.charCodeAt(index);
  } else {
    bytes.write(value, start, size, "utf8");
  }
  return start + size;
}

function writeInt(bytes: Buffer, at: number, value: number | bigint): number {
  if (typeof value === "bigint" && BigInt.asIntN(64, value) !== value) {
    throw new RangeError(`integer attribute ${value} does not fit into 64 bits`);
  }
  bytes[at] = valueTag.int;
  return writeInt64(bytes, at + 1, value);
}

function writeDouble(bytes: Buffer, at: number, value: number): number {
  bytes[at] = valueTag.double;
  return bytes.writeDoubleLE(value, at + 1);
}

function writeBytes(bytes: Buffer, at: number, value: Buffer): number {
  bytes[at] = valueTag.bytes;
  const start = writeVarint(bytes, at + 1, value.length);
  value.copy(bytes, start);
  return start + value.length;
}

function listSize(values: readonly Value[]): number {
  let size = 0;
  for (const value of values) size += delimitedSize(valueSize(value));
  return size;
}

function writeList(bytes: Buffer, at: number, values: readonly Value[]): number {
  bytes[at] = valueTag.array;
  let position = writeVarint(bytes, at + 1, listSize(values));
  for (const value of values) {
    bytes[position] = 0x0a;
    position = writeVarint(bytes, position + 1, valueSize(value));
    position = writeValue(bytes, position, value);
  }
  return position;
}

function entrySize(key: string, value: Value): number {
  return (key === "" ? 0 : delimitedSize(textSize(key))) + delimitedSize(valueSize(value));
}

function mapSize(values: { readonly [key: string]: Value }): number {
  let size = 0;
  for (const [key, value] of Object.entries(values)) size += delimitedSize(entrySize(key, value));
  return size;
}

function writeMap(bytes: Buffer, at: number, values: { readonly [key: string]: Value }): number {
  bytes[at] = valueTag.map;
  let position = writeVarint(bytes, at + 1, mapSize(values));
  for (const [key, value] of Object.entries(values)) {
    bytes[position] = 0x0a;
    position = writeVarint(bytes, position + 1, entrySize(key, value));
    if (key !== "") position = writeText(bytes, position, 0x0a, key);
    bytes[position] = 0x12;
    position = writeVarint(bytes, position + 1, valueSize(value));
    position = writeValue(bytes, position, value);
  }
  return position;
}
