import type { ByteBudget } from "../host.ts";

/**
 * The bytes of one request while it is read, in the process-wide budget. Whoever makes one releases it, once or more.
 *
 * A length is a claim: it is refused when it does not fit, but only what has come is held. So senders that announce
 * much and send little take no memory from the others, however many they are.
 */
export class Reservation {
  readonly #budget: ByteBudget;
  #bytes = 0;
  #released = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Whether an announced length fits now, before a byte of it is read. Holds nothing. */
  fits(bytes: number): boolean {
    return bytes <= this.#budget.limitBytes - this.#budget.usedBytes;
  }

  /** Holds the `bytes` that have come in all, and says whether that fitted. */
  arrived(bytes: number): boolean {
    return bytes <= this.#bytes || this.add(bytes - this.#bytes);
  }

  /** Holds that many bytes more. */
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
