import { join, readInt64, readInt64Rounded } from "./number64.ts";
import { decodeUtf8, readText } from "./strings.ts";
import { afterField, afterLength, afterVarint } from "./wire.ts";

/**
 * What an attribute or a log body holds. A number is an int64 when it is integral and in range, else a double; a bigint
 * an int64 outside the safe integers; null an empty value. Buffers that are read are copies.
 */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | Buffer
  | readonly Value[]
  | { readonly [key: string]: Value }
  | null;

/** A number to be written as a double although it is integral. */
export class DoubleValue {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

/** Makes `value` a double on the wire even when it is integral. */
export function double(value: number): DoubleValue {
  return new DoubleValue(value);
}

/** The first bytes of an `AnyValue`: tag of the member it holds. */
export const valueTag = {
  string: 0x0a,
  bool: 0x10,
  int: 0x18,
  double: 0x21,
  array: 0x2a,
  map: 0x32,
  bytes: 0x3a,
} as const;

// Local, because V8 loads a constant that is exported or imported each time.
const tag = valueTag;

/** Reads the `AnyValue` whose length stands at `lengthAt`. */
export function readValue(bytes: Buffer, view: DataView, lengthAt: number): Value {
  const end = afterLength(bytes, lengthAt);
  const at = afterVarint(bytes, lengthAt);
  if (at === end) return null;
  switch (bytes[at]) {
    case tag.string:
      return readText(bytes, view, afterVarint(bytes, at + 1), afterLength(bytes, at + 1));
    case tag.bool:
      return readBool(bytes, at + 1);
    case tag.int:
      return readInt64(bytes, at + 1);
    case tag.double:
      return view.getFloat64(at + 1, true);
    case tag.bytes:
      return Buffer.from(bytes.subarray(afterVarint(bytes, at + 1), afterLength(bytes, at + 1)));
    case tag.array:
      return readArray(bytes, view, at + 1);
    case tag.map:
      return readMap(bytes, view, at + 1);
    default:
      return null;
  }
}

function readBool(bytes: Buffer, at: number): boolean {
  for (let position = at; ; position += 1) {
    if ((bytes[position]! & 127) !== 0) return true;
    if (bytes[position]! < 128) return false;
  }
}

function readArray(bytes: Buffer, view: DataView, lengthAt: number): Value[] {
  const values: Value[] = [];
  const end = afterLength(bytes, lengthAt);
  for (let at = afterVarint(bytes, lengthAt); at < end; at = afterField(bytes, at)) {
    if (bytes[at] === 0x0a) values.push(readValue(bytes, view, at + 1));
  }
  return values;
}

function readMap(bytes: Buffer, view: DataView, lengthAt: number): { [key: string]: Value } {
  const entries: [string, Value][] = [];
  const end = afterLength(bytes, lengthAt);
  for (let at = afterVarint(bytes, lengthAt); at < end; at = afterField(bytes, at)) {
    if (bytes[at] === 0x0a) entries.push(readKeyValue(bytes, view, at + 1));
  }
  return Object.fromEntries(entries);
}

/** Reads the `KeyValue` whose length stands at `lengthAt`. */
export function readKeyValue(bytes: Buffer, view: DataView, lengthAt: number): [key: string, value: Value] {
  const end = afterLength(bytes, lengthAt);
  let at = afterVarint(bytes, lengthAt);
  let key = "";
  if (at < end && bytes[at] === 0x0a) {
    key = decodeUtf8(bytes, afterVarint(bytes, at + 1), afterLength(bytes, at + 1));
    at = afterLength(bytes, at + 1);
  }
  return [key, at < end && bytes[at] === 0x12 ? readValue(bytes, view, at + 1) : null];
}

/** The text of the `AnyValue` whose length stands at `lengthAt`, when it is a string. */
export function readString(bytes: Buffer, view: DataView, lengthAt: number): string | undefined {
  const length = bytes[lengthAt]!;
  if (length === 0) return undefined;
  if (length > 127) return readLongString(bytes, lengthAt);
  if (bytes[lengthAt + 1] !== tag.string) return undefined;
  return readText(bytes, view, lengthAt + 3, lengthAt + 3 + bytes[lengthAt + 2]!);
}

function readLongString(bytes: Buffer, lengthAt: number): string | undefined {
  const at = afterVarint(bytes, lengthAt);
  if (bytes[at] !== tag.string) return undefined;
  return decodeUtf8(bytes, afterVarint(bytes, at + 1), afterLength(bytes, at + 1));
}

/** The number in the `AnyValue` whose length stands at `lengthAt`, int or double, rounded past 2^53. */
export function readNumber(bytes: Buffer, view: DataView, lengthAt: number): number | undefined {
  const length = bytes[lengthAt]!;
  if (length === 0) return undefined;
  const at = length < 128 ? lengthAt + 1 : afterVarint(bytes, lengthAt);
  if (bytes[at] === tag.int) return readInt64Rounded(bytes, at + 1);
  return bytes[at] === tag.double ? view.getFloat64(at + 1, true) : undefined;
}

/** The integer in the `AnyValue` whose length stands at `lengthAt`; undefined for a double. */
export function readInt(bytes: Buffer, lengthAt: number): number | bigint | undefined {
  const at = afterVarint(bytes, lengthAt);
  return bytes[lengthAt] !== 0 && bytes[at] === tag.int ? readInt64(bytes, at + 1) : undefined;
}

/** The `sfixed64` at `at`. */
export function readSigned64(view: DataView, at: number): number | bigint {
  return join(view.getUint32(at, true), view.getInt32(at + 4, true));
}
