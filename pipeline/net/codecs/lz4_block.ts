import { findMatches } from "./matches.ts";
import { Output } from "./output.ts";
import type { Sliced } from "./sliced.ts";

/** LZ4's block format: literals and matches in turn. @see LZ4: `lz4_Block_format.md`. */

const leastMatch = 4;
const sliceBytes = 65_536;
const corrupt = () => new Error("corrupt block");

/**
 * Appends what a block holds, at most `largest` bytes. Its matches may reach back to `windowStart` in the output.
 * @throws {OutputFull} when the output is full. @throws {Error} when the block is corrupt.
 */
export function* decodeBlock(block: Buffer, output: Output, windowStart: number, largest: number): Sliced<void> {
  const limit = output.length + largest;
  let stopAt = output.length + sliceBytes;
  let at = 0;
  const longer = (count: number): number => {
    let total = count;
    for (let byte = 255; byte === 255; total += byte) {
      if (at >= block.length) throw corrupt();
      byte = block[at++] as number;
    }
    return total;
  };
  const room = (count: number) => {
    if (output.length + count > limit) throw corrupt();
    output.reserve(count);
  };
  for (;;) {
    if (at >= block.length) throw corrupt();
    const token = block[at++] as number;
    const literals = token >>> 4 === 15 ? longer(15) : token >>> 4;
    if (at + literals > block.length) throw corrupt();
    room(literals);
    output.append(block, at, at + literals);
    at += literals;
    if (at === block.length) return;
    if (at + 2 > block.length) throw corrupt();
    const distance = block.readUInt16LE(at);
    at += 2;
    const length = ((token & 15) === 15 ? longer(15) : token & 15) + leastMatch;
    if (distance === 0 || distance > output.length - windowStart) throw corrupt();
    room(length);
    output.repeat(distance, length);
    if (output.length < stopAt) continue;
    stopAt = output.length + sliceBytes;
    yield;
  }
}

/** Bytes from `start` to `end`, at most 64 KiB, as a block. `table` is of `matchTable`. */
export function encodeBlock(bytes: Buffer, start: number, end: number, table: Int32Array): Buffer {
  const size = end - start;
  const output = new Output(Number.MAX_SAFE_INTEGER, size + Math.ceil(size / 255) + 16);
  const put = (value: number) => {
    output.bytes[output.length++] = value;
  };
  const putRest = (count: number) => {
    for (let rest = count; ; rest -= 255) {
      put(Math.min(rest, 255));
      if (rest < 255) return;
    }
  };
  findMatches(bytes, start, end, table, (literalStart, literalEnd, distance, length) => {
    const literals = literalEnd - literalStart;
    const extra = Math.max(length - leastMatch, 0);
    put((Math.min(literals, 15) << 4) | Math.min(extra, 15));
    if (literals >= 15) putRest(literals - 15);
    output.append(bytes, literalStart, literalEnd);
    if (length === 0) return;
    put(distance & 0xff);
    put(distance >>> 8);
    if (extra >= 15) putRest(extra - 15);
  });
  return output.taken();
}
