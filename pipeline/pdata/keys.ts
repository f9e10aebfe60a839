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
  readonly fieldView: DataView;
  /** Bytes of the name. */
  readonly size: number;

  constructor(name: string, group: KeyGroup, slot: number) {
    this.name = name;
    this.group = group;
    this.slot = slot;
    this.field = keyField(name);
    this.size = Buffer.byteLength(name);
    this.fieldView = new DataView(this.field.buffer, this.field.byteOffset, this.field.length);
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
/** Of the first four bytes of an attribute field: the length and the key's size below 128, the key's tag between. */
const usualMask = 0x80ff8000 | 0;
const usualHead = 0x000a0000;

/**
 * Keys that are looked up together: the first read of any of them finds all of them in one walk over the attributes,
 * and the next reads from the same owner find the positions kept here.
 */
export class KeyGroup {
  readonly #names: readonly Buffer[];
  /** By size in bytes below 128: the first slot of that size and the one behind the last, in 16 bits each. */
  readonly #buckets = new Int32Array(longKey);
  /**
   * Key bytes as doubles, which compare eight bytes at once: the key's last eight first, then all from the first on.
   * Of seven bytes the size before them is the eighth; fewer are one number. Sound for keys of graphic ASCII: none of
   * their doubles is zero or not a number.
   */
  readonly #words: Float64Array;
  readonly #wordStarts: Int32Array;
  /** What the head of a usual attribute is; something no head is when a key is not graphic ASCII. */
  readonly #usualHead: number;
  /** Per slot, where the value of the key stands (see `locate`). */
  readonly positions: Int32Array;
  /** Per slot, where the whole attribute begins; known after a complete walk, when the position is not `absent`. */
  readonly attributes: Int32Array;
  /** Whether the last walk was a complete one: only then are duplicates and `attributes` known. */
  isComplete = false;
  /** Whether a key of the group was there twice. */
  hasDuplicates = false;
  chunkId = -1;
  from = -1;

  /** `names`: distinct, in ascending order of their size in bytes; a name's index is its slot. */
  constructor(names: readonly Buffer[]) {
    this.#names = names;
    this.positions = new Int32Array(names.length);
    this.attributes = new Int32Array(names.length);
    for (const [slot, { length }] of names.entries()) {
      if (length >= longKey) continue;
      const first = this.#buckets[length] === 0 ? slot : this.#buckets[length]! >>> 16;
      this.#buckets[length] = (first << 16) | (slot + 1);
    }
    const words = names.map(wordsOf);
    this.#words = Float64Array.from(words.flat());
    this.#usualHead = names.every(isGraphic) ? usualHead : -1;
    let start = 0;
    this.#wordStarts = Int32Array.from(words, (list) => {
      start += list.length;
      return start - list.length;
    });
  }

  /**
   * Finds every key of the group among the attributes `[from, to)`; of equal keys the first counts. Unless the walk
   * is to be complete it ends with the last key found.
   */
  resolve(chunk: Chunk, from: number, to: number, isComplete: boolean): void {
    const { bytes, view } = chunk;
    const { positions, attributes } = this;
    const buckets = this.#buckets;
    const words = this.#words;
    const wordStarts = this.#wordStarts;
    const usual = this.#usualHead;
    for (let slot = 0; slot < positions.length; slot++) positions[slot] = absent;
    this.chunkId = chunk.id;
    this.from = from;
    this.hasDuplicates = false;
    let missing = isComplete ? -1 : positions.length;
    let at = from;
    while (at < to && missing !== 0) {
      // Tag, length, the key's tag, its size: most attributes have one byte of each.
      const head = at + 4 <= to ? view.getInt32(at, true) : 0;
      const length = (head >>> 8) & 127;
      const size = head >>> 24;
      if ((head & usualMask) !== usual || size + 2 > length) {
        missing -= this.#matchUnusual(bytes, at);
        at = afterLength(bytes, at + 1);
        continue;
      }
      const bucket = buckets[size]!;
      if (bucket !== 0) {
        // Written out here: a call for each attribute of a fitting size would cost as much as the comparison.
        const key = at + 4;
        const stop = key + size - 8;
        const ending = size < 7 ? shortWord(bytes, key, size) : view.getFloat64(stop, true);
        const last = bucket & 0xffff;
        for (let slot = bucket >>> 16; slot < last; slot++) {
          let word = wordStarts[slot]!;
          if (words[word] !== ending) continue;
          let position = key;
          while (position < stop && words[word + 1] === view.getFloat64(position, true)) {
            position += 8;
            word += 1;
          }
          if (position < stop) continue;
          if (positions[slot] !== absent) {
            this.hasDuplicates = true;
          } else {
            const value = key + size;
            positions[slot] = value < at + 2 + length && bytes[value] === 0x12 ? value + 1 : valueless;
            if (isComplete) attributes[slot] = at;
            missing -= 1;
          }
          break;
        }
      }
      at += 2 + length;
    }
    this.isComplete = isComplete;
  }

  /** Attributes with the empty key or none, and those that are long. */
  #matchUnusual(bytes: Buffer, at: number): number {
    const body = afterVarint(bytes, at + 1);
    const end = afterLength(bytes, at + 1);
    if (body === end || bytes[body] !== 0x0a) {
      return this.#names[0]?.length === 0 ? this.#found(0, at, bytes, body, end) : 0;
    }
    const from = afterVarint(bytes, body + 1);
    const to = afterLength(bytes, body + 1);
    const slot = this.#names.findIndex((name) => bytes.compare(name, 0, name.length, from, to) === 0);
    return slot < 0 ? 0 : this.#found(slot, at, bytes, to, end);
  }

  #found(slot: number, attribute: number, bytes: Buffer, at: number, end: number): number {
    if (this.positions[slot] !== absent) {
      this.hasDuplicates = true;
      return 0;
    }
    this.attributes[slot] = attribute;
    this.positions[slot] = at < end && bytes[at] === 0x12 ? at + 1 : valueless;
    return 1;
  }
}

/** Fewer than seven bytes as one number, exact. */
function shortWord(bytes: Buffer, at: number, size: number): number {
  let word = 0;
  for (let index = 0; index < size; index++) word = word * 256 + bytes[at + index]!;
  return word;
}

function wordsOf(name: Buffer): number[] {
  if (name.length < 7) return [shortWord(name, 0, name.length)];
  if (name.length === 7) return [Buffer.from([7, ...name]).readDoubleLE()];
  const words = [name.readDoubleLE(name.length - 8)];
  for (let at = 0; at < name.length - 8; at += 8) words.push(name.readDoubleLE(at));
  return words;
}

function isGraphic(name: Buffer): boolean {
  return name.every((byte) => byte > 0x20 && byte < 0x7f);
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
  if (group.from !== from || group.chunkId !== chunk.id) group.resolve(chunk, from, to, false);
  return group.positions[slot]!;
}

/** The same for an edit, which also has to know whether the key is there twice. */
export function locateForEdit(chunk: Chunk, from: number, to: number, key: CompiledKey): number {
  const { group, slot } = key;
  if (group.from !== from || group.chunkId !== chunk.id || !group.isComplete) group.resolve(chunk, from, to, true);
  return group.positions[slot]!;
}
