import { Arena, copyBytes } from "./arena.ts";
import { allocate } from "./buffers.ts";
import type { Chunk } from "./chunk.ts";
import { lengthBefore, varintSize, writeVarint } from "./wire.ts";

/** With a splice in at most so many bytes, moving is worth a copy of them all. */
const bytesPerMove = 400;
/** Fewer bytes are copied faster by words than moved. */
const leastMove = 64;

/**
 * Changes to a chunk as a list of splices in ascending order: at a position, so many bytes go and a piece of the arena
 * comes. They are gathered in one walk and applied at once, with minimal lengths: a message that may change is
 * entered, which leaves a placeholder for its length, and left again, which fills it or takes it back.
 */
export class Splices {
  readonly arena = new Arena();
  #at = new Int32Array(256);
  #removed = new Int32Array(256);
  #piece = new Int32Array(256);
  #size = new Int32Array(256);
  #delta = 0;
  count = 0;

  /** Forgets everything, for the next chunk. */
  clear(): void {
    this.count = 0;
    this.#delta = 0;
    this.arena.used = 0;
  }

  /** Replaces `removed` bytes at `at` by `size` bytes of the arena at `piece`. */
  add(at: number, removed: number, piece: number, size: number): void {
    const index = this.count;
    if (index === this.#at.length) this.#grow();
    this.#at[index] = at;
    this.#removed[index] = removed;
    this.#piece[index] = piece;
    this.#size[index] = size;
    this.#delta += size - removed;
    this.count = index + 1;
  }

  /** Removes `[from, to)`; neighbouring removals become one. */
  remove(from: number, to: number): void {
    const last = this.count - 1;
    if (last >= 0 && this.#size[last] === 0 && this.#removed[last]! > 0) {
      if (this.#at[last]! + this.#removed[last]! === from) {
        this.#removed[last]! += to - from;
        this.#delta -= to - from;
        return;
      }
    }
    this.add(from, to - from, 0, 0);
  }

  /** Removes a field with a one-byte tag whose payload is `[start, end)`. */
  removeField(start: number, end: number): void {
    this.remove(lengthBefore(start, end) - 1, end);
  }

  /** Enters the message with the payload `[start, end)`; returns the mark that `leave` and `undo` take. */
  enter(start: number, end: number): number {
    const mark = this.count;
    this.add(lengthBefore(start, end), 0, this.#delta, 0);
    return mark;
  }

  /** Leaves the message entered at `mark`, with the same payload. */
  leave(mark: number, start: number, end: number): void {
    if (this.count === mark + 1) {
      this.count = mark;
      return;
    }
    const change = this.#delta - this.#piece[mark]!;
    this.#piece[mark] = 0;
    if (change === 0) return;
    const size = varintSize(end - start + change);
    const piece = this.arena.reserve(size);
    writeVarint(this.arena.bytes, piece, end - start + change);
    this.#piece[mark] = piece;
    this.#size[mark] = size;
    this.#removed[mark] = varintSize(end - start);
    this.#delta += size - varintSize(end - start);
  }

  /** Takes back everything since `enter` returned `mark`, the entering included. */
  undo(mark: number): void {
    this.#delta = this.#piece[mark]!;
    this.count = mark;
  }

  /** Sorts the splices from `first` on by position; an insertion comes before a removal at the same place. */
  sort(first: number): void {
    for (let index = first + 1; index < this.count; index++) {
      let to = index;
      while (to > first && this.#isBefore(to, to - 1)) {
        this.#swap(to, to - 1);
        to -= 1;
      }
    }
  }

  /** The bytes of the chunk with all changes made. */
  apply(chunk: Chunk): Buffer {
    const { bytes, view } = chunk;
    const out = allocate(bytes.length + this.#delta);
    const outView = new DataView(out.buffer, out.byteOffset, out.byteLength);
    // With many splices all bytes are copied once and then moved, which takes half as long a piece as copying it.
    const lead = this.#lead();
    const isDense = this.count * bytesPerMove > bytes.length;
    const isMoved = isDense && lead + bytes.length <= out.buffer.byteLength;
    const room = isMoved ? Buffer.from(out.buffer) : out;
    if (isMoved) bytes.copy(room, lead);
    const { bytes: pieces, view: piecesView } = this.arena;
    const { count } = this;
    const ats = this.#at;
    const removed = this.#removed;
    const places = this.#piece;
    const sizes = this.#size;
    let from = 0;
    let to = 0;
    for (let index = 0; index < count; index++) {
      const kept = ats[index]! - from;
      if (isMoved && kept > leastMove) room.copyWithin(to, lead + from, lead + from + kept);
      else copyBytes(bytes, view, from, out, outView, to, kept);
      to += kept;
      from += kept + removed[index]!;
      const size = sizes[index]!;
      copyBytes(pieces, piecesView, places[index]!, out, outView, to, size);
      to += size;
    }
    copyBytes(bytes, view, from, out, outView, to, bytes.length - from);
    return out;
  }

  /** How far the result gets ahead of the bytes it is made from, at most: behind that nothing is overwritten too early. */
  #lead(): number {
    const removed = this.#removed;
    const sizes = this.#size;
    let ahead = 0;
    let most = 0;
    for (let index = 0; index < this.count; index++) {
      ahead += sizes[index]! - removed[index]!;
      if (ahead > most) most = ahead;
    }
    return most;
  }

  #isBefore(index: number, other: number): boolean {
    const distance = this.#at[index]! - this.#at[other]!;
    return distance < 0 || (distance === 0 && this.#removed[index] === 0 && this.#removed[other]! > 0);
  }

  #swap(index: number, other: number): void {
    swap(this.#at, index, other);
    swap(this.#removed, index, other);
    swap(this.#piece, index, other);
    swap(this.#size, index, other);
  }

  #grow(): void {
    const grow = (column: Int32Array) => {
      const grown = new Int32Array(column.length * 2);
      grown.set(column);
      return grown;
    };
    this.#at = grow(this.#at);
    this.#removed = grow(this.#removed);
    this.#piece = grow(this.#piece);
    this.#size = grow(this.#size);
  }
}

function swap(column: Int32Array, index: number, other: number): void {
  const value = column[index]!;
  column[index] = column[other]!;
  column[other] = value;
}

const idle: Splices[] = [];
const mostIdle = 4;

/** Lends a list of splices to `use`; its memory is kept for the next one. */
export function withSplices<T>(use: (splices: Splices) => T): T {
  const splices = idle.pop() ?? new Splices();
  splices.clear();
  try {
    return use(splices);
  } finally {
    if (idle.length < mostIdle && splices.arena.bytes.length <= 1 << 20) idle.push(splices);
  }
}
