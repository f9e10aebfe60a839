import { keyValue } from "../objects/messages.ts";
import { requestType } from "../objects/requests.ts";
import type { Signal } from "../signal.ts";
import { readBase64, readHex } from "./encodings.ts";
import { integer, readInteger, readNumber, readNumberText } from "./numbers.ts";
import type { JsonField, JsonPlan, Words } from "./plan.ts";
import { kinds, nameSlot, planOf, wordsOf } from "./plan.ts";
import { ProtoWriter } from "./proto_writer.ts";
import { firstSpecial, JsonScanner, maximumDepth } from "./scanner.ts";

/**
 * Turns the OTLP/JSON text of an export request into its protobuf bytes, in one pass and without objects. It reads
 * what the Collector reads: names in camelCase or snake_case, unknown ones skipped; ids in hex of any case; other bytes
 * in base64; integers and doubles as numbers or text; enums as numbers or names; nothing behind the object matters.
 * More than the Collector: integers with a fraction or exponent when integral, and base64 as protobuf's JSON has it
 * (URL alphabet, no padding). Less: doubles in hexadecimal.
 *
 * null is a list, a message or text that is not there, an empty element in a list, and a oneof member without content
 * (`{"stringValue":null}` is the empty text); for numbers, booleans, enums, ids and bytes it is an error.
 *
 * When a name occurs twice in an object, lists join, messages merge, and the later of two scalars or oneof members
 * wins: an array value, a gauge and their like are replaced, never merged.
 *
 * @throws {WireError} with the JSON path and byte offset of the first fault
 */
export function fromJsonBytes(signal: Signal, body: Buffer): Buffer {
  const parser = new JsonParser(body);
  try {
    parser.message(planOf(requestType[signal]), false);
    return parser.out.finish();
  } catch (error) {
    parser.out.release();
    throw error;
  }
}

const attributePlan = planOf(keyValue);
const [keyField, valueField] = attributePlan.fields as [JsonField, JsonField];
const attributeOpening = wordsOf('{"key":');
const closingBraces = 0x7d7d;
const valueOpening = wordsOf(',"value":{"');

/** The scalars an attribute may be, by the low bits of their first letter; bytes share theirs with booleans and are rare. */
const scalarMembers: ({ text: Words; field: JsonField } | undefined)[] = Array.from({ length: 32 }, () => undefined);
for (const field of valueField.plan.fields) {
  if (["stringValue", "boolValue", "intValue", "doubleValue"].includes(field.name)) {
    scalarMembers[field.name.charCodeAt(0) & 31] = { text: wordsOf(`${field.name}":`), field };
  }
}

class JsonParser extends JsonScanner {
  readonly out: ProtoWriter;

  constructor(bytes: Buffer) {
    super(bytes);
    this.out = new ProtoWriter(bytes.length);
  }

  /**
   * Reads an object, or null, as a message; its length is the caller's business.
   *
   * @param keepsZeros whether zero scalars are written, because they may replace what was written before
   */
  message(plan: JsonPlan, keepsZeros: boolean): void {
    const first = this.peek();
    if (first !== 123) {
      if (first !== 110) this.fail("expected an object", this.at);
      this.literal("null");
      return;
    }
    if (this.depth > maximumDepth) this.fail(`messages are nested more than ${maximumDepth} deep`, this.at);
    this.at += 1;
    this.depth += 1;
    this.fields[this.depth] = undefined;
    if (this.peek() === 125) this.at += 1;
    else this.members(plan, keepsZeros);
    this.depth -= 1;
  }

