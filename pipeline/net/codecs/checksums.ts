/** What each byte does to a CRC-32C, as the last one, the one before it, and so on: four tables behind one another. */
const castagnoli = new Uint32Array(4 * 256);
for (let byte = 0; byte < 256; byte++) {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  castagnoli[byte] = value;
}
for (let at = 256; at < castagnoli.length; at++) {
  const before = castagnoli[at - 256] as number;
  castagnoli[at] = (castagnoli[before & 0xff] as number) ^ (before >>> 8);
}

/** CRC-32C of bytes. */
export function crc32c(bytes: Buffer): number {
  let crc = -1;
  let at = 0;
  for (; at + 4 <= bytes.length; at += 4) {
    crc ^= bytes.readInt32LE(at);
    crc =
      (castagnoli[768 + (crc & 0xff)] as number) ^
      (castagnoli[512 + ((crc >>> 8) & 0xff)] as number) ^
      (castagnoli[256 + ((crc >>> 16) & 0xff)] as number) ^
      (castagnoli[crc >>> 24] as number);
  }
  for (; at < bytes.length; at++) {
    crc = (castagnoli[(crc ^ (bytes[at] as number)) & 0xff] as number) ^ (crc >>> 8);
  }
  return ~crc >>> 0;
}

const primes = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;

function rotated(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

/** xxHash of 32 bits, with seed 0. @see xxHash: `xxhash_spec.md`. */
export function xxh32(bytes: Buffer): number {
  const { length } = bytes;
  let at = 0;
  let hash = primes[4] as number;
  if (length >= 16) {
    const lanes = new Int32Array([primes[0] + primes[1], primes[1], 0, -primes[0]]);
    for (; at + 16 <= length; at += 16) {
      for (let lane = 0; lane < 4; lane++) {
        const mixed = ((lanes[lane] as number) + Math.imul(bytes.readInt32LE(at + 4 * lane), primes[1])) | 0;
        lanes[lane] = Math.imul(rotated(mixed, 13), primes[0]);
      }
    }
    hash = [1, 7, 12, 18].reduce((sum, by, lane) => (sum + rotated(lanes[lane] as number, by)) | 0, 0);
  }
  hash = (hash + length) | 0;
  for (; at + 4 <= length; at += 4) {
    hash = Math.imul(rotated((hash + Math.imul(bytes.readInt32LE(at), primes[2])) | 0, 17), primes[3]);
  }
  for (; at < length; at++) {
    hash = Math.imul(rotated((hash + Math.imul(bytes[at] as number, primes[4])) | 0, 11), primes[0]);
  }
  hash = Math.imul(hash ^ (hash >>> 15), primes[1]);
  hash = Math.imul(hash ^ (hash >>> 13), primes[2]);
  return (hash ^ (hash >>> 16)) >>> 0;
}
