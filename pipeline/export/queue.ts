import { ConsumeError, type Delivery } from "../delivery.ts";
import type { ByteBudget } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import { Fifo } from "./fifo.ts";
import type { Sizer } from "./settings.ts";

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
  /** Entries that were not taken yet. */
  readonly waiting: number;
  /**
   * Stores an entry. `stored` is called exactly once: without an error when the queue answers for the data from now on.
   * The caller's signal ends the waiting for space; it is not asked for otherwise.
   */
  put(entry: Entry<T>, caller: Caller, stored: (error?: ConsumeError) => void): void;
  /** The oldest entry not taken yet; undefined when there is none now. `onReady` says when there is one again. */
  next(): Entry<T> | undefined;
  settle(entry: Entry<T>): void;
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
const fullDelayMs = 1_000;

export interface MemoryQueueSettings {
  readonly queue_size: number;
  readonly block_on_overflow: boolean;
}

interface Waiter<T extends Pdata> {
  readonly entry: Entry<T>;
  readonly stored: (error?: ConsumeError) => void;
  readonly stopWaiting: () => void;
}

/** A queue in memory. Its bytes are taken from the budget before they are answered for, and given back when settled. */
export class MemoryQueue<T extends Pdata> implements SendingQueue<T> {
  readonly capacity: number;
  onReady: () => void = () => {};
  readonly #blocking: boolean;
  readonly #budget: ByteBudget;
  readonly #entries = new Fifo<Entry<T>>();
  /** Bounded by admission: those who wait here are unanswered. */
  readonly #waiters = new Set<Waiter<T>>();
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
    } else if (this.#fits(entry) && this.#waiters.size === 0) {
      this.#store(entry, stored);
    } else if (this.#blocking && !this.#closed && !caller.signal.aborted) {
      caller.mayWait?.();
      this.#wait(entry, caller.signal, stored);
    } else {
      stored(new ConsumeError("sending queue is full", { retryable: true, delayMs: fullDelayMs }));
    }
  }

  #fits(entry: Entry<T>): boolean {
    return this.#usedSize + entry.size <= this.capacity;
  }

  #store(entry: Entry<T>, stored: (error?: ConsumeError) => void): void {
    this.#budget.take(entry.data.memoryBytes);
    this.#usedSize += entry.size;
    this.#entries.push(entry);
    stored();
    this.onReady();
  }

  #wait(entry: Entry<T>, signal: AbortSignal, stored: (error?: ConsumeError) => void): void {
    const leave = () => {
      waiter.stopWaiting();
      stored(new ConsumeError("gave up waiting for the sending queue", { retryable: true }));
    };
    const stopWaiting = () => {
      this.#waiters.delete(waiter);
      signal.removeEventListener("abort", leave);
    };
    const waiter: Waiter<T> = { entry, stored, stopWaiting };
    this.#waiters.add(waiter);
    signal.addEventListener("abort", leave);
  }

  next(): Entry<T> | undefined {
    return this.#entries.shift();
  }

  settle(entry: Entry<T>): void {
    this.#usedSize -= entry.size;
    this.#budget.give(entry.data.memoryBytes);
    for (const waiter of this.#waiters) {
      if (!this.#fits(waiter.entry)) break;
      waiter.stopWaiting();
      this.#store(waiter.entry, waiter.stored);
    }
  }

  close(): void {
    this.#closed = true;
    for (const waiter of this.#waiters) {
      waiter.stopWaiting();
      waiter.stored(new ConsumeError("shutdown", { retryable: true }));
    }
  }
}
