import type { Clock, Timer } from "../../pipeline/host.ts";

/** Waits that can all be ended at once; after that there are none. */
export class Pause {
  readonly #clock: Clock;
  readonly #waiting = new Map<Timer, () => void>();
  #ended = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  wait(delayMs: number): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#clock.setTimer(() => {
        this.#waiting.delete(timer);
        resolve();
      }, delayMs);
      this.#waiting.set(timer, resolve);
    });
  }

  end(): void {
    this.#ended = true;
    for (const [timer, resolve] of this.#waiting) {
      this.#clock.clearTimer(timer);
      resolve();
    }
    this.#waiting.clear();
  }
}
