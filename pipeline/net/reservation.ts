import type { ByteBudget } from "../host.ts";

/** What is reserved ahead of the bytes that are here: a body up to this size is reserved whole. */
const headroomBytes = 256 * 1024;

/**
 * The bytes of one request while it is read, in the process-wide budget. Whoever makes one releases it, once or more.
 *
 * A length is a claim: it is refused when it does not fit, but only what has come, and a little more, is held. So
 * a sender that announces much and sends little takes no memory from the others.
 */
export class Reservation {
  readonly #budget: ByteBudget;
  #bytes = 0;
  #released = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Judges an announced length before a byte is read: whether it fits now. Holds its first part. */
  announce(bytes: number): boolean {
    const freeBytes = this.#budget.limitBytes - this.#budget.usedBytes;
    return bytes <= freeBytes && this.arrived(0, bytes);
  }

  /** Holds `bytes` that have come of `announced`, with some headroom, and says whether that fitted. */
  arrived(bytes: number, announced = bytes): boolean {
    const wanted = Math.max(bytes, Math.min(announced, bytes + headroomBytes));
    return wanted <= this.#bytes || this.add(wanted - this.#bytes);
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
