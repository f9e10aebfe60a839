/** A budget that refills with time: for what a peer may do now and then, but not all the time. */
export class Allowance {
  readonly #most: number;
  readonly #perMs: number;
  readonly #nowMs: () => number;
  #left: number;
  #lastMs: number;

  constructor(most: number, perSecond: number, nowMs: () => number) {
    this.#most = most;
    this.#perMs = perSecond / 1000;
    this.#nowMs = nowMs;
    this.#left = most;
    this.#lastMs = nowMs();
  }

  /** Takes one, and says whether there was one. */
  take(): boolean {
    if (this.#left < 1) {
      const nowMs = this.#nowMs();
      this.#left = Math.min(this.#most, this.#left + (nowMs - this.#lastMs) * this.#perMs);
      this.#lastMs = nowMs;
    }
    this.#left -= 1;
    return this.#left >= 0;
  }

  /** Gives back for something useful. */
  give(count: number): void {
    this.#left = Math.min(this.#most, this.#left + count);
  }
}
