import type { Clock, Timer } from "../../host.ts";

/** Something that has to be looked at by a time of the clock that never goes back. */
export interface Due {
  readonly dueMs: number;
  expire(nowMs: number): void;
}

/** Deadlines with one timer for all: most are gone long before their time, and then cost nothing. */
export class Deadlines<T extends Due> {
  readonly #clock: Clock;
  readonly #open = new Set<T>();
  #timer: Timer | undefined;
  #timerMs = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#open.size;
  }

  add(due: T): void {
    this.#open.add(due);
    if (due.dueMs < this.#timerMs) this.#setTimer(due.dueMs);
  }

  delete(due: T): void {
    this.#open.delete(due);
  }

  #setTimer(dueMs: number): void {
    this.stop();
    this.#timerMs = dueMs;
    this.#timer = this.#clock.setTimer(() => this.#expire(), Math.max(0, dueMs - this.#clock.monotonicMs()));
  }

  #expire(): void {
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
    const nowMs = this.#clock.monotonicMs();
    for (const due of [...this.#open]) if (due.dueMs <= nowMs) due.expire(nowMs);
    let nextMs = Number.POSITIVE_INFINITY;
    for (const { dueMs } of this.#open) if (dueMs > nowMs) nextMs = Math.min(nextMs, dueMs);
    if (nextMs < this.#timerMs) this.#setTimer(nextMs);
  }

  /** Looks at none any more, until another is added. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#timerMs = Number.POSITIVE_INFINITY;
  }
}
