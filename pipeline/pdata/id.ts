import type { Chunk } from "./chunk.ts";

/** A threshold for the 56 random bits of a trace id (OTEP 235), in halves; made by `randomness`. */
export interface Randomness {
  /** The upper 24 bits. */
  readonly top: number;
  /** The lower 32 bits. */
  readonly low: number;
}

/** A 56-bit number, 0 to 2^56, as a `Randomness`. */
export function randomness(value: bigint): Randomness {
  if (value < 0n || value > 1n << 56n) throw new RangeError(`randomness ${value} is not within 56 bits`);
  return { top: Number(value >> 32n), low: Number(value & 0xffffffffn) };
}

/** A trace id or span id, read where it lies. Like its cursor, valid only until the cursor moves. */
export interface Id {
  /** Lower-case hexadecimal digits; the empty string for an absent id. */
  hex(): string;
  /** Whether the id is absent or all zeros. */
  readonly isEmpty: boolean;
  /** 32-bit FNV-1a of the seed's four bytes, little-endian, and the id's bytes, as in `probabilistic_sampler`. */
  fnv1a(seed: number): number;
  equals(other: Id): boolean;
  /** Whether the last 56 bits of a trace id are at least `limit`; an absent id counts as zeros. */
  atLeast(limit: Randomness): boolean;
  /** Copies the id's 16 or 8 bytes; zeros for an absent id. */
  copyTo(target: Uint8Array, at: number): void;
}

const prime = 0x01000193;
const basis = 0x811c9dc5;

/** The only implementation of `Id`; its cursor points it at an id before handing it out. */
export class IdView implements Id {
  readonly size: number;
  chunk: Chunk;
  /** Position of the first byte; 0 for an absent id. */
  at = 0;

  constructor(size: number, chunk: Chunk) {
    this.size = size;
    this.chunk = chunk;
  }

  hex(): string {
    return this.at === 0 ? "" : this.chunk.bytes.toString("hex", this.at, this.at + this.size);
  }

  get isEmpty(): boolean {
    if (this.at === 0) return true;
    const { view } = this.chunk;
    for (let at = this.at; at < this.at + this.size; at += 4) if (view.getInt32(at) !== 0) return false;
    return true;
  }

  fnv1a(seed: number): number {
    let hash = basis;
    for (let shift = 0; shift < 32; shift += 8) hash = Math.imul(hash ^ ((seed >>> shift) & 255), prime);
    const { bytes } = this.chunk;
    const from = this.at;
    for (let index = 0; index < this.size; index++) {
      hash = Math.imul(hash ^ (from === 0 ? 0 : bytes[from + index]!), prime);
    }
    return hash >>> 0;
  }

  equals(other: Id): boolean {
    const that = other as IdView;
    if (this.size !== that.size) return false;
    for (let index = 0; index < this.size; index += 4) {
      const mine = this.at === 0 ? 0 : this.chunk.view.getInt32(this.at + index);
      const theirs = that.at === 0 ? 0 : that.chunk.view.getInt32(that.at + index);
      if (mine !== theirs) return false;
    }
    return true;
  }

  atLeast(limit: Randomness): boolean {
    if (this.at === 0) return limit.top === 0 && limit.low === 0;
    const { view } = this.chunk;
    const end = this.at + this.size;
    const top = view.getUint32(end - 8) & 0xffffff;
    return top === limit.top ? view.getUint32(end - 4) >= limit.low : top > limit.top;
  }

  copyTo(target: Uint8Array, at: number): void {
    for (let index = 0; index < this.size; index++) {
      target[at + index] = this.at === 0 ? 0 : this.chunk.bytes[this.at + index]!;
    }
  }
}