  private members(plan: JsonPlan, keepsZeros: boolean): void {
    const { out, depth } = this;
    let seen = 0;
    let replacedFrom = -1;
    let replacedTo = -1;
    let previous: JsonField | undefined;
    do {
      const field = this.name(plan, previous);
      if (field === undefined) {
        this.fields[depth] = undefined;
        this.skipValue();
        continue;
      }
      previous = field;
      this.fields[depth] = field;
      this.elements[depth] = -1;
      const from = out.at;
      const bit = 1 << field.index;
      if (field.repeated) this.list(field);
      else this.value(field, keepsZeros || (seen & bit) !== 0, false);
      seen |= bit;
      if (!field.replaces) continue;
      if (replacedFrom < 0) {
        replacedFrom = from;
        replacedTo = out.at;
      } else if (this.isEmpty(field, from)) out.at = from;
      else {
        out.remove(replacedFrom, replacedTo);
        replacedFrom = from - (replacedTo - replacedFrom);
        replacedTo = out.at;
      }
    } while (this.more(125));
  }

  /** Whether the value written from `from` on says nothing: an attribute value without a member. */
  private isEmpty(field: JsonField, from: number): boolean {
    const size = this.out.at - from;
    return size === 0 || (!field.oneof && size === 2 && this.out.bytes[from + 1] === 0);
  }

  /** Reads a name and its colon: the field, or undefined for an unknown name. */
  private name(plan: JsonPlan, previous: JsonField | undefined): JsonField | undefined {
    if (this.peek() !== 34) this.fail("expected a name in quotes", this.at);
    const guess = previous === undefined ? plan.first : previous.next;
    if (guess !== undefined && this.matches(guess.key, this.at + 1)) {
      this.at += guess.key.size + 1;
      this.colon();
      return guess;
    }
    const field = this.find(plan);
    this.colon();
    if (previous === undefined) plan.first = field;
    else previous.next = field;
    return field;
  }

  /** Reads a name and looks it up. */
  private find(plan: JsonPlan): JsonField | undefined {
    this.string();
    if (this.isEscaped) return plan.fields.find(({ name, protoName }) => [name, protoName].includes(this.text()));
    const { bytes, start, stop } = this;
    if (start === stop) return undefined;
    for (const name of plan.names[nameSlot(stop - start, bytes[start]!, bytes[stop - 1]!)]!) {
      if (name.key.size === stop - start + 1 && this.matches(name.key, start)) return name.field;
    }
    return undefined;
  }

  private list(field: JsonField): void {
    const first = this.peek();
    if (first !== 91) {
      if (first !== 110) this.fail("expected a list", this.at);
      this.literal("null");
      return;
    }
    this.at += 1;
    if (this.peek() === 93) {
      this.at += 1;
      return;
    }
    const { depth } = this;
    const lengthAt = field.packed ? this.out.open(field.tag) : 0;
    let element = 0;
    do {
      this.elements[depth] = element;
      if (field.packed) this.element(field);
      else if (field.plan !== attributePlan || !this.attribute(field)) this.value(field, true, true);
      element += 1;
    } while (this.more(93));
    if (field.packed) this.out.close(lengthAt);
  }

  private element(field: JsonField): void {
    this.out.reserve(0);
    this.number64(field);
  }

  /**
   * Reads the attribute most attributes are: its key, then text, a number or a boolean, without white space. False when
   * it is another one, which is then still to be read.
   */
  private attribute(field: JsonField): boolean {
    const { out, at: from, depth } = this;
    const { at: to } = out;
    if (depth + 2 > maximumDepth || !this.takes(attributeOpening)) return false;
    out.reserve(0);
    const lengthAt = out.open(field.tag);
    const isPlain = this.peek() === 34 && this.shortString(keyField.tag, true) && this.takes(valueOpening);
    const member = isPlain ? this.scalarMember() : undefined;
    if (member === undefined) return this.rewind(from, to);
    const valueLengthAt = out.open(valueField.tag);
    this.fields[depth + 1] = valueField;
    this.elements[depth + 1] = -1;
    this.fields[depth + 2] = member;
    this.elements[depth + 2] = -1;
    this.depth = depth + 2;
    this.value(member, true, false);
    this.depth = depth;
    if (this.at + 1 >= this.end || this.view.getInt16(this.at, true) !== closingBraces) return this.rewind(from, to);
    this.at += 2;
    out.close(valueLengthAt);
    out.close(lengthAt);
    return true;
  }

