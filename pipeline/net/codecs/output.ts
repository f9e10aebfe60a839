/** Decompressed bytes as they come, up to a limit. */
export class Output {
  readonly #maxBytes: number;
  bytes: Buffer;
  length = 0;

  constructor(maxBytes: number, expectedBytes: number) {
    this.#maxBytes = maxBytes;
    this.bytes = Buffer.allocUnsafe(Math.min(maxBytes, Math.max(expectedBytes, 1_024)));
  }

  /** Makes room for `count` bytes more. @throws {OutputFull} when that is over the limit. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed > this.#maxBytes) throw new OutputFull();
    if (needed <= this.bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.min(this.#maxBytes, Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(larger, 0, 0, this.length);
    this.bytes = larger;
  }

  /** Appends bytes of the input; room must be there. */
  append(source: Uint8Array, start: number, end: number): void {
    if (end - start > 32) this.bytes.set(source.subarray(start, end), this.length);
    else for (let at = start, to = this.length; at < end; ) this.bytes[to++] = source[at++] as number;
    this.length += end - start;
  }

  /** Appends `count` bytes of what is `distance` bytes back, which may reach into what is being written; room must be there. */
  repeat(distance: number, count: number): void {
    const { bytes, length } = this;
    if (distance >= count && count > 32) bytes.copyWithin(length, length - distance, length - distance + count);
    else for (let to = length; to < length + count; to++) bytes[to] = bytes[to - distance] as number;
    this.length += count;
  }

  /** What has been written. */
  taken(): Buffer {
    return this.bytes.subarray(0, this.length);
  }
}

/** The output is over its limit. */
export class OutputFull extends Error {}
