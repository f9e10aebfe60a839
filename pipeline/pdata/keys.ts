import type { Chunk } from "./chunk.ts";
import { afterLength, afterVarint, varintSize, writeVarint } from "./wire.ts";

/** A compiled attribute key. Made by `attributeKeys`, in groups. */
export interface Key {
  readonly name: string;
}

/** The only implementation of `Key`: its place in the group, and its encoded form. */
export class CompiledKey implements Key {
  readonly name: string;
  readonly group: KeyGroup;
  readonly slot: number;
  /** `0x0a length key`, as a `KeyValue` begins; empty for the empty key, as proto3 writes it. */
  readonly field: Buffer;

  constructor(name: string, group: KeyGroup, slot: number) {
    this.name = name;
    this.group = group;
    this.slot = slot;
    this.field = keyField(name);
  }
}

function keyField(name: string): Buffer {
  const text = Buffer.from(name);
  if (text.length === 0) return text;
  const head = Buffer.alloc(1 + varintSize(text.length), 0x0a);
  writeVarint(head, 1, text.length);
  return Buffer.concat([head, text]);
}

/** What a key's position says: absent; there without a value; else the position of its value's length. */
export const absent = 0;
export const valueless = -1;

const longKey = 128;

/**
 * Keys that are looked up together: the first read of any of them finds all of them in one walk over the attributes,
 * and the next reads from the same owner find the positions kept here.
 */
export class KeyGroup {
  readonly #names: readonly Buffer[];
  readonly #starts = new Int32Array(longKey + 1);
  readonly #hasLong: boolean;
  /** Key bytes as little-endian words, the last word being the key's last four bytes; by slot. */
  readonly #words: Int32Array;
  readonly #wordStarts: Int32Array;
  /** Per slot, where the value of the key stands (see `locate`). */
  readonly positions: Int32Array;
  /** Per slot, where the whole attribute begins; valid when the position is not `absent`. */
  readonly attributes: Int32Array;
  /** Whether a key of the group was there twice. */
  hasDuplicates = false;
  chunkId = -1;
  from = -1;

  /** `names`: distinct, in ascending order of their size in bytes; a name's index is its slot. */
  constructor(names: readonly Buffer[]) {
    this.#names = names;
    this.positions = new Int32Array(names.length);
    this.attributes = new Int32Array(names.length);
    this.#hasLong = names.some((name) => name.length >= longKey);
    for (let size = 0; size <= longKey; size++) {
      const index = names.findIndex((name) => name.length >= size);
      this.#starts[size] = index < 0 ? names.length : index;
    }
    const words = names.map(wordsOf);
    this.#words = Int32Array.from(words.flat());
    let start = 0;
    this.#wordStarts = Int32Array.from(words, (list) => {
      start += list.length;
      return start - list.length;
    });
  }

  /** Finds every key of the group among the attributes `[from, to)`; of equal keys the first counts. */
  resolve(chunk: Chunk, from: number, to: number): void {
    const { bytes, view } = chunk;
    const positions = this.positions;
    const starts = this.#starts;
    for (let slot = 0; slot < positions.length; slot++) positions[slot] = absent;
    this.chunkId = chunk.id;
    this.from = from;
    this.hasDuplicates = false;
    let at = from;
    while (at < to) {
      const start = at;
      let body = at + 2;
      const length = bytes[at + 1]!;
      let end = body + length;
      if (length > 127) {
        body = afterVarint(bytes, at + 1);
        end = afterLength(bytes, at + 1);
      }
      at = end;
      if (body === end || bytes[body] !== 0x0a) {
        if (starts[0] !== starts[1]) this.#found(starts[0]!, start, bytes, body, end);
        continue;
      }
      const size = bytes[body + 1]!;
      if (size > 127) {
        if (this.#hasLong) this.#matchLong(start, bytes, body, end);
        continue;
      }
      const last = starts[size + 1]!;
      for (let slot = starts[size]!; slot < last; slot++) {
        if (this.#equals(slot, bytes, view, body + 2, size)) this.#found(slot, start, bytes, body + 2 + size, end);
      }
    }
  }

  #equals(slot: number, bytes: Buffer, view: DataView, at: number, size: number): boolean {
    const words = this.#words;
    let word = this.#wordStarts[slot]!;
    if (size < 4) return words[word] === shortWord(bytes, at, size);
    const stop = at + size - 4;
    if (words[word] !== view.getInt32(stop, true)) return false;
    for (let position = at; position < stop; position += 4) {
      word += 1;
      if (words[word] !== view.getInt32(position, true)) return false;
    }
    return true;
  }

  #found(slot: number, attribute: number, bytes: Buffer, at: number, end: number): void {
    if (this.positions[slot] !== absent) {
      this.hasDuplicates = true;
      return;
    }
    this.attributes[slot] = attribute;
    this.positions[slot] = at < end && bytes[at] === 0x12 ? at + 1 : valueless;
  }

  #matchLong(attribute: number, bytes: Buffer, body: number, end: number): void {
    const from = afterVarint(bytes, body + 1);
    const to = afterLength(bytes, body + 1);
    for (let slot = this.#starts[longKey]!; slot < this.#names.length; slot++) {
      if (bytes.compare(this.#names[slot]!, 0, this.#names[slot]!.length, from, to) === 0) {
        this.#found(slot, attribute, bytes, to, end);
      }
    }
  }
}

function shortWord(bytes: Buffer, at: number, size: number): number {
  let word = 0;
  for (let index = 0; index < size; index++) word |= bytes[at + index]! << (8 * index);
  return word;
}

function wordsOf(name: Buffer): number[] {
  if (name.length < 4) return [shortWord(name, 0, name.length)];
  const words = [name.readInt32LE(name.length - 4)];
  for (let at = 0; at < name.length - 4; at += 4) words.push(name.readInt32LE(at));
  return words;
}

/**
 * Compiles the attribute keys that a component reads together, as one group: reading one of them costs about as much
 * as reading all. `names` maps what the code calls a key to what the wire does.
 */
export function attributeKeys<const K extends Readonly<Record<string, string>>>(
  names: K,
): { readonly [N in keyof K]: Key } {
  const distinct = [...new Set(Object.values(names))];
  const sorted = distinct.map((name) => ({ name, bytes: Buffer.from(name) }));
  sorted.sort((a, b) => a.bytes.length - b.bytes.length);
  const group = new KeyGroup(sorted.map(({ bytes }) => bytes));
  const byName = new Map(sorted.map(({ name }, slot) => [name, new CompiledKey(name, group, slot)]));
  const entries = Object.entries(names).map(([property, name]) => [property, byName.get(name)]);
  return Object.fromEntries(entries) as { readonly [N in keyof K]: Key };
}

/** Where the key's value stands among the attributes `[from, to)`: `absent`, `valueless` or its length's position. */
export function locate(chunk: Chunk, from: number, to: number, key: Key): number {
  const { group, slot } = key as CompiledKey;
  if (group.from !== from || group.chunkId !== chunk.id) group.resolve(chunk, from, to);
  return group.positions[slot]!;
}
