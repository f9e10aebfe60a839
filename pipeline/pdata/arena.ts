/** A growing scratch buffer for the bytes that edits bring in. Positions in it survive growth, references do not. */
export class Arena {
  bytes: Buffer = Buffer.allocUnsafeSlow(4096);
  view = new DataView(this.bytes.buffer);
  used = 0;

  /** Takes `size` bytes and returns their position. */
  reserve(size: number): number {
    const at = this.used;
    this.used += size;
    if (this.used > this.bytes.length) this.#grow();
    return at;
  }

  #grow(): void {
    const grown = Buffer.allocUnsafeSlow(Math.max(this.used, this.bytes.length * 2));
    this.bytes.copy(grown);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** Copies `size` bytes between buffers; by words below the size from which Node's own copy is faster. */
export function copyBytes(
  source: Buffer,
  sourceView: DataView,
  from: number,
  target: Buffer,
  targetView: DataView,
  at: number,
  size: number,
): void {
  if (size > 160) {
    source.copy(target, at, from, from + size);
    return;
  }
  let index = 0;
  // Four words a turn: half the time of one, as the checks of the loop cost as much as the words.
  for (const last = size - 16; index <= last; index += 16) {
    targetView.setInt32(at + index, sourceView.getInt32(from + index, true), true);
    targetView.setInt32(at + index + 4, sourceView.getInt32(from + index + 4, true), true);
    targetView.setInt32(at + index + 8, sourceView.getInt32(from + index + 8, true), true);
    targetView.setInt32(at + index + 12, sourceView.getInt32(from + index + 12, true), true);
  }
  for (const words = size & ~3; index < words; index += 4) {
    targetView.setInt32(at + index, sourceView.getInt32(from + index, true), true);
  }
  for (; index < size; index++) target[at + index] = source[from + index]!;
}
