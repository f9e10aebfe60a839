/**
 * Writes protobuf from the end to the beginning: what a message holds is written before its length, which is known
 * then. Many times faster than building a message from objects, which matters at tens of thousands of spans a second.
 */
export class WireWriter {
  #bytes: Buffer;
  #at: number;

  constructor(sizeBytes = 1024 * 1024) {
    this.#bytes = Buffer.allocUnsafeSlow(sizeBytes);
    this.#at = sizeBytes;
  }

  /** How much has been written: `endMessage` takes it as the mark of where a message ends. */
  get length(): number {
    return this.#bytes.length - this.#at;
  }

  /** A copy of all that was written; begins anew. */
  take(): Buffer {
    const taken = Buffer.from(this.#bytes.subarray(this.#at));
    this.#at = this.#bytes.length;
    return taken;
  }

  /** Turns what has been written since `mark` into a message field. */
  endMessage(field: number, mark: number): void {
    this.#varint(this.length - mark);
    this.#varint(field * 8 + 2);
  }

  text(field: number, text: string): void {
    const most = text.length * 3;
    this.#reserve(most + 16);
    // Written ahead of its place: how long UTF-8 gets is known only afterwards.
    const length = this.#bytes.write(text, this.#at - most, most);
    this.#bytes.copyWithin(this.#at - length, this.#at - most, this.#at - most + length);
    this.#at -= length;
    this.#varint(length);
    this.#varint(field * 8 + 2);
  }

  bytes(field: number, bytes: Buffer): void {
    this.#reserve(bytes.length + 16);
    this.#at -= bytes.length;
    bytes.copy(this.#bytes, this.#at);
    this.#varint(bytes.length);
    this.#varint(field * 8 + 2);
  }

  /** A whole number that is not negative and below 2^53. */
  unsigned(field: number, value: number): void {
    this.#varint(value);
    this.#varint(field * 8);
  }

  fixed64(field: number, value: bigint): void {
    this.#reserve(16);
    this.#at -= 8;
    this.#bytes.writeBigUInt64LE(value, this.#at);
    this.#varint(field * 8 + 1);
  }

  double(field: number, value: number): void {
    this.#reserve(16);
    this.#at -= 8;
    this.#bytes.writeDoubleLE(value, this.#at);
    this.#varint(field * 8 + 1);
  }

  #varint(value: number): void {
    this.#reserve(10);
    let size = 1;
    for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) size++;
    this.#at -= size;
    let rest = value;
    for (let index = 0; index < size; index++) {
      this.#bytes[this.#at + index] = (rest % 128) + (index < size - 1 ? 128 : 0);
      rest = Math.floor(rest / 128);
    }
  }

  #reserve(sizeBytes: number): void {
    if (this.#at >= sizeBytes) return;
    const written = this.#bytes.subarray(this.#at);
    const larger = Buffer.allocUnsafeSlow(2 * this.#bytes.length + sizeBytes);
    this.#at = larger.length - written.length;
    written.copy(larger, this.#at);
    this.#bytes = larger;
  }
}
