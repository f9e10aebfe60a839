import { readBase64, readHex } from "./encodings.ts";
import { integer, readInteger, readNumber, readNumberText, readShortInteger } from "./numbers.ts";
import type { JsonField } from "./plan.ts";
import { kinds } from "./plan.ts";
import { ProtoWriter } from "./proto_writer.ts";
import { firstSpecial, JsonScanner } from "./scanner.ts";

/** Reads JSON values that are no messages and writes them as protobuf. */
export class ScalarParser extends JsonScanner {
  readonly out: ProtoWriter;

  constructor(bytes: Buffer) {
    super(bytes);
    this.out = new ProtoWriter(bytes.length);
  }

  /** Reads one value and writes it with its tag. A zero is left out where it means "not there", unless it is kept. */
  scalar(field: JsonField, keepsZero: boolean): void {
    const { out } = this;
    switch (field.kind) {
      case kinds.string:
        this.stringValue(field, keepsZero);
        return;
      case kinds.id:
        this.idValue(field, keepsZero);
        return;
      case kinds.bytes:
        this.bytesValue(field, keepsZero);
        return;
      default: {
        const from = out.at;
        out.tag(field.tag);
        const isZero = this.number64(field);
        if (isZero && field.implicit && !keepsZero) out.at = from;
      }
    }
  }

  private stringValue(field: JsonField, keepsZero: boolean): void {
    const isLeftOutEmpty = field.implicit && !keepsZero;
    const byte = this.peek();
    if (byte === 34) {
      if (this.shortString(field.tag, isLeftOutEmpty)) return;
      this.string();
    } else {
      if (byte !== 110) this.fail("expected text", this.at);
      this.literal("null");
      this.start = this.stop;
      this.isEscaped = false;
    }
    if (this.start === this.stop && isLeftOutEmpty) return;
    this.out.tag(field.tag);
    if (this.isEscaped) this.out.text(this.text());
    else this.out.delimited(this.bytes, this.view, this.start, this.stop);
  }

  /**
   * Reads the string whose quote is at `at` and writes it, tag and length included, in one go. False, with nothing
   * done, when it has 128 bytes or more, escapes, lies near the end of the body, or must be checked for UTF-8.
   */
  shortString(tag: number, isLeftOutEmpty: boolean): boolean {
    if (this.checksUtf8 || this.at + 132 > this.end) return false;
    const { bytes, view, out } = this;
    out.reserve(132);
    const target = out.view;
    const start = this.at + 1;
    const content = out.at + (tag < 128 ? 2 : 3);
    for (let offset = 0; offset < 128; offset += 4) {
      const word = view.getInt32(start + offset, true);
      target.setInt32(content + offset, word, true);
      const hit = firstSpecial(word);
      if (hit === 4) continue;
      const size = offset + hit;
      if (bytes[start + size] !== 34) return false;
      this.at = start + size + 1;
      if (size === 0 && isLeftOutEmpty) return true;
      out.tag(tag);
      out.bytes[out.at] = size;
      out.at = content + size;
      return true;
    }
    return false;
  }

  private idValue(field: JsonField, keepsZero: boolean): void {
    if (this.peek() !== 34) this.fail("expected an id in hex", this.at);
    const { out, bytes, at } = this;
    const digits = field.idSize * 2;
    const stop = at + 1 + digits;
    if (stop < this.end && bytes[stop] === 34 && bytes[at + 1] !== 34) {
      const lengthAt = out.open(field.tag);
      if (!readHex(bytes, at + 1, stop, out)) this.fail(`expected ${digits} hex digits or none`, at);
      out.close(lengthAt);
      this.at = stop + 1;
      return;
    }
    this.string();
    if (this.start !== this.stop) this.fail(`expected ${digits} hex digits or none`, at);
    if (!field.implicit || keepsZero) out.close(out.open(field.tag));
  }

  private bytesValue(field: JsonField, keepsZero: boolean): void {
    const { out } = this;
    if (this.peek() !== 34) this.fail("expected bytes in base64", this.at);
    const { at } = this;
    this.string();
    if (this.start === this.stop && field.implicit && !keepsZero) return;
    out.reserve(this.stop - this.start);
    const lengthAt = out.open(field.tag);
    if (!readBase64(this, out)) this.fail("not base64", at);
    out.close(lengthAt);
  }

  /** Reads a value that is a number on the wire and writes it without its tag: true when it is zero. */
  number64(field: JsonField): boolean {
    const { out } = this;
    switch (field.kind) {
      case kinds.fixed64:
        this.integer(false);
        out.fixed64(integer.low, integer.high);
        break;
      case kinds.sfixed64:
        this.integer(true);
        out.fixed64(integer.low, integer.high);
        break;
      case kinds.int64:
        this.integer(true);
        out.varint(integer.low, integer.high);
        break;
      case kinds.uint64:
        this.integer(false);
        out.varint(integer.low, integer.high);
        break;
      case kinds.double:
        return this.double();
      case kinds.bool:
        return this.bool();
      case kinds.uint32:
      case kinds.fixed32:
        this.uint32(field);
        break;
      default:
        this.int32(field);
    }
    return integer.low === 0 && integer.high === 0;
  }

  private uint32(field: JsonField): void {
    this.peek();
    const { at } = this;
    this.integer(false);
    if (integer.high !== 0) this.fail("beyond 32 bits", at);
    if (field.kind === kinds.fixed32) this.out.fixed32(integer.low);
    else this.out.varint(integer.low, 0);
  }

  private int32(field: JsonField): void {
    const byte = this.peek();
    const { at } = this;
    if (field.kind === kinds.enum && byte === 34) {
      this.string();
      const value = this.isStrict ? undefined : field.enumNames.get(this.text());
      if (value === undefined)
        this.fail(this.isStrict ? "a text where an enum wants an integer" : "an unknown enum name", at);
      integer.low = value;
      integer.high = 0;
    } else this.integer(true);
    const { low, high } = integer;
    if (high !== (low > 0x7fffffff ? 0xffffffff : 0)) this.fail("beyond 32 bits", at);
    if (field.kind === kinds.sint32) this.out.varint(((low << 1) ^ (low >> 31)) >>> 0, 0);
    else this.out.varint(low, high);
  }

  /** Reads an integer into `integer`. */
  private integer(isSigned: boolean): void {
    const byte = this.peek();
    const { at } = this;
    const behind = readShortInteger(this.bytes, at, this.end);
    if (behind !== 0) {
      if (!isSigned || integer.high < 0x80000000) {
        this.at = behind;
        return;
      }
      this.fail("not an integer in range", at);
    }
    let isPlain = false;
    if (byte === 34) this.string();
    else if (byte === 45 || (byte >= 48 && byte <= 57)) isPlain = this.number();
    else this.fail("expected an integer", at);
    if (!readInteger(this, isPlain, isSigned)) this.fail("not an integer in range", at);
  }

  private double(): boolean {
    const byte = this.peek();
    const { at } = this;
    let value: number | undefined;
    if (byte === 34) {
      this.string();
      value = readNumberText(this.text());
    } else if (byte === 45 || (byte >= 48 && byte <= 57)) {
      this.number();
      value = readNumber(this);
    } else this.fail("expected a number", at);
    if (value === undefined) this.fail("not a number in range", at);
    this.out.double(value);
    return Object.is(value, 0);
  }

  private bool(): boolean {
    const isTrue = this.peek() === 116;
    if (!isTrue && this.peek() !== 102) this.fail("expected true or false", this.at);
    this.literal(isTrue ? "true" : "false");
    this.out.varint(isTrue ? 1 : 0, 0);
    return !isTrue;
  }
}
