import { copyBytes } from "./arena.ts";
import type { Attributes } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { absent, type CompiledKey, type Key, locateForEdit } from "./keys.ts";
import type { Splices } from "./splices.ts";
import type { DoubleValue, Value } from "./value.ts";
import { valueSize, writeValue } from "./value_writer.ts";
import { afterLength, afterVarint, varintSize, writeVarint } from "./wire.ts";

/** A key and its value, encoded once. */
export interface Attribute {
  readonly key: Key;
}

class CompiledAttribute implements Attribute {
  readonly key: CompiledKey;
  /** The whole field, with a tag of 0 to be replaced by the owner's. */
  readonly field: Buffer;
  readonly view: DataView;
  /** Where the value's field begins. */
  readonly valueAt: number;
  constructor(key: CompiledKey, field: Buffer, valueAt: number) {
    this.key = key;
    this.field = field;
    this.view = new DataView(field.buffer, field.byteOffset, field.length);
    this.valueAt = valueAt;
  }
}

/** Encodes an attribute that is set again and again: `span.set(production)`. */
export function attribute(key: Key, value: Value | DoubleValue): Attribute {
  const compiled = key as CompiledKey;
  const size = valueSize(value);
  const inner = compiled.field.length + 1 + varintSize(size) + size;
  const field = Buffer.alloc(1 + varintSize(inner) + inner);
  const keyAt = writeVarint(field, 1, inner);
  compiled.field.copy(field, keyAt);
  const valueAt = keyAt + compiled.field.length;
  field[valueAt] = 0x12;
  writeValue(field, writeVarint(field, valueAt + 1, size), value);
  return new CompiledAttribute(compiled, field, valueAt);
}

/** Changes to attributes. They build on each other; reads go on to see the attributes as they arrived. */
export interface AttributesEditor extends Attributes {
  set(attribute: Attribute): void;
  /** Replaces the value in place, or adds the attribute behind the others. */
  set(key: Key, value: Value | DoubleValue): void;
  /** Gives the attribute another key, in place of an attribute that had it. Nothing when `key` is missing. */
  rename(key: Key, to: Key): void;
  delete(key: Key): void;
}

/** What becomes of one attribute. */
interface Entry {
  /** `[at, end)` in the chunk; `at` is 0 for an added one. */
  at: number;
  end: number;
  /** Undefined when it goes. */
  key: CompiledKey | undefined;
  /** The new attribute field in the arena. */
  piece: number;
  size: number;
}

/** A field of the owner, `[at, end)` in the chunk or 0 to add it, and its new piece in the arena. */
interface FieldEdit {
  readonly at: number;
  readonly end: number;
  readonly tag: number;
  readonly piece: number;
  readonly size: number;
}

/**
 * Collects the changes to one owner of attributes, a message in the chunk, and turns them into splices. Reused from
 * owner to owner.
 */
export class AttributeEdits {
  chunk: Chunk;
  readonly splices: Splices;
  /** The owner's payload; both 0 when the message is not there and has to be made. */
  start = 0;
  end = 0;
  /** The attributes' range and their tag. */
  from = 0;
  to = 0;
  tag = 0;
  readonly #entries: Entry[] = [];
  #count = 0;
  /** Fields of the owner that are replaced. */
  readonly #fields: FieldEdit[] = [];
  #fieldCount = 0;

  constructor(chunk: Chunk, splices: Splices) {
    this.chunk = chunk;
    this.splices = splices;
  }

  /** Turns to another owner; the changes to the last one must have been flushed. */
  open(start: number, end: number, from: number, to: number, tag: number): void {
    this.start = start;
    this.end = end;
    this.from = from;
    this.to = to;
    this.tag = tag;
  }

  get isEmpty(): boolean {
    return this.#count === 0 && this.#fieldCount === 0;
  }

  /** Forgets the changes. */
  discard(): void {
    this.#count = 0;
    this.#fieldCount = 0;
  }

  set(keyOrAttribute: Key | Attribute, value?: Value | DoubleValue): void {
    if (keyOrAttribute instanceof CompiledAttribute) {
      this.#setCompiled(keyOrAttribute);
    } else if (value !== undefined) {
      const size = valueSize(value);
      const entry = this.#claim(keyOrAttribute as CompiledKey);
      // In this order: making room may replace the arena's bytes.
      const at = this.#begin(entry, 1 + varintSize(size) + size);
      const { bytes } = this.splices.arena;
      bytes[at] = 0x12;
      writeValue(bytes, writeVarint(bytes, at + 1, size), value);
    }
  }

