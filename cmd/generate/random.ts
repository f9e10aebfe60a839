/**
 * Seeded random numbers (sfc32). The same seed and stream give the same numbers on every machine; different streams of
 * one seed are independent, so that one trace can be drawn without the others.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spareNormal: number | undefined;

  /** @param seed any integer; @param stream which of the sequences of this seed. */
  constructor(seed: number, stream = 0) {
    const high = Math.floor(seed / 0x1_0000_0000);
    this.#a = mix((seed >>> 0) ^ 0x9e3779b9);
    this.#b = mix((high >>> 0) ^ this.#a ^ 0x85ebca6b);
    this.#c = mix((stream >>> 0) ^ this.#b ^ 0xc2b2ae35);
    for (let round = 0; round < 12; round++) this.#next();
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum >>> 0;
  }

  /** At least 0, less than 1. */
  uniform(): number {
    return this.#next() / 0x1_0000_0000;
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** A whole number, both ends included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.uniform() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  normal(): number {
    if (this.#spareNormal !== undefined) {
      const spare = this.#spareNormal;
      this.#spareNormal = undefined;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spareNormal = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** Log-normal by its median. */
  logNormal(median: number, sigma: number): number {
    return median * Math.exp(sigma * this.normal());
  }

  exponential(mean: number): number {
    return -mean * Math.log(1 - this.uniform());
  }

  /** Pareto with the least value `scale`: few, but very large ones. */
  pareto(scale: number, shape: number): number {
    return scale / (1 - this.uniform()) ** (1 / shape);
  }

  /** At least 1. */
  geometric(mean: number): number {
    return 1 + Math.floor(Math.log(1 - this.uniform()) / Math.log(1 - 1 / mean));
  }

  poisson(mean: number): number {
    const limit = Math.exp(-mean);
    let count = 0;
    for (let product = this.uniform(); product > limit; product *= this.uniform()) count++;
    return count;
  }

  /** Gamma with mean 1 and the given coefficient of variation (Marsaglia and Tsang, with the boost for shapes below 1). */
  gamma(variation: number): number {
    const shape = 1 / (variation * variation);
    const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
    for (;;) {
      const x = this.normal();
      const v = (1 + x / Math.sqrt(9 * d)) ** 3;
      if (v <= 0 || Math.log(1 - this.uniform()) >= 0.5 * x * x + d - d * v + d * Math.log(v)) continue;
      const boost = shape < 1 ? (1 - this.uniform()) ** (1 / shape) : 1;
      return (d * v * boost) / shape;
    }
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[Math.floor(this.uniform() * choices.length)];
    if (choice === undefined) throw new RangeError("nothing to pick from");
    return choice;
  }

  /** One of the names, each as often as its weight says. */
  weighted<N extends string>(weights: Readonly<Record<N, number>>): N {
    const entries = Object.entries(weights) as [N, number][];
    let left = this.uniform() * entries.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [name, weight] of entries) {
      left -= weight;
      if (left < 0) return name;
    }
    const last = entries.findLast(([, weight]) => weight > 0);
    if (last === undefined) throw new RangeError("all weights are zero");
    return last[0];
  }

  shuffle<T>(items: T[]): T[] {
    for (let index = items.length - 1; index > 0; index--) {
      const other = this.integer(0, index);
      [items[index], items[other]] = [items[other] as T, items[index] as T];
    }
    return items;
  }

  /** `length` is a multiple of 4. Never all zero: OTLP takes such ids for missing ones. */
  id(length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    do {
      for (let at = 0; at < length; at += 4) bytes.writeUInt32BE(this.#next(), at);
    } while (bytes.every((byte) => byte === 0));
    return bytes;
  }

  hex(length: number): string {
    return this.id(Math.ceil(length / 8) * 4)
      .toString("hex")
      .slice(0, length);
  }
}

/** The finalizer of MurmurHash3: spreads the bits of close numbers. */
function mix(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) | 0;
}
