import type { ByteBudget, ProcessMemory } from "../host.ts";
import { processMemory } from "../process/memory.ts";

/** Columns of the account of one thread. */
const budget = 0;
const memory = 1;
const width = 2;

/**
 * What all threads of a service hold, in memory that they share: one budget of bytes, and the memory in use. Each thread
 * writes its own numbers only, so there is nothing to lock; to see another's a moment late lets in a batch too many.
 */
export class SharedAccount {
  readonly buffer: SharedArrayBuffer;
  readonly #limitBytes: number;
  readonly #cells: Float64Array;
  readonly #own: number;

  /** The account that thread `index` keeps, of what is in `buffer`. */
  constructor(buffer: SharedArrayBuffer, index: number, limitBytes: number) {
    this.buffer = buffer;
    this.#limitBytes = limitBytes;
    this.#cells = new Float64Array(buffer);
    this.#own = index * width;
  }

  static bufferFor(threads: number): SharedArrayBuffer {
    return new SharedArrayBuffer(threads * width * Float64Array.BYTES_PER_ELEMENT);
  }

  /** Gives back what a thread had that has died. */
  clear(index: number): void {
    this.#cells.fill(0, index * width, (index + 1) * width);
  }

  get budget(): ByteBudget {
    const [cells, own, limitBytes] = [this.#cells, this.#own + budget, this.#limitBytes];
    const sum = () => this.#sum(budget);
    const add = (bytes: number) => void (cells[own] = cells[own]! + bytes);
    return {
      limitBytes,
      get usedBytes() {
        return sum();
      },
      tryTake(bytes) {
        if (sum() + bytes > limitBytes) return false;
        add(bytes);
        return true;
      },
      take: add,
      give: (bytes) => add(-bytes),
    };
  }

  /** The memory of the process: each thread knows its own part, and says it whenever it is asked for the whole. */
  memory(limitBytes: number): ProcessMemory {
    const ownMemory = processMemory(limitBytes);
    return {
      limitBytes,
      usedBytes: () => {
        this.#cells[this.#own + memory] = ownMemory.usedBytes();
        return this.#sum(memory);
      },
      collect: () => ownMemory.collect(),
    };
  }

  #sum(column: number): number {
    let sum = 0;
    for (let at = column; at < this.#cells.length; at += width) sum += this.#cells[at]!;
    return sum;
  }
}
