import { ConsumeError } from "../delivery.ts";
import type { Pdata } from "../pdata/index.ts";
import type { Caller, Entry } from "./queue.ts";

type Stored = (error?: ConsumeError) => void;

interface Waiter<T extends Pdata> {
  readonly entry: Entry<T>;
  readonly stored: Stored;
  readonly stopWaiting: () => void;
}

/** Those who wait for space in a full queue, first come, first served. Bounded by admission: they are unanswered. */
export class SpaceWaiters<T extends Pdata> {
  readonly #waiters = new Set<Waiter<T>>();

  get isEmpty(): boolean {
    return this.#waiters.size === 0;
  }

  /** Lets a caller wait until it is let in, refused, or goes away. */
  add(entry: Entry<T>, caller: Caller, stored: Stored): void {
    caller.mayWait?.();
    const { signal } = caller;
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

  /** Stores those at the front that fit. */
  letIn(fits: (entry: Entry<T>) => boolean, store: (entry: Entry<T>, stored: Stored) => void): void {
    for (const waiter of this.#waiters) {
      if (!fits(waiter.entry)) break;
      waiter.stopWaiting();
      store(waiter.entry, waiter.stored);
    }
  }

  /** Tells everybody to come back. */
  refuse(): void {
    for (const waiter of this.#waiters) {
      waiter.stopWaiting();
      waiter.stored(new ConsumeError("shutdown", { retryable: true }));
    }
  }
}
