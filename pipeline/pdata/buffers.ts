/**
 * The one place where pdata gets its buffers. A fresh buffer of a batch's size costs as much as an edit of the batch
 * (its pages have to be made), so buffers that were given back are used again.
 */

const smallest = 1 << 14;
const largest = 1 << 22;
const mostBytes = 1 << 26;

/** Memory given back, by its size. */
const idle = new Map<number, ArrayBuffer[]>();
let idleBytes = 0;

/** A buffer of exactly `size` bytes with any content. */
export function allocate(size: number): Buffer {
  if (size < smallest || size > largest) return Buffer.allocUnsafeSlow(size);
  const memory = idle.get(roundUp(size))?.pop();
  if (memory === undefined) return Buffer.from(Buffer.allocUnsafeSlow(roundUp(size)).buffer, 0, size);
  idleBytes -= memory.byteLength;
  return Buffer.from(memory, 0, size);
}

/** Gives a buffer of `allocate` back; nobody may read or write it afterwards. */
export function recycle(buffer: Buffer): void {
  const memory = buffer.buffer as ArrayBuffer;
  const { byteLength } = memory;
  if (byteLength < smallest || byteLength !== roundUp(buffer.length) || idleBytes + byteLength > mostBytes) return;
  const list = idle.get(byteLength);
  if (list === undefined) idle.set(byteLength, [memory]);
  else list.push(memory);
  idleBytes += byteLength;
}

/** The size class: five to eight eighths of a power of two, so that at most a quarter is wasted. */
function roundUp(size: number): number {
  const step = 1 << (29 - Math.clz32(size - 1));
  return Math.ceil(size / step) * step;
}
