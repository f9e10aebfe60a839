/**
 * A finite tape of random bytes from which generators take their decisions. Behind its end come zeros, and every
 * generator takes zero as "stop" or "the plainest choice": so fast-check shrinks a message by shrinking its tape.
 */
export class Tape {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    return this.#bytes[this.#at++] ?? 0;
  }

  /** 0 to `count` - 1. */
  below(count: number): number {
    return count <= 256 ? this.byte() % count : (this.byte() * 256 + this.byte()) % count;
  }

  /** True about `parts` times in 256. */
  chance(parts: number): boolean {
    return this.byte() > 255 - parts;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.below(choices.length)]!;
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.byte()));
  }

  get isEmpty(): boolean {
    return this.#at >= this.#bytes.length;
  }
}
