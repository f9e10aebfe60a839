/** A small seeded generator: the same seed gives the same run. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** A number in [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }
  chance(probability: number): boolean {
    return this.next() < probability;
  }
  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)] as T;
  }
  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)));
  }
  list<T>(most: number, make: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }
  bigint(): bigint {
    return this.bytes(8).readBigInt64LE() >> BigInt(this.below(64));
  }
  text(): string {
    const size = this.chance(0.05) ? 100 + this.below(200) : this.below(20);
    return Array.from({ length: size }, () => this.pick(letters)).join("");
  }
}

const letters = [..."abcdefgh.é漢🙂"];

/** The seed of this run, printed; `OTELPIPE_SEED` repeats one. */
export function seed(): number {
  const given = process.env["OTELPIPE_SEED"];
  const value = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);
  console.log(`OTELPIPE_SEED=${value}`);
  return value;
}
