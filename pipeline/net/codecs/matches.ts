const tableBits = 14;
/** No match begins in the last bytes, nor reaches into the very last: what the LZ4 format asks for. */
const lastStart = 12;
const lastLiterals = 5;

/** Bytes that are written as they are, and then a repetition; without one at the end. */
export type OnSequence = (literalStart: number, literalEnd: number, distance: number, length: number) => void;

/**
 * Finds repetitions of four bytes and more in `source` from `start` to `end`, at most 64 KiB, and tells them in order with
 * the bytes between. Greedy, with steps that grow where nothing repeats; `table` is used and left dirty.
 * @see Snappy: `CompressFragment`; LZ4: `LZ4_compress_fast`.
 */
export function findMatches(source: Buffer, start: number, end: number, table: Int32Array, on: OnSequence): void {
  table.fill(-1);
  let literalStart = start;
  let at = start;
  let misses = 0;
  while (at + lastStart <= end) {
    const word = source.readInt32LE(at);
    const slot = Math.imul(word, 0x1e35a7bd) >>> (32 - tableBits);
    const candidate = table[slot] as number;
    table[slot] = at;
    if (candidate < 0 || source.readInt32LE(candidate) !== word) {
      at += 1 + (misses++ >> 5);
      continue;
    }
    misses = 0;
    let matchEnd = at + 4;
    const distance = at - candidate;
    while (matchEnd < end - lastLiterals && source[matchEnd] === source[matchEnd - distance]) matchEnd++;
    on(literalStart, at, distance, matchEnd - at);
    at = matchEnd;
    literalStart = at;
  }
  on(literalStart, end, 0, 0);
}

/** Memory for `findMatches`. */
export function matchTable(): Int32Array {
  return new Int32Array(1 << tableBits);
}
