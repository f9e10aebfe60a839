import { inSlices, type Pause, rowsOfLightWork, rowsPerSlice } from "../engine.ts";
import type { Gathered } from "./measures.ts";

/** Up to so many values the native sort is the fastest way to any of them. */
const sortedAtOnce = 2_048;

/** What a group costs beside its values, in sorted rows; and so many rows looked at by digits cost as much as a sorted one. */
const groupRows = 64;
const digitRows = 4;

/** Doubles are told apart by four digits of 16 bits, the first of which has sign, exponent and 4 bits of the fraction. */
const digits = 4;
const digitValues = 65_536;

/**
 * The quantiles `qs` of each group, exact: linear between the two values around place `(n - 1) * q` of the sorted values,
 * NaN where there is none. Sorts small groups. In a large one it counts the values by their leading bits, keeps those that
 * share them with a wanted one, and looks on among these by the bits that follow: a few light passes, where sorting a million
 * values would take ten times as long and hold up everyone.
 */
export async function quantilesOf(
  { values, from, to }: Gathered,
  qs: readonly number[],
  pause: Pause,
): Promise<readonly Float64Array[]> {
  const groups = to.length;
  const quantiles = qs.map(() => new Float64Array(groups).fill(Number.NaN));
  const selection = new Selection(pause);
  let work = 0;
  for (let id = 0; id < groups; id++) {
    const start = from[id]!;
    const count = to[id]! - start;
    if (count === 0) continue;
    if (count === 1) {
      for (const column of quantiles) column[id] = values[start]!;
      continue;
    }
    const ranks = ranksOf(count, qs);
    const isSmall = count <= sortedAtOnce;
    const group = values.subarray(start, start + count);
    const found = isSmall ? selection.bySorting(group, ranks) : await selection.byDigits(group, ranks, 0);
    for (let index = 0; index < qs.length; index++) {
      const place = (count - 1) * qs[index]!;
      const low = found[ranks.indexOf(Math.floor(place))]!;
      const high = found[ranks.indexOf(Math.ceil(place))]!;
      quantiles[index]![id] = low === high ? low : low + (high - low) * (place - Math.floor(place));
    }
    work += groupRows + (isSmall ? count : count / digitRows);
    if (work < rowsPerSlice) continue;
    work = 0;
    await pause();
  }
  return quantiles;
}

/** The ranks (from 0) of all values that the quantiles lie between, ascending. */
function ranksOf(count: number, qs: readonly number[]): readonly number[] {
  const ranks: number[] = [];
  for (const q of qs) {
    const place = (count - 1) * q;
    for (const rank of [Math.floor(place), Math.ceil(place)]) if (!ranks.includes(rank)) ranks.push(rank);
  }
  return ranks.sort((a, b) => a - b);
}

/** Values that share a digit with a wanted one. */
interface Bucket {
  readonly digit: number;
  /** Values with a lower digit. */
  readonly below: number;
  readonly ranks: number[];
}

/** The least and the greatest digit that occur. */
interface DigitRange {
  low: number;
  high: number;
}

/** Finds the values that would stand at some ranks if all were sorted. */
class Selection {
  readonly #pause: Pause;
  readonly #sorted = new Float64Array(sortedAtOnce);
  /** How many values have each digit; all 0 between two uses. */
  readonly #counts = new Int32Array(digitValues);
  /** The number of the bucket of a digit, from 1; 0 for those that nobody wants. */
  readonly #bucketOf = new Uint16Array(digitValues);

  constructor(pause: Pause) {
    this.#pause = pause;
  }

  /** Of at most `sortedAtOnce` values; leaves them as they are. */
  bySorting(values: Float64Array, ranks: readonly number[]): readonly number[] {
    const sorted = this.#sorted.subarray(0, values.length);
    sorted.set(values);
    sorted.sort();
    return ranks.map((rank) => sorted[rank]!);
  }

  /** Of values that are alike in the digits before `digit`. */
  async byDigits(values: Float64Array, ranks: readonly number[], digit: number): Promise<readonly number[]> {
    if (values.length <= sortedAtOnce) return this.bySorting(values, ranks);
    if (digit === digits) return ranks.map(() => values[0]!);
    const { buckets, range } = await this.#bucketsOf(values, ranks, digit);
    const { kept, ends } = await this.#keep(values, buckets, range, digit);
    const found: number[] = [];
    for (const [index, { below, ranks: wanted }] of buckets.entries()) {
      const bucket = kept.subarray(ends[index]!, ends[index + 1]!);
      const inside = wanted.map((rank) => rank - below);
      found.push(...(await this.byDigits(bucket, inside, digit + 1)));
    }
    return found;
  }

