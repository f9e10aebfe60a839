import type { ByteBudget } from "../host.ts";

/** The bytes of one request while it is read, in the process-wide budget. Whoever makes one releases it, once or more. */
export class Reservation {
  readonly #budget: ByteBudget;
  #bytes = 0;
  #released = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Takes what is missing to `bytes` in all and says whether it fitted. */
  growTo(bytes: number): boolean {
    return bytes <= this.#bytes || this.add(bytes - this.#bytes);
  }

  add(bytes: number): boolean {
    if (this.#released || !this.#budget.tryTake(bytes)) return false;
    this.#bytes += bytes;
    return true;
  }

  release(): void {
    this.#released = true;
    if (this.#bytes > 0) this.#budget.give(this.#bytes);
    this.#bytes = 0;
  }
}
