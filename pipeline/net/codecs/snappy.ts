import { findMatches, matchTable } from "./matches.ts";
import { Output, OutputFull } from "./output.ts";
import type { Sliced } from "./sliced.ts";

/** Snappy's block format: a length, then literals and copies. @see Snappy: `format_description.txt`. */

/** Copies reach back no further than this, and what is compressed is cut into pieces of it. */
export const fragmentBytes = 65_536;

/** Output between two stops. */
const sliceBytes = 65_536;

const corrupt = () => new Error("corrupt input");

/** The length that a block announces, and where its content begins. @throws {Error} when it is none. */
export function announcedLength(block: Uint8Array): { readonly length: number; readonly at: number } {
  let length = 0;
  for (let at = 0; at < Math.min(block.length, 5); at++) {
    const byte = block[at] as number;
    length += (byte & 0x7f) * 2 ** (7 * at);
    if (byte < 0x80 && length <= 0xffffffff) return { length, at: at + 1 };
  }
  throw corrupt();
}

/** A block, decompressed. @throws {OutputFull} when it is over `maxBytes`. @throws {Error} when it is corrupt. */
export function* decodeBlock(block: Uint8Array, maxBytes: number): Sliced<Buffer> {
  const { length, at: start } = announcedLength(block);
  if (length > maxBytes) throw new OutputFull();
  const output = new Output(length, length);
  const room = (count: number) => {
    if (output.length + count > length) throw corrupt();
  };
  let stopAt = sliceBytes;
  for (let at = start; at < block.length; ) {
    const tag = block[at++] as number;
    const high = tag >>> 2;
    if ((tag & 3) === 0) {
      const bytes = high < 60 ? 0 : high - 59;
      if (at + bytes > block.length) throw corrupt();
      const count = (bytes === 0 ? high : little(block, at, bytes)) + 1;
      at += bytes;
      if (at + count > block.length) throw corrupt();
      room(count);
      output.append(block, at, at + count);
      at += count;
    } else {
      const bytes = [0, 1, 2, 4][tag & 3] as number;
      if (at + bytes > block.length) throw corrupt();
      const near = little(block, at, bytes);
      const distance = bytes === 1 ? near | ((tag >>> 5) << 8) : near;
      const count = bytes === 1 ? 4 + (high & 7) : 1 + high;
      at += bytes;
      if (distance === 0 || distance > output.length) throw corrupt();
      room(count);
      output.repeat(distance, count);
    }
    if (output.length < stopAt) continue;
    stopAt = output.length + sliceBytes;
    yield;
  }
  if (output.length !== length) throw corrupt();
  return output.taken();
}

function little(bytes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = count - 1; index >= 0; index--) value = value * 256 + (bytes[at + index] as number);
  return value;
}

/** Bytes as a block. */
export function* encodeBlock(bytes: Buffer): Sliced<Buffer> {
  const parts: Buffer[] = [varint(bytes.length)];
  const table = matchTable();
  for (let start = 0; start < bytes.length; start += fragmentBytes) {
    if (start > 0) yield;
    parts.push(encodeFragment(bytes, start, Math.min(start + fragmentBytes, bytes.length), table));
  }
  return Buffer.concat(parts);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Buffer.from([...bytes, rest]);
    bytes.push((rest % 128) | 0x80);
  }
}

function encodeFragment(bytes: Buffer, start: number, end: number, table: Int32Array): Buffer {
  const output = new Output(Number.MAX_SAFE_INTEGER, 32 + end - start + Math.ceil((end - start) / 6));
  const put = (...values: number[]) => {
    for (const value of values) output.bytes[output.length++] = value;
  };
  findMatches(bytes, start, end, table, (literalStart, literalEnd, distance, length) => {
    const count = literalEnd - literalStart;
    if (count > 0) {
      const last = count - 1;
      if (count <= 60) put(last << 2);
      else if (count <= 256) put(60 << 2, last);
      else put(61 << 2, last & 0xff, last >>> 8);
      output.append(bytes, literalStart, literalEnd);
    }
    for (let left = length; left > 0; ) {
      // A copy of 64 at most; what is left over must be worth a copy of its own, which is 4 and more.
      const now = left > 64 ? (left < 68 ? 60 : 64) : left;
      if (now < 12 && distance < 2_048) put(1 | ((now - 4) << 2) | ((distance >>> 8) << 5), distance & 0xff);
      else put(2 | ((now - 1) << 2), distance & 0xff, distance >>> 8);
      left -= now;
    }
  });
  return output.taken();
}
