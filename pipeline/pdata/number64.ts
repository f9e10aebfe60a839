/** 64-bit integers as two halves of 32 bits, so that loops need no BigInt. */

const high = 2 ** 32;

/** The signed varint of up to 10 bytes at `at`: exact, a bigint only outside the safe integers. */
export function readInt64(bytes: Buffer, at: number): number | bigint {
  const first = bytes[at]!;
  if (first < 128) return first;
  let position = at + 1;
  let low = first & 127;
  let top = 0;
  for (let shift = 7; shift < 70; shift += 7) {
    const byte = bytes[position]!;
    position += 1;
    const bits = byte & 127;
    if (shift < 28) low |= bits << shift;
    else if (shift === 28) {
      low |= bits << 28;
      top = bits >>> 4;
    } else top |= bits << (shift - 32);
    if (byte < 128) break;
  }
  return join(low >>> 0, top | 0);
}

/** The same as a number, rounded outside the safe integers. */
export function readInt64Rounded(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  if (first < 128) return first;
  const second = bytes[at + 1]!;
  return second < 128 ? (first & 127) | (second << 7) : Number(readInt64(bytes, at));
}

/** A signed 64-bit integer from its unsigned low and signed high half: a bigint only outside the safe integers. */
export function join(low: number, top: number): number | bigint {
  const value = top * high + low;
  return Number.isSafeInteger(value) ? value : (BigInt(top) << 32n) | BigInt(low);
}

/** The unsigned 64-bit fixed number at `at`, or 0 when `at` is 0. */
export function readFixed64(view: DataView, at: number): bigint {
  return at === 0 ? 0n : view.getBigUint64(at, true);
}

/** The fixed nanoseconds at `at` as milliseconds since the epoch; 0 when `at` is 0. */
export function readUnixMs(view: DataView, at: number): number {
  return at === 0 ? 0 : (view.getUint32(at + 4, true) * high + view.getUint32(at, true)) / 1e6;
}

/** The difference of two fixed 64-bit numbers (0 when absent), exact up to 2^53. */
export function difference(view: DataView, from: number, to: number): number {
  const fromLow = from === 0 ? 0 : view.getUint32(from, true);
  const fromTop = from === 0 ? 0 : view.getUint32(from + 4, true);
  const toLow = to === 0 ? 0 : view.getUint32(to, true);
  const toTop = to === 0 ? 0 : view.getUint32(to + 4, true);
  return (toTop - fromTop) * high + (toLow - fromLow);
}

/** Bytes of the varint of a signed 64-bit integer; a negative one takes ten. */
export function int64Size(value: number | bigint): number {
  if (typeof value === "bigint") return value < 0n ? 10 : bigSize(value);
  if (value < 0) return 10;
  let size = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size += 1;
  return size;
}

function bigSize(value: bigint): number {
  let size = 1;
  for (let rest = value; rest >= 128n; rest >>= 7n) size += 1;
  return size;
}

/** Writes a signed 64-bit integer as a varint and returns the position behind it. */
export function writeInt64(bytes: Buffer, at: number, value: number | bigint): number {
  if (typeof value === "number" && value >= 0) return writeCount(bytes, at, value);
  let position = at;
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 128n) {
    bytes[position] = Number(rest & 127n) | 128;
    position += 1;
    rest >>= 7n;
  }
  bytes[position] = Number(rest);
  return position + 1;
}

function writeCount(bytes: Buffer, at: number, value: number): number {
  let position = at;
  let rest = value;
  while (rest >= 128) {
    bytes[position] = (rest % 128) | 128;
    position += 1;
    rest = Math.floor(rest / 128);
  }
  bytes[position] = rest;
  return position + 1;
}
