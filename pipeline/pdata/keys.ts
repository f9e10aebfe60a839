import type { Chunk } from "./chunk.ts";
import { itemColumn } from "./rows.ts";
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

// V8 folds a constant of the module, but loads one that is exported or imported each time.
const nowhere = absent;
const noValue = valueless;
const fromColumn = itemColumn.attributesFrom;
const toColumn = itemColumn.attributesTo;

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
  /**
   * One flat table, so that the walk has one array at hand. First, by size in bytes below 128, where the keys of that
   * size begin in it: 0 for none, -1 for keys of fewer than four bytes, which are not there. There: the first slot of
   * that size and the one behind the last, then each key's words: its last four bytes, which most differ in, then all
   * from the first on, four at a time.
   */
  readonly #table: Int32Array;
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
    this.#table = tableOf(names);
  }

  /**
   * Finds every key of the group among the attributes `[from, to)`; of equal keys the first counts. Unless the walk
   * is to be complete it ends with the last key found.
   */
  resolve(chunk: Chunk, from: number, to: number, isComplete: boolean): void {
    const { view } = chunk;
    const { positions } = this;
    const table = this.#table;
    let missing = positions.length;
    for (let slot = 0; slot < missing; slot++) positions[slot] = nowhere;
    this.chunkId = chunk.id;
    this.from = from;
    this.hasDuplicates = false;
    this.isComplete = isComplete;
    if (isComplete) missing = -1;
    let at = from;
    // Where four bytes can still be loaded.
    const last = to - 4;
    while (at <= last) {
      // Tag, length, the key's tag, its size: most attributes have one byte of each.
      const head = view.getInt32(at, true);
      const length = (head >>> 8) & 127;
      const size = head >>> 24;
      if ((head & usualMask) !== usualHead || size + 2 > length) {
        missing -= this.#matchUnusual(chunk.bytes, at);
        if (missing === 0) return;
        at = afterLength(chunk.bytes, at + 1);
        continue;
      }
      const run = table[size]!;
      if (run !== 0) {
        if (run < 0) {
          missing -= this.#matchUnusual(chunk.bytes, at);
          if (missing === 0) return;
          at += 2 + length;
          continue;
        }
        // Written out here: a call for each attribute of a fitting size would cost as much as the comparison.
        const ending = at + size;
        const lastWord = view.getInt32(ending, true);
        const stop = table[run + 1]!;
        let words = run + 2;
        for (let slot = table[run]!; slot < stop; slot++) {
          if (table[words] === lastWord) {
            let word = words + 1;
            let position = at + 4;
            while (position < ending && table[word] === view.getInt32(position, true)) {
              position += 4;
              word += 1;
            }
            if (position >= ending) {
              if (positions[slot] !== nowhere) {
                this.hasDuplicates = true;
                break;
              }
              positions[slot] = size + 2 < length && view.getUint8(ending + 4) === 0x12 ? ending + 5 : noValue;
              if (isComplete) this.attributes[slot] = at;
              missing -= 1;
              if (missing === 0) return;
              break;
            }
          }
          words += (size + 3) >>> 2;
        }
      }
      at += 2 + length;
    }
    if (at < to) this.#matchUnusual(chunk.bytes, at);
  }

  /** Attributes with a key of fewer than four bytes or none, and those that are long. */
  #matchUnusual(bytes: Buffer, at: number): number {
    const body = afterVarint(bytes, at + 1);
    const isKeyed = body < afterLength(bytes, at + 1) && bytes[body] === 0x0a;
    const from = isKeyed ? afterVarint(bytes, body + 1) : body;
    const to = isKeyed ? afterLength(bytes, body + 1) : body;
    const slot = this.#names.findIndex(
      (name) => name.length === to - from && bytes.compare(name, 0, name.length, from, to) === 0,
    );
    if (slot < 0) return 0;
    if (this.positions[slot] !== absent) {
      this.hasDuplicates = true;
      return 0;
    }
    this.attributes[slot] = at;
    this.positions[slot] = to < afterLength(bytes, at + 1) && bytes[to] === 0x12 ? to + 1 : valueless;
    return 1;
  }
}

/** The flat table of a `KeyGroup`; see there. */
function tableOf(names: readonly Buffer[]): Int32Array {
  const table = Array.from({ length: longKey }, () => 0);
  for (const [slot, name] of names.entries()) {
    const { length } = name;
    if (length < 4) table[length] = -1;
    if (length < 4 || length >= longKey) continue;
    if (table[length] === 0) {
      table[length] = table.length;
      table.push(slot, slot);
    }
    table[table[length]! + 1] = slot + 1;
    table.push(name.readInt32LE(length - 4));
    for (let at = 0; at < length - 4; at += 4) table.push(name.readInt32LE(at));
  }
  return Int32Array.from(table);
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

/** The same among the attributes of an item, of any signal, whose row begins at the cell `row`. */
export function locateInRow(chunk: Chunk, items: Int32Array, row: number, key: Key): number {
  const { group, slot } = key as CompiledKey;
  const from = items[row + fromColumn]!;
  if (group.from !== from || group.chunkId !== chunk.id) {
    group.resolve(chunk, from, items[row + toColumn]!, false);
  }
  return group.positions[slot]!;
}

/** The same for an edit, which also has to know whether the key is there twice. */
export function locateForEdit(chunk: Chunk, from: number, to: number, key: CompiledKey): number {
  const { group, slot } = key;
  if (group.from !== from || group.chunkId !== chunk.id || !group.isComplete) group.resolve(chunk, from, to, true);
  return group.positions[slot]!;
}
