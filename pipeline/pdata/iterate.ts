import type { Chunk } from "./chunk.ts";

/** A cursor that can be moved along the items of a chunk. */
interface Cursor {
  moveTo(index: number): unknown;
}

/**
 * Iterates over the items of chunks with one cursor a chunk. The iterator is its own result object, which makes
 * `for..of` as cheap as a callback.
 */
export class ItemIterator<T> implements IterableIterator<T> {
  readonly #chunks: readonly Chunk[];
  readonly #open: (chunk: Chunk) => T & Cursor;
  #cursor: (T & Cursor) | undefined;
  #next = 0;
  #index = 0;
  #count = 0;
  done = false;
  value!: T;

  constructor(chunks: readonly Chunk[], open: (chunk: Chunk) => T & Cursor) {
    this.#chunks = chunks;
    this.#open = open;
  }

  [Symbol.iterator](): this {
    return this;
  }

  next(): IteratorResult<T> {
    while (this.#index >= this.#count) if (!this.#nextChunk()) return this as IteratorResult<T>;
    this.#cursor!.moveTo(this.#index);
    this.#index += 1;
    return this as IteratorResult<T>;
  }

  #nextChunk(): boolean {
    const chunk = this.#chunks[this.#next];
    if (chunk === undefined) {
      this.done = true;
      return false;
    }
    this.#next += 1;
    this.#index = 0;
    this.#count = chunk.itemCount;
    if (this.#count > 0) {
      this.#cursor = this.#open(chunk);
      this.value = this.#cursor;
    }
    return true;
  }
}