  #setCompiled({ key, field, view, valueAt }: CompiledAttribute): void {
    const entry = this.#claim(key);
    const { arena } = this.splices;
    if (entry.at === 0 && entry.size === 0) {
      entry.size = field.length;
      entry.piece = arena.reserve(field.length);
      copyBytes(field, view, 0, arena.bytes, arena.view, entry.piece, field.length);
      arena.bytes[entry.piece] = this.tag;
      return;
    }
    const at = this.#begin(entry, field.length - valueAt);
    copyBytes(field, view, valueAt, arena.bytes, arena.view, at, field.length - valueAt);
  }

  delete(key: Key): void {
    const entry = this.#find(key as CompiledKey);
    if (entry !== undefined) entry.key = undefined;
  }

  rename(key: Key, to: Key): void {
    if (key.name === to.name) return;
    const entry = this.#find(key as CompiledKey);
    if (entry === undefined) return;
    this.delete(to);
    const { arena } = this.splices;
    const isNew = entry.size > 0;
    const source = isNew ? arena.bytes : this.chunk.bytes;
    const at = isNew ? entry.piece : entry.at;
    const rest = afterKey(source, at);
    const restSize = afterLength(source, at + 1) - rest;
    const position = this.#reserve(entry, to as CompiledKey, restSize);
    const { bytes, view } = arena;
    if (isNew) bytes.copyWithin(position, rest, rest + restSize);
    else copyBytes(source, this.chunk.view, rest, bytes, view, position, restSize);
  }

  /** Replaces the owner's field `[at, end)` by a piece of the arena; `at` 0 adds it. A later piece for it wins. */
  replaceField(at: number, end: number, piece: number, size: number, tag: number): void {
    const found = this.#fields.findIndex((field, index) => index < this.#fieldCount && field.tag === tag);
    const index = found < 0 ? this.#fieldCount : found;
    this.#fields[index] = { at, end, tag, piece, size };
    if (found < 0) this.#fieldCount += 1;
  }

  /** Adds the splices of all changes, unsorted, and forgets the changes. */
  flush(): void {
    const { splices } = this;
    const addAt = this.to === 0 ? this.end : this.to;
    for (let index = 0; index < this.#count; index++) {
      const { at, end, key, piece, size } = this.#entries[index]!;
      if (key === undefined) {
        if (at !== 0) splices.add(at, end - at, 0, 0);
      } else if (at === 0) splices.add(addAt, 0, piece, size);
      else if (!this.#isSame(at, end, piece, size)) splices.add(at, end - at, piece, size);
    }
    for (let index = 0; index < this.#fieldCount; index++) {
      const { at, end, piece, size } = this.#fields[index]!;
      if (at !== 0) {
        if (!this.#isSame(at, end, piece, size)) splices.add(at, end - at, piece, size);
      } else if (size > 0) splices.add(this.end, 0, piece, size);
    }
    this.discard();
  }

  /** All that is added, as one message field with this tag in the arena: for an owner that was not there. */
  flushNew(tag: number): { piece: number; size: number } {
    const { arena } = this.splices;
    const parts: { piece: number; size: number }[] = [];
    for (const { piece, size } of this.#fields.slice(0, this.#fieldCount)) parts.push({ piece, size });
    for (let index = 0; index < this.#count; index++) {
      const entry = this.#entries[index]!;
      if (entry.key !== undefined) parts.push({ piece: entry.piece, size: entry.size });
    }
    this.discard();
    const inner = parts.reduce((sum, { size }) => sum + size, 0);
    if (inner === 0) return { piece: 0, size: 0 };
    const size = 1 + varintSize(inner) + inner;
    const piece = arena.reserve(size);
    arena.bytes[piece] = tag;
    let at = writeVarint(arena.bytes, piece + 1, inner);
    for (const part of parts) {
      arena.bytes.copyWithin(at, part.piece, part.piece + part.size);
      at += part.size;
    }
    return { piece, size };
  }

  /** The live entry of a key, made for an attribute of the chunk when there is none yet; undefined when missing. */
  #find(key: CompiledKey): Entry | undefined {
    for (let index = 0; index < this.#count; index++) {
      const entry = this.#entries[index]!;
      if (entry.key === key || entry.key?.name === key.name) return entry;
    }
    if (locateForEdit(this.chunk, this.from, this.to, key) === absent) return undefined;
    const at = key.group.attributes[key.slot]!;
    if (this.#isTouched(at)) return undefined;
    const entry = this.#add(at, afterLength(this.chunk.bytes, at + 1), key);
    if (key.group.hasDuplicates) this.#dropDuplicates(key, entry.end);
    return entry;
  }

  #claim(key: CompiledKey): Entry {
    return this.#find(key) ?? this.#add(0, 0, key);
  }

  #isTouched(at: number): boolean {
    for (let index = 0; index < this.#count; index++) if (this.#entries[index]!.at === at) return true;
    return false;
  }

  #add(at: number, end: number, key: CompiledKey): Entry {
    const index = this.#count;
    this.#count += 1;
    const reused = this.#entries[index];
    if (reused === undefined) {
      const entry: Entry = { at, end, key, piece: 0, size: 0 };
      this.#entries.push(entry);
      return entry;
    }
    reused.at = at;
    reused.end = end;
    reused.key = key;
    reused.piece = 0;
    reused.size = 0;
    return reused;
  }

  /** Equal keys are invalid in OTLP; an edit of one leaves no other behind. */
  #dropDuplicates(key: CompiledKey, from: number): void {
    const { bytes } = this.chunk;
    for (let at = from; at < this.to; at = afterLength(bytes, at + 1)) {
      // The empty key may be there as an empty field, or not at all.
      const start = afterVarint(bytes, at + 1);
      const keyTo = afterKey(bytes, at);
      const keyFrom = keyTo === start ? start : afterVarint(bytes, start + 1);
      const { field, size } = key;
      if (bytes.compare(field, field.length - size, field.length, keyFrom, keyTo) !== 0) continue;
      if (!this.#isTouched(at)) this.#add(at, afterLength(bytes, at + 1), key).key = undefined;
    }
  }

  /**
   * Writes a new piece for the entry, without the value's field, of `size` bytes, whose place is returned. What
   * followed the old value follows the new one.
   */
  #begin(entry: Entry, size: number): number {
    const isNew = entry.size > 0;
    if (!isNew && entry.at === 0) return this.#reserve(entry, entry.key!, size);
    const source = isNew ? this.splices.arena.bytes : this.chunk.bytes;
    const at = isNew ? entry.piece : entry.at;
    const end = afterLength(source, at + 1);
    let tail = afterKey(source, at);
    if (tail < end && source[tail] === 0x12) tail = afterLength(source, tail + 1);
    const tailSize = end - tail;
    const value = this.#reserve(entry, entry.key!, size + tailSize);
    if (tailSize > 0) {
      const { bytes, view } = this.splices.arena;
      if (isNew) bytes.copyWithin(value + size, tail, tail + tailSize);
      else copyBytes(source, this.chunk.view, tail, bytes, view, value + size, tailSize);
    }
    return value;
  }

  /** Starts a new piece for the entry: tag, length and key, and room for `rest` bytes, whose place is returned. */
  #reserve(entry: Entry, key: CompiledKey, rest: number): number {
    const { arena } = this.splices;
    const inner = key.field.length + rest;
    const size = 1 + varintSize(inner) + inner;
    const piece = arena.reserve(size);
    const { bytes, view } = arena;
    bytes[piece] = this.tag;
    const at = writeVarint(bytes, piece + 1, inner);
    copyBytes(key.field, key.fieldView, 0, bytes, view, at, key.field.length);
    entry.key = key;
    entry.piece = piece;
    entry.size = size;
    return at + key.field.length;
  }

  #isSame(at: number, end: number, piece: number, size: number): boolean {
    if (end - at !== size) return false;
    return this.chunk.bytes.compare(this.splices.arena.bytes, piece, piece + size, at, end) === 0;
  }
}

/** Position behind the key of the attribute field at `at`. */
function afterKey(bytes: Buffer, at: number): number {
  const start = afterVarint(bytes, at + 1);
  return start < afterLength(bytes, at + 1) && bytes[start] === 0x0a ? afterLength(bytes, start + 1) : start;
}
