/** The one place where pdata gets its buffers, so that a pool can come in here. */
export function allocate(size: number): Buffer {
  return Buffer.allocUnsafeSlow(size);
}
