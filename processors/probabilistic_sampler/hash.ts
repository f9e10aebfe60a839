import type { Bits56 } from "./bits56.ts";

const offsetBasis = 0x811c9dc5;
const prime = 0x01000193;

/** Buckets that hashes fall into: the 14 low bits of the hash. */
export const bucketCount = 0x4000;

/** The state of FNV-1a (32 bits) after the four bytes of `seed`, lowest first. */
export function seededState(seed: number): number {
  return fnv1a(Uint8Array.of(seed, seed >>> 8, seed >>> 16, seed >>> 24), offsetBasis);
}

/** FNV-1a over `bytes`, going on from `state`: an unsigned 32-bit number. */
export function fnv1a(bytes: Uint8Array, state: number): number {
  let hash = state;
  for (let at = 0; at < bytes.length; at++) hash = Math.imul(hash ^ bytes[at]!, prime);
  return hash >>> 0;
}

/** How many of the buckets a percentage keeps: reckoned in 32-bit floats and rounded down, as it has always been. */
export function keptBuckets(percentage: number): number {
  return Math.trunc(Math.fround(Math.fround(Math.min(percentage, 100)) * Math.fround(bucketCount / 100)));
}

/**
 * A hash as 56 bits of randomness: 14 bits that fall as the bucket rises, so that "bucket < kept" becomes
 * "threshold <= randomness"; 28 bits mixed of the hash's 14 high bits; the bucket itself.
 */
export function hashRandomness(hash: number): Bits56 {
  const bucket = hash & (bucketCount - 1);
  const rest = hash >>> 18;
  const mixed = rest ^ (rest << 10);
  return {
    high: ((bucketCount - 1 - bucket) << 14) | (mixed >>> 14),
    low: ((mixed & 0x3fff) << 14) | bucket,
  };
}

/** The threshold that keeps the given number of buckets. */
export function bucketThreshold(kept: number): Bits56 {
  return { high: (bucketCount - kept) * 2 ** 14, low: 0 };
}

/** The number of buckets that a threshold made by `bucketThreshold` keeps. */
export function bucketsOf(threshold: Bits56): number {
  return bucketCount - threshold.high / 2 ** 14;
}
