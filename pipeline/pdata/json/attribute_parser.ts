import { keyValue } from "../objects/messages.ts";
import type { JsonField, Words } from "./plan.ts";
import { planOf, wordsOf } from "./plan.ts";
import { ScalarParser } from "./scalar_parser.ts";
import { maximumDepth } from "./scanner.ts";

/** The plan of an attribute. */
export const attributePlan = planOf(keyValue);

const [keyField, valueField] = attributePlan.fields as [JsonField, JsonField];
const attributeOpening = wordsOf('{"key":');
const keyOffset = attributeOpening.size + 1;
const closingBraces = 0x7d7d;
const valueOpening = wordsOf(',"value":{"');

/** The scalars an attribute may be, by the low bits of their first letter; bytes share theirs with booleans and are rare. */
const scalarMembers: ({ text: Words; field: JsonField } | undefined)[] = Array.from({ length: 32 }, () => undefined);
for (const field of valueField.plan.fields) {
  if (["stringValue", "boolValue", "intValue", "doubleValue"].includes(field.name)) {
    scalarMembers[field.name.charCodeAt(0) & 31] = { text: wordsOf(`${field.name}":`), field };
  }
}

/** Openings that are remembered, then the starts of lists, for which only a follower is. */
const openingCount = 64;
const listCount = 16;
const probes = 4;
/** Numbers kept per opening: where it began, its size, its key's size, its member, and where the one is that followed it. */
const stride = 5;
const follower = 4;
/** Used by one conversion at a time, which starts with nothing in it. */
const openings = new Int32Array((openingCount + listCount) * stride);

/**
 * Reads attributes in one go. Most openings, `{"key":"…","value":{"stringValue":`, stood in the same text before, and
 * behind the same other one: such an opening is compared with the earlier one instead of being parsed. What is
 * remembered is a guess, so a slot may be overwritten by any opening.
 */
export class AttributeParser extends ScalarParser {
  /** Where in `openings` the one read last is. */
  private opening = 0;

  constructor(bytes: Buffer) {
    super(bytes);
    openings.fill(0);
  }

  /** To be called before the elements of a list are read. */
  protected beginAttributes(field: JsonField): void {
    this.opening = (openingCount + (field.index % listCount)) * stride;
  }

  /**
   * Reads the attribute most attributes are: its key, then text, a number or a boolean, without white space. False when
   * it is another one, which is then still to be read.
   */
  protected attribute(field: JsonField): boolean {
    const { out, at: from } = this;
    const { at: to } = out;
    if (this.depth + 2 > maximumDepth) return false;
    out.reserve(0);
    const lengthAt = out.open(field.tag);
    const member = this.knownOpening() ?? this.newOpening();
    if (member === undefined) return this.rewind(from, to);
    const valueLengthAt = out.open(valueField.tag);
    this.attributeMember = member;
    this.scalar(member, true);
    this.attributeMember = undefined;
    if (this.at + 1 >= this.end || this.view.getInt16(this.at, true) !== closingBraces) return this.rewind(from, to);
    this.at += 2;
    out.close(valueLengthAt);
    out.close(lengthAt);
    return true;
  }

  /** Reads the opening that followed the last one before, and writes its key: the value's member if it is that one. */
  private knownOpening(): JsonField | undefined {
    const { out, view, at } = this;
    const opening = openings[this.opening + follower]!;
    const size = openings[opening + 1]!;
    const lastWord = at + size - 8;
    if (size === 0 || lastWord + 8 > this.end) return undefined;
    const back = openings[opening]! - at;
    out.reserve(size);
    const target = out.view;
    let write = out.at + 2;
    for (let read = at + keyOffset; read < lastWord; read += 8) {
      const word = view.getFloat64(read, true);
      if (word !== view.getFloat64(read + back, true)) return undefined;
      target.setFloat64(write, word, true);
      write += 8;
    }
    if (view.getFloat64(lastWord, true) !== view.getFloat64(lastWord + back, true)) return undefined;
    if (view.getFloat64(at, true) !== view.getFloat64(at + back, true)) return undefined;
    const keySize = openings[opening + 2]!;
    out.tag(keyField.tag);
    out.bytes[out.at] = keySize;
    out.at += keySize + 1;
    this.at = at + size;
    this.opening = opening;
    return valueField.plan.fields[openings[opening + 3]!];
  }

  /** Reads any other opening, writes its key and remembers it; undefined when this is not the attribute most are. */
  private newOpening(): JsonField | undefined {
    const { out, at } = this;
    if (!this.takes(attributeOpening)) return undefined;
    const keyAt = out.at + 2;
    const isPlain = this.peek() === 34 && this.shortString(keyField.tag, true) && this.takes(valueOpening);
    const member = isPlain ? this.scalarMember() : undefined;
    const keySize = out.at - keyAt;
    if (member === undefined) return undefined;
    if (keySize > 0 && this.bytes[at + keyOffset - 1] === 34) this.remember(at, keySize, member);
    return member;
  }

  private remember(at: number, keySize: number, member: JsonField): void {
    const opening = this.place(at, keySize);
    openings[opening] = at;
    openings[opening + 1] = this.at - at;
    openings[opening + 2] = keySize;
    openings[opening + 3] = member.index;
    openings[this.opening + follower] = opening;
    this.opening = opening;
  }

  /** Where the opening at `at` goes: where one with such a key is, else to a free place, else to a taken one. */
  private place(at: number, keySize: number): number {
    const { view } = this;
    const ending = at + keyOffset + keySize - 8;
    const word = view.getInt32(ending, true);
    const lastWord = view.getInt32(ending + 4, true);
    const first = Math.imul(word ^ Math.imul(lastWord, 31) ^ keySize, 0x9e3779b1) >>> 26;
    for (let step = 0; step < probes; step += 1) {
      const opening = ((first + step) % openingCount) * stride;
      if (openings[opening + 1] === 0) return opening;
      const other = openings[opening]! + ending - at;
      const isAlike = view.getInt32(other, true) === word && view.getInt32(other + 4, true) === lastWord;
      if (isAlike && openings[opening + 2] === keySize) return opening;
    }
    return first * stride;
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
}
