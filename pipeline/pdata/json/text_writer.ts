import type { Words } from "./plan.ts";
import { firstSpecial } from "./scanner.ts";
import { giveBack, takeScratch } from "./scratch.ts";

/** Most bytes a name, a number and the punctuation around them take. */
const headroom = 128;

const hexPairs = Uint16Array.from({ length: 256 }, (_, byte) => {
  const digits = byte.toString(16).padStart(2, "0");
  return digits.charCodeAt(0) | (digits.charCodeAt(1) << 8);
});

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
    const result = this.take();
    this.release();
    return result;
  }

  /** What was written, in memory of its own; what comes next is written anew. */
  take(): Buffer {
    const result = Buffer.from(this.bytes.subarray(0, this.at));
    this.at = 0;
    return result;
  }

  /** Gives the scratch memory back. */
  release(): void {
    giveBack(this.bytes);
  }

  /** Makes room for `size` bytes, a name, a number and punctuation; what writes these does not ask for room. */
  reserve(size: number): void {
    if (this.at + size + headroom <= this.bytes.length) return;
    const larger = takeScratch(Math.max(this.bytes.length * 2, this.at + size + headroom));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
    this.view = new DataView(larger.buffer, larger.byteOffset, larger.byteLength);
  }

  /** One ASCII character. */
  char(code: number): void {
    this.bytes[this.at++] = code;
  }

  /** Text from its words. */
  constant({ words, size }: Words): void {
    const { view, at } = this;
    const last = words.length - 1;
    for (let index = 0; index < last; index += 1) view.setInt32(at + index * 4, words[index]!, true);
    view.setInt32(at + size - 4, words[last]!, true);
    this.at += size;
  }

  /** Short ASCII text as it is. */
  ascii(text: string): void {
    for (let index = 0; index < text.length; index += 1) this.bytes[this.at++] = text.charCodeAt(index);
  }

  /** UTF-8 bytes as a JSON string. */
  string(source: Buffer, view: DataView, from: number, to: number): void {
    this.reserve(to - from);
    this.char(34);
    let start = from;
    for (;;) {
      const plainEnd = to - start < 160 ? start : this.copyWords(source, view, start, to);
      const stop = this.copyPlain(source, view, plainEnd, to, this.at + plainEnd - start);
      this.at += stop - start;
      if (stop === to) break;
      this.reserve(to - stop + 6);
      this.escape(source[stop]!);
      start = stop + 1;
    }
    this.char(34);
  }

  /** Copies to `at` up to the first byte that JSON wants escaped, or to `to`; returns where that is. */
  private copyPlain(source: Buffer, view: DataView, from: number, to: number, at: number): number {
    const target = this.view;
    let read = from;
    let write = at;
    for (const lastWord = to - 4; read <= lastWord; read += 4) {
      const word = view.getInt32(read, true);
      target.setInt32(write, word, true);
      const hit = firstSpecial(word);
      if (hit < 4) return read + hit;
      write += 4;
    }
    for (; read < to; read += 1) {
      const byte = source[read]!;
      if (byte < 32 || byte === 34 || byte === 92) return read;
      this.bytes[write] = byte;
      write += 1;
    }
    return to;
  }

  /** Copies the words of a long text that need no escape, by the native copy; returns where they end. */
  private copyWords(source: Buffer, view: DataView, from: number, to: number): number {
    let stop = from;
    for (const lastWord = to - 4; stop <= lastWord; stop += 4) {
      if (firstSpecial(view.getInt32(stop, true)) < 4) break;
    }
    source.copy(this.bytes, this.at, from, stop);
    return stop;
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
    if (value < 10) {
      this.char(48 + value);
      return;
    }
    if (value > 0x7fffffff) {
      this.unsigned(Math.floor(value / 10));
      this.char(48 + (value % 10));
      return;
    }
    let rest = value | 0;
    let at = this.at + digitCount(rest);
    this.at = at;
    while (rest > 0) {
      const next = (rest / 10) | 0;
      at -= 1;
      this.bytes[at] = 48 + rest - next * 10;
      rest = next;
    }
  }

  /** A 32-bit integer as a JSON number. */
  int32(value: number): void {
    if (value < 0) this.char(45);
    this.unsigned(Math.abs(value));
  }

  /** A double as Go writes it: shortest digits, an exponent of two digits or more below 1e-6 and from 1e21 on. */
  double(value: number): void {
    const magnitude = Math.abs(value);
    if (magnitude < 4294967296 && !Object.is(value, -0)) {
      const thousandths = Math.round(magnitude * 1000);
      if (thousandths / 1000 === magnitude) {
        this.thousandths(value < 0, thousandths);
        return;
      }
    }
    this.ascii(doubleText(value));
  }

  /** Few enough digits to be the shortest that name this double. */
  private thousandths(isNegative: boolean, value: number): void {
    if (isNegative) this.char(45);
    const whole = Math.floor(value / 1000);
    this.unsigned(whole);
    const rest = value - whole * 1000;
    if (rest === 0) return;
    this.char(46);
    this.char(48 + Math.floor(rest / 100));
    if (rest % 100 === 0) return;
    this.char(48 + (Math.floor(rest / 10) % 10));
    if (rest % 10 !== 0) this.char(48 + (rest % 10));
  }
}

/** Digits of a number up to 2^31 - 1. */
function digitCount(value: number): number {
  if (value < 100000) return value < 100 ? (value < 10 ? 1 : 2) : value < 1000 ? 3 : value < 10000 ? 4 : 5;
  if (value < 10000000) return value < 1000000 ? 6 : 7;
  return value < 100000000 ? 8 : value < 1000000000 ? 9 : 10;
}

function doubleText(value: number): string {
  if (Number.isNaN(value)) return '"NaN"';
  if (!Number.isFinite(value)) return value > 0 ? '"Infinity"' : '"-Infinity"';
  if (Object.is(value, -0)) return "-0";
  const text = String(value);
  return Math.abs(value) < 1e-6 ? text.replace(/e-(\d)$/, "e-0$1") : text;
}
