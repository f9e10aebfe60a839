import { requestType } from "../objects/requests.ts";
import type { Signal } from "../signal.ts";
import { AttributeParser, attributePlan } from "./attribute_parser.ts";
import type { JsonField, JsonPlan } from "./plan.ts";
import { kinds, nameSlot, planOf } from "./plan.ts";
import { maximumDepth } from "./scanner.ts";

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
 * When `isStrict`, as the OTLP specification has it: names in snake_case are unknown, and enum names an error.
 *
 * @throws {WireError} with the JSON path and byte offset of the first fault
 */
export function parseJson(signal: Signal, body: Buffer, isStrict = false): Parsed {
  const parser = new JsonParser(body);
  parser.isStrict = isStrict;
  try {
    parser.message(planOf(requestType[signal]), false);
    const { itemCount, isOrdinary } = parser;
    return { bytes: parser.out.finish(), itemCount, isOrdinary };
  } catch (error) {
    parser.out.release();
    throw error;
  }
}

/** A request read from JSON: valid protobuf. */
export interface Parsed {
  readonly bytes: Buffer;
  readonly itemCount: number;
  /** Whether the bytes are in ordinary form (see `ordinary.ts`); text with a name twice in an object may be neither. */
  readonly isOrdinary: boolean;
}

class JsonParser extends AttributeParser {
  itemCount = 0;
  /** Whether what was written needs no rewriting: no name came twice, and a key before its value. */
  isOrdinary = true;

  /**
   * Reads an object, or null, as a message; its length is the caller's business.
   *
   * @param keepsZeros whether zero scalars are written, because they may replace what was written before
   */
  message(plan: JsonPlan, keepsZeros: boolean): void {
    const first = this.peek();
    if (plan.isItem) this.itemCount += 1; // null too: as an element of a list it is an empty item
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
      if ((seen & bit) !== 0 || (plan === attributePlan && bit < seen)) this.isOrdinary = false;
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
    if (guess !== undefined && this.takes(guess.label)) return guess;
    const field = this.find(plan);
    this.colon();
    if (previous === undefined) plan.first = field;
    else previous.next = field;
    return field;
  }

  /** Reads a name and looks it up. */
  private find(plan: JsonPlan): JsonField | undefined {
    this.string();
    if (this.isEscaped) return plan.fields.find((field) => this.names(field).includes(this.text()));
    const { bytes, start, stop } = this;
    if (start === stop) return undefined;
    for (const name of plan.names[nameSlot(stop - start, bytes[start]!, bytes[stop - 1]!)]!) {
      if (name.key.size !== stop - start + 1 || !this.matches(name.key, start)) continue;
      if (!this.isStrict || name.field.key.size === name.key.size) return name.field;
    }
    return undefined;
  }

  private names({ name, protoName }: JsonField): readonly string[] {
    return this.isStrict ? [name] : [name, protoName];
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
    this.beginAttributes(field);
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

  /** Reads one value and writes it with its tag; a zero is written only where it counts or is kept. */
  private value(field: JsonField, keepsZero: boolean, isElement: boolean): void {
    const { out } = this;
    out.reserve(0);
    if (field.kind !== kinds.message) {
      this.scalar(field, keepsZero);
      return;
    }
    if (!isElement && !field.oneof && this.peek() === 110) {
      this.literal("null");
      return;
    }
    const lengthAt = out.open(field.tag);
    this.message(field.plan, keepsZero && !isElement);
    out.close(lengthAt);
  }
}