  /** Reads the name, quote and colon of an attribute value that is no list. */
  private scalarMember(): JsonField | undefined {
    if (this.at >= this.end) return undefined;
    const member = scalarMembers[this.bytes[this.at]! & 31];
    if (member === undefined || !this.takes(member.text)) return undefined;
    return member.field;
  }

  private rewind(from: number, to: number): false {
    this.at = from;
    this.out.at = to;
    return false;
  }

  /** Reads one value with its tag. A zero is left out where it means "not there", unless it is kept. */
  private value(field: JsonField, keepsZero: boolean, isElement: boolean): void {
    const { out } = this;
    out.reserve(0);
    switch (field.kind) {
      case kinds.message: {
        if (!isElement && !field.oneof && this.peek() === 110) {
          this.literal("null");
          return;
        }
        const lengthAt = out.open(field.tag);
        this.message(field.plan, keepsZero && !isElement);
        out.close(lengthAt);
        return;
      }
      case kinds.string:
        this.stringValue(field, keepsZero);
        return;
      case kinds.id:
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
    const byte = this.peek();
    if (byte === 34) {
      if (this.shortString(field.tag, field.implicit && !keepsZero)) return;
      this.string();
    } else {
      if (byte !== 110) this.fail("expected text", this.at);
      this.literal("null");
      this.start = this.stop;
      this.isEscaped = false;
    }
    if (this.start === this.stop && field.implicit && !keepsZero) return;
    this.out.tag(field.tag);
    if (this.isEscaped) this.out.text(this.text());
    else this.out.delimited(this.bytes, this.view, this.start, this.stop);
  }

  /** Reads and writes a string of less than 128 bytes in one go; false, with nothing done, when that cannot be. */
  private shortString(tag: number, isLeftOutEmpty: boolean): boolean {
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

  private bytesValue(field: JsonField, keepsZero: boolean): void {
    const { out } = this;
    const isId = field.kind === kinds.id;
    if (this.peek() !== 34) this.fail(isId ? "expected an id in hex" : "expected bytes in base64", this.at);
    const at = this.at;
    this.string();
    if (this.start === this.stop && field.implicit && !keepsZero) return;
    out.reserve(this.stop - this.start);
    const lengthAt = out.open(field.tag);
    if (isId) {
      const digits = field.idSize * 2;
      const isRight = this.start === this.stop || (this.stop - this.start === digits && readHex(this, out));
      if (!isRight) this.fail(`expected ${digits} hex digits or none`, at);
    } else if (!readBase64(this, out)) this.fail("not base64", at);
    out.close(lengthAt);
  }

  /** Reads a value that is a number on the wire and writes it without its tag: true when it is zero. */
  private number64(field: JsonField): boolean {
    this.peek();
    const { out, at } = this;
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
        this.integer(false);
        if (integer.high !== 0) this.fail("beyond 32 bits", at);
        if (field.kind === kinds.fixed32) out.fixed32(integer.low);
        else out.varint(integer.low, 0);
        break;
      default:
        this.int32(field);
    }
    return integer.low === 0 && integer.high === 0;
  }

  private int32(field: JsonField): void {
    const byte = this.peek();
    const { at } = this;
    if (field.kind === kinds.enum && byte === 34) {
      this.string();
      const value = field.enumNames.get(this.text());
      if (value === undefined) this.fail("an unknown enum name", at);
      integer.low = value;
      integer.high = 0;
    } else this.integer(true);
    const { low, high } = integer;
    if (high !== (low > 0x7fffffff ? 0xffffffff : 0)) this.fail("beyond 32 bits", at);
    if (field.kind === kinds.sint32) this.out.varint(((low << 1) ^ (low >> 31)) >>> 0, 0);
    else this.out.varint(low, high);
  }

  private integer(isSigned: boolean): void {
    const byte = this.peek();
    const { at } = this;
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
