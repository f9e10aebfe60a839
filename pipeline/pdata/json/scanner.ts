import { isUtf8 } from "node:buffer";
import { decodeUtf8 } from "../strings.ts";
import { WireError } from "../wire_error.ts";
import type { JsonField, Words } from "./plan.ts";

const ones = 0x01010101;
const quotes = 0x22222222;
const backslashes = 0x5c5c5c5c;
const spaces = 0x20202020;
const highBits = 0x80808080 | 0;

/** Which of the four bytes of a little-endian word is the first quote, backslash or control character; 4 when none is. */
export function firstSpecial(word: number): number {
  const hits = (((word ^ quotes) - ones) | ((word ^ backslashes) - ones) | (word - spaces)) & ~word & highBits;
  return hits === 0 ? 4 : (31 - Math.clz32(hits & -hits)) >> 3;
}

/** How deep messages may nest, and how deep an unknown value may. */
export const maximumDepth = 100;

/**
 * Reads JSON tokens from bytes. The methods move `at`; what a token was is left in the other fields, because returning
 * objects would cost more than reading. Strict JSON, except that nothing behind the top-level value is looked at.
 */
export class JsonScanner {
  readonly bytes: Buffer;
  readonly view: DataView;
  readonly end: number;
  at = 0;
  /** The content of the last string or number: `[start, stop)`. */
  start = 0;
  stop = 0;
  /** Whether the last string holds escapes. */
  isEscaped = false;
  /** Whether only what the OTLP specification calls valid is known: names in camelCase, enums as integers. */
  isStrict = false;
  /** Whether strings still have to be checked, since the body as a whole is not UTF-8. */
  readonly checksUtf8: boolean;
  depth = 0;
  /** The field being read at each depth, and the element of it, or -1. */
  readonly fields: (JsonField | undefined)[] = [undefined];
  readonly elements: number[] = [-1];
  /** The member being read when an attribute is read in one go, which leaves `fields` alone. */
  attributeMember: JsonField | undefined;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.end = bytes.length;
    this.checksUtf8 = !isUtf8(bytes);
  }

  /** The next byte that is not white space, -1 at the end; stays on it. */
  peek(): number {
    const { bytes, end } = this;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte > 32 || (byte !== 32 && byte !== 10 && byte !== 13 && byte !== 9)) {
        this.at = at;
        return byte;
      }
      at += 1;
    }
    this.at = at;
    return -1;
  }

  /** Whether this text stands at `at`. */
  matches({ words, size }: Words, at: number): boolean {
    if (at + size > this.end) return false;
    const { view } = this;
    const last = words.length - 1;
    for (let index = 0; index < last; index += 1) {
      if (view.getInt32(at + index * 4, true) !== words[index]) return false;
    }
    return view.getInt32(at + size - 4, true) === words[last];
  }

  /** Reads this text if it stands at `at`. */
  takes(text: Words): boolean {
    if (!this.matches(text, this.at)) return false;
    this.at += text.size;
    return true;
  }

  /** Reads the string whose opening quote is at `at`. */
  string(): void {
    const { bytes, view, end } = this;
    const lastWord = end - 4;
    let at = this.at + 1;
    this.start = at;
    this.isEscaped = false;
    for (;;) {
      while (at <= lastWord) {
        const word = view.getInt32(at, true);
        const hit = firstSpecial(word);
        if (hit < 4) {
          at += hit;
          break;
        }
        at += 4;
      }
      if (at >= end) this.fail("the text ends inside a string", this.start - 1);
      const byte = bytes[at]!;
      if (byte === 34) break;
      if (byte === 92) {
        this.isEscaped = true;
        at += 2;
      } else if (byte < 32) this.fail("a control character in a string", at);
      else at += 1;
    }
    this.stop = at;
    this.at = at + 1;
    if (this.checksUtf8 && !isUtf8(bytes.subarray(this.start, at))) {
      this.fail("a string is not UTF-8", this.start - 1);
    }
  }

  /** The last string or number as text, escapes undone; half a surrogate pair stays what it is. */
  text(): string {
    const raw = decodeUtf8(this.bytes, this.start, this.stop);
    return this.isEscaped ? this.unescaped(raw) : raw;
  }

  private unescaped(raw: string): string {
    try {
      return JSON.parse(`"${raw}"`) as string;
    } catch {
      return this.fail("a broken escape in a string", this.start - 1);
    }
  }

  /** Reads the number that begins at `at`; true when it has neither fraction nor exponent. */
  number(): boolean {
    this.start = this.at;
    if (this.bytes[this.at] === 45) this.at += 1;
    const integral = this.at;
    this.digits();
    if (this.bytes[integral] === 48 && this.at > integral + 1) this.fail("a number begins with 0", this.start);
    let isInteger = true;
    if (this.at < this.end && this.bytes[this.at] === 46) {
      isInteger = false;
      this.at += 1;
      this.digits();
    }
    if (this.at < this.end && (this.bytes[this.at]! | 32) === 101) {
      isInteger = false;
      this.at += 1;
      const sign = this.at < this.end ? this.bytes[this.at] : 0;
      if (sign === 43 || sign === 45) this.at += 1;
      this.digits();
    }
    this.stop = this.at;
    this.isEscaped = false;
    return isInteger;
  }

  private digits(): void {
    const { bytes, end } = this;
    const from = this.at;
    let at = from;
    while (at < end) {
      const byte = bytes[at]!;
      if (byte < 48 || byte > 57) break;
      at += 1;
    }
    if (at === from) this.fail("a number lacks a digit", this.start);
    this.at = at;
  }

  /** Reads `true`, `false` or `null`, whose first letter is at `at`. */
  literal(word: string): void {
    for (let index = 0; index < word.length; index += 1) {
      if (this.at + index >= this.end || this.bytes[this.at + index] !== word.charCodeAt(index)) {
        this.fail("an unknown word", this.at);
      }
    }
    this.at += word.length;
  }

  /** Reads past any value. */
  skipValue(depth = 1): void {
    const byte = this.peek();
    if (byte === 34) this.checkedString();
    else if (byte === 123 || byte === 91) this.skipItems(byte === 123, depth);
    else if (byte === 116) this.literal("true");
    else if (byte === 102) this.literal("false");
    else if (byte === 110) this.literal("null");
    else if (byte === 45 || (byte >= 48 && byte <= 57)) this.number();
    else this.fail("not a value", this.at);
  }

  private skipItems(isObject: boolean, depth: number): void {
    if (depth > maximumDepth) this.fail(`an unknown value is nested more than ${maximumDepth} deep`, this.at);
    const close = isObject ? 125 : 93;
    this.at += 1;
    if (this.peek() === close) {
      this.at += 1;
      return;
    }
    for (;;) {
      if (isObject) this.skipName();
      this.skipValue(depth + 1);
      if (!this.more(close)) return;
    }
  }

  private skipName(): void {
    if (this.peek() !== 34) this.fail("expected a name in quotes", this.at);
    this.checkedString();
    this.colon();
  }

  private checkedString(): void {
    this.string();
    if (this.isEscaped) this.text();
  }

  colon(): void {
    if (this.peek() !== 58) this.fail("expected a colon", this.at);
    this.at += 1;
  }

  /** Reads a comma (true) or the closing bracket (false). */
  more(close: number): boolean {
    const byte = this.peek();
    if (byte !== 44 && byte !== close) this.fail(`expected a comma or ${String.fromCharCode(close)}`, this.at);
    this.at += 1;
    return byte === 44;
  }

  /** @throws {WireError} always */
  fail(reason: string, at: number): never {
    const what = at >= this.end && this.at >= this.end ? "the text ends too early" : reason;
    throw new WireError(what, this.path(), Math.min(at, this.end));
  }

  private path(): string {
    const steps: string[] = [];
    for (let depth = 1; depth <= this.depth && depth <= maximumDepth; depth += 1) {
      const field = this.fields[depth];
      if (field === undefined) break;
      steps.push(this.elements[depth]! < 0 ? field.name : `${field.name}[${this.elements[depth]}]`);
    }
    if (this.attributeMember !== undefined) steps.push("value", this.attributeMember.name);
    return steps.join(".");
  }
}
