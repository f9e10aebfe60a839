import { ConsumeError, type Delivery } from "../delivery.ts";
import type { ByteBudget } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import { Fifo } from "./fifo.ts";
import type { Sizer } from "./settings.ts";
import { SpaceWaiters } from "./space_waiters.ts";

/** A request in a queue. */
export interface Entry<T extends Pdata> {
  readonly data: T;
  /** In the queue's unit. */
  readonly size: number;
  /** The delivery, when its sender waits for the result. */
  readonly delivery?: Delivery<T>;
  /** Who sent it, when that is still known. */
  readonly client?: Delivery["client"];
}

/** What a queue needs of a delivery to let its sender wait. */
export type Caller = Pick<Delivery, "signal" | "mayWait">;

/**
 * Where requests wait to be sent. An entry is taken by `next` and stays in the queue's account until `settle`: what is
 * being sent counts against the capacity, and a queue on disk forgets an entry only then.
 */
export interface SendingQueue<T extends Pdata> {
  /** What is held, taken entries included, in the queue's unit. */
  readonly usedSize: number;
  readonly capacity: number;
  /** Whether what is left at a shutdown is there after the next start. */
  readonly isDurable: boolean;
  /** Entries that are on their way into the queue. */
  readonly storing: number;
  /** Entries that were not taken yet. */
  readonly waiting: number;
  /**
   * Stores an entry. `stored` is called exactly once: without an error when the queue answers for the data from now on.
   * The caller's signal ends the waiting for space; it is not asked for otherwise.
   */
  put(entry: Entry<T>, caller: Caller, stored: (error?: ConsumeError) => void): void;
  /** The oldest entry not taken yet; undefined when there is none now. `onReady` says when there is one again. */
  next(): Entry<T> | undefined;
  /** Forgets a taken entry: it was delivered, or dropped for good. */
  settle(entry: Entry<T>): void;
  /** Gives a taken entry back at a shutdown: on disk it stays for the next run, in memory it is gone. */
  keep(entry: Entry<T>): void;
  onReady: () => void;
  /** Takes nothing more: those that wait for space are told to come back. */
  close(): void;
}

/** How large `data` is in a unit. */
export function sizeOf(data: Pdata, sizer: Sizer): number {
  switch (sizer) {
    case "requests":
      return 1;
    case "items":
      return data.itemCount;
    case "bytes":
      return data.sizeBytes;
  }
}

/** When a sender who found the queue full may come back. */
export const fullDelayMs = 1_000;

export interface MemoryQueueSettings {
  readonly queue_size: number;
  readonly block_on_overflow: boolean;
}

/**
 * How far past its limit the byte budget may be used before a queue that holds anything takes no more. What is put here
 * has been counted where it comes from, and may have been cut into pieces that repeat their resource, or go to several
 * queues: below this it is not refused, since some of those may have taken it.
 */
const overdraft = 1.25;

/** A queue in memory. Its bytes are taken from the budget before they are answered for, and given back when settled. */
export class MemoryQueue<T extends Pdata> implements SendingQueue<T> {
  readonly capacity: number;
  readonly isDurable = false;
  readonly storing = 0;
  onReady: () => void = () => {};
  readonly #blocking: boolean;
  readonly #budget: ByteBudget;
  readonly #entries = new Fifo<Entry<T>>();
  readonly #waiters = new SpaceWaiters<T>();
  #usedSize = 0;
  #closed = false;

  constructor(settings: MemoryQueueSettings, budget: ByteBudget) {
    this.capacity = settings.queue_size;
    this.#blocking = settings.block_on_overflow;
    this.#budget = budget;
  }

  get usedSize(): number {
    return this.#usedSize;
  }

  get waiting(): number {
    return this.#entries.length;
  }

  put(entry: Entry<T>, caller: Caller, stored: (error?: ConsumeError) => void): void {
    if (entry.size > this.capacity) {
      stored(new ConsumeError("element size too large", { retryable: false }));
    } else if (this.#fits(entry) && this.#waiters.isEmpty) {
      this.#store(entry, stored);
    } else if (this.#blocking && !this.#closed && !caller.signal.aborted) {
      this.#waiters.add(entry, caller, stored);
    } else {
      const isFull = this.#usedSize + entry.size > this.capacity;
      const message = isFull ? "sending queue is full" : "memory for the sending queue is used up";
      stored(new ConsumeError(message, { retryable: true, delayMs: fullDelayMs }));
    }
  }

  #fits(entry: Entry<T>): boolean {
    if (this.#usedSize === 0) return true;
    const { usedBytes, limitBytes } = this.#budget;
    return this.#usedSize + entry.size <= this.capacity && usedBytes <= limitBytes * overdraft;
  }

  #store(entry: Entry<T>, stored: (error?: ConsumeError) => void): void {
    this.#budget.take(entry.data.memoryBytes);
    this.#usedSize += entry.size;
    this.#entries.push(entry);
    stored();
    this.onReady();
  }

  next(): Entry<T> | undefined {
    return this.#entries.shift();
  }

  settle(entry: Entry<T>): void {
    this.#usedSize -= entry.size;
    this.#budget.give(entry.data.memoryBytes);
    this.#waiters.letIn(
      (waiting) => this.#fits(waiting),
      (waiting, stored) => this.#store(waiting, stored),
    );
  }

  keep(entry: Entry<T>): void {
    this.settle(entry);
  }

  close(): void {
    this.#closed = true;
    this.#waiters.refuse();
  }
}
