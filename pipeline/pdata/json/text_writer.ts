import { copyBytes } from "./proto_writer.ts";
import { giveBack, takeScratch } from "./scratch.ts";

/** Most bytes a number and the punctuation around it take. */
const headroom = 48;

const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  const digits = byte.toString(16).padStart(2, "0");
  return digits.charCodeAt(0) | (digits.charCodeAt(1) << 8);
});

const ones = 0x01010101;
const quotes = 0x22222222;
const backslashes = 0x5c5c5c5c;
const spaces = 0x20202020;
const highBits = 0x80808080 | 0;

/** Writes JSON text forwards into scratch memory. */
export class TextWriter {
  bytes: Buffer;
  view: DataView;
  at = 0;

  constructor(sizeHint: number) {
    this.bytes = takeScratch(sizeHint + headroom);
    this.view = new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength);
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

  /** Makes room for `size` bytes, a number and the punctuation around it. */
  reserve(size: number): void {
    if (this.at + size + headroom <= this.bytes.length) return;
    const larger = takeScratch(Math.max(this.bytes.length * 2, this.at + size + headroom));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
    this.view = new DataView(larger.buffer, larger.byteOffset, larger.byteLength);
  }

  /** One ASCII character; there is room for some after any `reserve`. */
  char(code: number): void {
    this.bytes[this.at++] = code;
  }

  /** `"name":` from its words. */
  label(words: Int32Array, size: number): void {
    this.reserve(size);
    let { at } = this;
    for (let index = 0; index < words.length; index += 1) {
      this.view.setInt32(at, words[index]!, true);
      at += 4;
    }
    this.at += size;
  }

  /** ASCII text as it is. */
  ascii(text: string): void {
    this.reserve(text.length);
    for (let index = 0; index < text.length; index += 1) this.bytes[this.at++] = text.charCodeAt(index);
  }

  /** UTF-8 bytes as a JSON string. */
  string(source: Buffer, view: DataView, from: number, to: number): void {
    this.reserve(to - from);
    this.char(34);
    let start = from;
    for (;;) {
      const stop = this.nextSpecial(source, view, start, to);
      this.reserve(stop - start + 6);
      copyBytes(source, view, start, stop, this.bytes, this.view, this.at);
      this.at += stop - start;
      if (stop === to) break;
      this.escape(source[stop]!);
      start = stop + 1;
    }
    this.char(34);
  }

  /** Position of the first byte that JSON wants escaped, or `to`. */
  private nextSpecial(source: Buffer, view: DataView, from: number, to: number): number {
    let at = from;
    for (const lastWord = to - 4; at <= lastWord; at += 4) {
      const word = view.getInt32(at, true);
      const hits = (((word ^ quotes) - ones) | ((word ^ backslashes) - ones) | (word - spaces)) & ~word & highBits;
      if (hits !== 0) return at + ((31 - Math.clz32(hits & -hits)) >> 3);
    }
    for (; at < to; at += 1) {
      const byte = source[at]!;
      if (byte < 32 || byte === 34 || byte === 92) return at;
    }
    return to;
  }

  private escape(byte: number): void {
    this.char(92);
    if (byte === 34 || byte === 92) this.char(byte);
    else if (byte === 10) this.char(110);
    else if (byte === 13) this.char(114);
    else if (byte === 9) this.char(116);
    else {
      this.char(117);
      this.char(48);
      this.char(48);
      this.hexPair(byte);
    }
  }

  private hexPair(byte: number): void {
    this.view.setUint16(this.at, hexPairs[byte]!, true);
    this.at += 2;
  }

  /** Bytes as a JSON string of lower-case hex. */
  hex(source: Buffer, from: number, to: number): void {
    this.reserve((to - from) * 2);
    this.char(34);
    for (let at = from; at < to; at += 1) this.hexPair(source[at]!);
    this.char(34);
  }

  /** Bytes as a JSON string of base64. */
  base64(source: Buffer, from: number, to: number): void {
    const text = source.toString("base64", from, to);
    this.reserve(text.length);
    this.char(34);
    this.at += this.bytes.write(text, this.at, "latin1");
    this.char(34);
  }

  /** A 64-bit integer as a JSON string of its decimal digits, from its unsigned halves. */
  integer64(low: number, high: number, isSigned: boolean): void {
    this.reserve(0);
    this.char(34);
    if (isSigned && high > 0x7fffffff) {
      this.char(45);
      const negated = -low >>> 0;
      this.unsigned64(negated, (~high + (negated === 0 ? 1 : 0)) >>> 0);
    } else this.unsigned64(low, high);
    this.char(34);
  }

  private unsigned64(low: number, high: number): void {
    if (high === 0) {
      this.unsigned(low);
      return;
    }
    let quotient = Math.floor((high * 4294967296 + low) / 1e9);
    let remainder = (low - Math.imul((quotient % 4294967296) | 0, 1000000000)) | 0;
    if (remainder < 0) {
      remainder += 1000000000;
      quotient -= 1;
    } else if (remainder >= 1000000000) {
      remainder -= 1000000000;
      quotient += 1;
    }
    if (quotient < 4294967296) this.unsigned(quotient);
    else {
      this.unsigned(Math.floor(quotient / 1e9));
      this.nineDigits(quotient % 1e9);
    }
    this.nineDigits(remainder);
  }

  private nineDigits(value: number): void {
    let rest = value;
    for (let at = this.at + 8; at >= this.at; at -= 1) {
      const next = (rest / 10) | 0;
      this.bytes[at] = 48 + rest - next * 10;
      rest = next;
    }
    this.at += 9;
  }

  /** A number up to 2^32 - 1 in decimal digits. */
  unsigned(value: number): void {
    let size = 1;
    for (let rest = value; rest >= 10; rest = Math.floor(rest / 10)) size += 1;
    let rest = value;
    for (let at = this.at + size - 1; at >= this.at; at -= 1) {
      const next = Math.floor(rest / 10);
      this.bytes[at] = 48 + rest - next * 10;
      rest = next;
    }
    this.at += size;
  }

  /** A 32-bit integer as a JSON number. */
  int32(value: number): void {
    this.reserve(0);
    if (value < 0) this.char(45);
    this.unsigned(Math.abs(value));
  }

  /** A double as Go writes it: shortest digits, an exponent of two digits or more below 1e-6 and from 1e21 on. */
  double(value: number): void {
    this.reserve(0);
    if (Number.isInteger(value) && Math.abs(value) < 4294967296 && !Object.is(value, -0)) this.int32(value);
    else if (Number.isFinite(value)) {
      this.ascii(Object.is(value, -0) ? "-0" : String(value).replace(/e([+-])(\d)$/, "e$10$2"));
    } else this.ascii(Number.isNaN(value) ? '"NaN"' : value > 0 ? '"Infinity"' : '"-Infinity"');
  }
}
