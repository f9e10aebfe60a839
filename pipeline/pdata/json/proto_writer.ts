import { varintSize, writeVarint } from "../wire.ts";
import { giveBack, takeScratch } from "./scratch.ts";

/** Buffer writes UTF-8 by Node's own encoder, without a checked wrapper; Node's types do not know it. */
interface Utf8Buffer {
  utf8Write(text: string, at: number, size: number): number;
}

/** Most bytes a tag, a length and a 64-bit number take together. */
const headroom = 24;

/** Writes protobuf forwards into scratch memory: a message's length gets one byte, and is moved apart when it outgrows it. */
export class ProtoWriter {
  bytes: Buffer;
  view: DataView;
  at = 0;

  constructor(sizeHint: number) {
    this.bytes = takeScratch(sizeHint + headroom);
    this.view = viewOf(this.bytes);
  }

  /** What was written, in memory of its own. The writer is used up. */
  finish(): Buffer {
    const result = Buffer.from(this.bytes.subarray(0, this.at));
    this.release();
    return result;
  }

  /** Gives the scratch memory back. */
  release(): void {
    giveBack(this.bytes);
  }

  /** Makes room for `size` bytes and a tag, a length and a number; the methods for these do not ask for room. */
  reserve(size: number): void {
    if (this.at + size + headroom <= this.bytes.length) return;
    const larger = takeScratch(Math.max(this.bytes.length * 2, this.at + size + headroom));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
    this.view = viewOf(larger);
  }

  /** Writes a tag; tags of OTLP take one or two bytes. */
  tag(tag: number): void {
    if (tag < 128) this.bytes[this.at++] = tag;
    else {
      this.bytes[this.at++] = (tag & 127) | 128;
      this.bytes[this.at++] = tag >> 7;
    }
  }

  /** Begins a length-delimited payload and returns where its length goes. */
  open(tag: number): number {
    this.tag(tag);
    this.at += 1;
    return this.at - 1;
  }

  /** Ends the payload whose length goes to `lengthAt`. */
  close(lengthAt: number): void {
    const size = this.at - lengthAt - 1;
    if (size < 128) {
      this.bytes[lengthAt] = size;
      return;
    }
    const extra = varintSize(size) - 1;
    this.reserve(extra);
    this.bytes.copyWithin(lengthAt + 1 + extra, lengthAt + 1, this.at);
    writeVarint(this.bytes, lengthAt, size);
    this.at += extra;
  }

  /** Takes `[from, to)` out again; what follows moves up. */
  remove(from: number, to: number): void {
    this.bytes.copyWithin(from, to, this.at);
    this.at -= to - from;
  }

  /** A 64-bit varint from its unsigned halves. */
  varint(low: number, high: number): void {
    const { bytes } = this;
    let { at } = this;
    let restLow = low;
    let restHigh = high;
    while (restHigh !== 0 || restLow > 127) {
      bytes[at++] = (restLow & 127) | 128;
      restLow = ((restLow >>> 7) | (restHigh << 25)) >>> 0;
      restHigh >>>= 7;
    }
    bytes[at++] = restLow;
    this.at = at;
  }

  fixed32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }

  fixed64(low: number, high: number): void {
    this.view.setUint32(this.at, low, true);
    this.view.setUint32(this.at + 4, high, true);
    this.at += 8;
  }

  double(value: number): void {
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** A length and that many bytes of `source`. */
  delimited(source: Buffer, view: DataView, from: number, to: number): void {
    const size = to - from;
    this.reserve(size);
    this.at = size < 128 ? this.at + 1 : writeVarint(this.bytes, this.at, size);
    if (size < 128) this.bytes[this.at - 1] = size;
    copyBytes(source, view, from, to, this.bytes, this.view, this.at);
    this.at += size;
  }

  /** A length and text as UTF-8; half a surrogate pair becomes U+FFFD. */
  text(text: string): void {
    const size = Buffer.byteLength(text);
    this.reserve(size);
    this.at = writeVarint(this.bytes, this.at, size);
    (this.bytes as unknown as Utf8Buffer).utf8Write(text, this.at, size);
    this.at += size;
  }
}

/** Copies `[from, to)` to `at`, by words where that beats the native copy. */
export function copyBytes(
  source: Buffer,
  sourceView: DataView,
  from: number,
  to: number,
  target: Buffer,
  targetView: DataView,
  at: number,
): void {
  if (to - from > 160) {
    source.copy(target, at, from, to);
    return;
  }
  let read = from;
  let write = at;
  for (const lastWord = to - 4; read <= lastWord; read += 4) {
    targetView.setInt32(write, sourceView.getInt32(read, true), true);
    write += 4;
  }
  for (; read < to; read += 1) {
    target[write] = source[read]!;
    write += 1;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
