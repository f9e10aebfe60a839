import type { Chunk } from "./chunk.ts";
import { absent, type Key, locate, valueless } from "./keys.ts";
import { type Text, valueIs } from "./text.ts";
import { readInt, readKeyValue, readNumber, readString, readValue, type Value } from "./value.ts";
import { afterLength } from "./wire.ts";

// Local, because V8 loads a constant that is exported or imported each time.
const missing = absent;

/** The attributes of a span, record, data point, resource, scope, event or link. Of equal keys the first counts. */
export interface Attributes {
  has(key: Key): boolean;
  /** Whether the value is a string equal to the constant; much cheaper than reading it. */
  is(key: Key, constant: Text): boolean;
  /** The value when it is a string. */
  string(key: Key): string | undefined;
  /** The value when it is an int or a double; ints are rounded past 2^53. */
  number(key: Key): number | undefined;
  /** The value when it is an int, exact: a bigint outside the safe integers. */
  int(key: Key): number | bigint | undefined;
  /** The value, whatever it is; null when it is empty, undefined when the key is missing. */
  value(key: Key): Value | undefined;
  /** Every attribute in order. Decodes them all: for cold paths. */
  entries(): Iterable<readonly [key: string, value: Value]>;
}

/** These serve every owner of attributes; `at` is what `locate` says about the key. */
export function isValue(chunk: Chunk, at: number, constant: Text): boolean {
  return at > missing && valueIs(chunk, at, constant);
}

export function stringAt(chunk: Chunk, at: number): string | undefined {
  return at > missing ? readString(chunk.bytes, chunk.view, at) : undefined;
}

export function numberAt(chunk: Chunk, at: number): number | undefined {
  return at > missing ? readNumber(chunk.bytes, chunk.view, at) : undefined;
}

export function intAt(chunk: Chunk, at: number): number | bigint | undefined {
  return at > missing ? readInt(chunk.bytes, at) : undefined;
}

export function valueAt(chunk: Chunk, at: number): Value | undefined {
  if (at === valueless) return null;
  return at === absent ? undefined : readValue(chunk.bytes, chunk.view, at);
}

/** The attributes that lie side by side in `[from, to)`. */
export function* entriesOf(chunk: Chunk, from: number, to: number): Generator<readonly [string, Value]> {
  for (let at = from; at < to; at = afterLength(chunk.bytes, at + 1)) {
    yield readKeyValue(chunk.bytes, chunk.view, at + 1);
  }
}

/** Attributes anywhere in a chunk: what resources, scopes, events and links are read through. */
export class AttributeRange implements Attributes {
  chunk: Chunk;
  from = 0;
  to = 0;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
  }

  has(key: Key): boolean {
    return locate(this.chunk, this.from, this.to, key) !== absent;
  }
  is(key: Key, constant: Text): boolean {
    return isValue(this.chunk, locate(this.chunk, this.from, this.to, key), constant);
  }
  string(key: Key): string | undefined {
    return stringAt(this.chunk, locate(this.chunk, this.from, this.to, key));
  }
  number(key: Key): number | undefined {
    return numberAt(this.chunk, locate(this.chunk, this.from, this.to, key));
  }
  int(key: Key): number | bigint | undefined {
    return intAt(this.chunk, locate(this.chunk, this.from, this.to, key));
  }
  value(key: Key): Value | undefined {
    return valueAt(this.chunk, locate(this.chunk, this.from, this.to, key));
  }
  entries(): Iterable<readonly [key: string, value: Value]> {
    return entriesOf(this.chunk, this.from, this.to);
  }
}