  /** Counts the values by their digit, and says which digits the ranks fall on. */
  async #bucketsOf(
    values: Float64Array,
    ranks: readonly number[],
    digit: number,
  ): Promise<{ readonly buckets: readonly Bucket[]; readonly range: DigitRange }> {
    const counts = this.#counts;
    const place = placeOf(digit);
    const words = wordsOf(values);
    const range: DigitRange = { low: digitValues, high: 0 };
    await inSlices(
      values.length,
      this.#pause,
      (from, to) => countDigits(words, from, to, place, counts, range),
      rowsOfLightWork,
    );
    const buckets: Bucket[] = [];
    let below = 0;
    let next = 0;
    for (let value = range.low; next < ranks.length; value++) {
      const count = counts[value]!;
      if (count === 0) continue;
      if (ranks[next]! < below + count) {
        const inside = ranks.filter((rank) => rank >= below && rank < below + count);
        buckets.push({ digit: value, below, ranks: inside });
        next += inside.length;
      }
      below += count;
    }
    return { buckets, range };
  }

  /** The values of the buckets, one bucket after the other, and where each begins and the last ends. */
  async #keep(
    values: Float64Array,
    buckets: readonly Bucket[],
    range: DigitRange,
    digit: number,
  ): Promise<{ readonly kept: Float64Array; readonly ends: readonly number[] }> {
    const bucketOf = this.#bucketOf;
    const ends = [0];
    buckets.forEach(({ digit: value }, index) => {
      bucketOf[value] = index + 1;
      ends.push(ends[index]! + this.#counts[value]!);
    });
    this.#counts.fill(0, range.low, range.high + 1);
    const kept = new Float64Array(ends.at(-1)!);
    const next = Int32Array.from([0, ...ends]);
    const place = placeOf(digit);
    const words = wordsOf(values);
    await inSlices(
      values.length,
      this.#pause,
      (from, to) => keepDigits(words, values, from, to, place, bucketOf, kept, next),
      rowsOfLightWork,
    );
    for (const { digit: value } of buckets) bucketOf[value] = 0;
    return { kept, ends };
  }
}

/** Doubles as 32-bit words, the low one first as on every machine Node runs on. */
function wordsOf(values: Float64Array): Int32Array {
  return new Int32Array(values.buffer, values.byteOffset, values.length * 2);
}

/** Where a digit is: in the low or the high word, and how far up; `flip` is the sign where the digit has it. */
interface DigitPlace {
  readonly offset: 0 | 1;
  readonly shift: 0 | 16;
  readonly flip: number;
}

function placeOf(digit: number): DigitPlace {
  return { offset: digit < 2 ? 1 : 0, shift: digit % 2 === 0 ? 16 : 0, flip: digit === 0 ? 0x8000 : 0 };
}

// In the two loops a negative double has all bits turned, a positive one its sign: then digits are in the order of the numbers.

/** Adds up how many doubles have each digit, and widens the range of those that occur. */
function countDigits(
  words: Int32Array,
  from: number,
  to: number,
  { offset, shift, flip }: DigitPlace,
  counts: Int32Array,
  range: DigitRange,
): void {
  let { low, high } = range;
  for (let row = from; row < to; row++) {
    const sign = words[row * 2 + 1]! >> 31;
    const digit = (((words[row * 2 + offset]! ^ sign) >>> shift) & 0xffff) ^ (flip & ~sign);
    counts[digit]!++;
    if (digit < low) low = digit;
    if (digit > high) high = digit;
  }
  range.low = low;
  range.high = high;
}

/** Writes the doubles of wanted digits to the places of their buckets. */
function keepDigits(
  words: Int32Array,
  values: Float64Array,
  from: number,
  to: number,
  { offset, shift, flip }: DigitPlace,
  bucketOf: Uint16Array,
  kept: Float64Array,
  next: Int32Array,
): void {
  for (let row = from; row < to; row++) {
    const sign = words[row * 2 + 1]! >> 31;
    const bucket = bucketOf[(((words[row * 2 + offset]! ^ sign) >>> shift) & 0xffff) ^ (flip & ~sign)]!;
    if (bucket !== 0) kept[next[bucket]!++] = values[row]!;
  }
}
