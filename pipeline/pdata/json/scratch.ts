/**
 * Memory that a conversion writes into before its result is copied out at its exact size: a fresh buffer per request
 * costs more than filling it. Whoever takes it has it alone until it is given back, also across the pauses of a
 * conversion in steps; who comes meanwhile gets a fresh one. The largest given back is kept, up to 4 MiB.
 */
let kept: Buffer = Buffer.alloc(0);

const largestKept = 4 * 1024 * 1024;

/** A buffer of at least `size` bytes with anything in it. Give it back with `giveBack`. */
export function takeScratch(size: number): Buffer {
  const buffer = kept;
  kept = Buffer.alloc(0);
  return buffer.length >= size ? buffer : Buffer.allocUnsafeSlow(roundedUp(size));
}

/** Returns a scratch buffer: nothing may point into it any more. */
export function giveBack(buffer: Buffer): void {
  if (buffer.length <= largestKept && buffer.length > kept.length) kept = buffer;
}

function roundedUp(size: number): number {
  return Math.max(64 * 1024, 2 ** Math.ceil(Math.log2(size)));
}
