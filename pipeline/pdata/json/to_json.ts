import { keyValue } from "../objects/messages.ts";
import { requestType } from "../objects/requests.ts";
import type { Signal } from "../signal.ts";
import { afterField, afterLength, afterVarint, readVarint } from "../wire.ts";
import type { JsonField, JsonPlan } from "./plan.ts";
import { kinds, planOf, wordsOf } from "./plan.ts";
import { TextWriter } from "./text_writer.ts";

/**
 * The chunks of a request as one OTLP/JSON text, written as the Collector writes it: names in camelCase and in its
 * order, ids in lower-case hex, other bytes in base64, 64-bit integers as text, enums as numbers, NaN and the
 * infinities as text; zero scalars, empty ids and empty lists left out; a message that is not there is `{}`, except in
 * a oneof. An id of zeros is written, where the Collector takes it for none.
 *
 * @param chunks bytes in ordinary form (see `ordinary.ts`), each a request of its own
 */
export function toJsonBytes(signal: Signal, chunks: readonly Buffer[]): Buffer {
  const [only] = chunks;
  const out = new TextWriter(totalSize(chunks) * 3);
  try {
    if (chunks.length === 1) new JsonWriter(only!, out).message(planOf(requestType[signal]), 0, only!.length);
    else textSteps(signal, chunks, out, Number.POSITIVE_INFINITY).next(); // one step
    return out.finish();
  } catch (error) {
    out.release();
    throw error;
  }
}

/** Bytes of protobuf written between two pauses, about: some milliseconds. */
const bytesPerStep = 128 * 1024;

/**
 * The same text with `end` behind it, in pieces; written with pauses when it is long.
 *
 * @param pause lets others run
 */
export async function toJsonBytesInSteps(
  signal: Signal,
  chunks: readonly Buffer[],
  pause: () => Promise<void>,
  end: string,
  stepBytes = bytesPerStep,
): Promise<Buffer[]> {
  const out = new TextWriter(Math.min(totalSize(chunks), stepBytes) * 3);
  const pieces: Buffer[] = [];
  try {
    for (const piece of textSteps(signal, chunks, out, stepBytes)) {
      pieces.push(piece);
      await pause();
    }
    out.ascii(end);
    pieces.push(out.finish());
    return pieces;
  } catch (error) {
    out.release();
    throw error;
  }
}

function totalSize(chunks: readonly Buffer[]): number {
  return chunks.reduce((sum, bytes) => sum + bytes.length, 0);
}

/** Writes the text, and yields what has been written whenever about `stepBytes` have been read; the rest stays in `out`. */
function* textSteps(signal: Signal, chunks: readonly Buffer[], out: TextWriter, stepBytes: number): Generator<Buffer> {
  const plan = planOf(requestType[signal]);
  if (chunks.length < 2) {
    const bytes = chunks[0] ?? Buffer.alloc(0);
    yield* new JsonWriter(bytes, out, stepBytes).messageSteps(plan, 0, bytes.length);
    return;
  }
  // Several requests whose only field is one list.
  const field = plan.fields[0]!;
  let separator = 0;
  let written = 0;
  out.char(123);
  for (const bytes of chunks) {
    const writer = new JsonWriter(bytes, out, stepBytes);
    for (let at = 0; at < bytes.length; at = afterField(bytes, at)) {
      if (readVarint(bytes, at) !== field.tag) continue;
      if (separator === 0) out.constant(field.label);
      out.reserve(0);
      out.char(separator === 0 ? 91 : 44);
      separator = 44;
      yield* writer.elementSteps(field, afterVarint(bytes, at));
    }
    written += bytes.length;
    if (written < stepBytes) continue;
    written = 0;
    yield out.take();
  }
  if (separator !== 0) out.char(93);
  out.char(125);
}

/** Enough for a hundred messages inside each other, sixteen fields each, and a first and last position per field. */
const slotCount = 102 * 32;

const attributePlan = planOf(keyValue);
const [keyField, valueField] = attributePlan.fields as [JsonField, JsonField];
const attributeOpening = wordsOf('{"key":');
const valueOpening = wordsOf(',"value":{');

class JsonWriter {
  private readonly bytes: Buffer;
  private readonly view: DataView;
  private readonly out: TextWriter;
  /** For the message at each depth: where a field's value begins, or a list's first tag; then where its last value does. */
  private readonly slots = new Int32Array(slotCount);
  private depth = 0;
  /** What is longer than this many bytes is written in steps, by the methods that can. */
  private readonly stepBytes: number;
  /** Where the step began. */
  private stepFrom = 0;

  constructor(bytes: Buffer, out: TextWriter, stepBytes = Number.POSITIVE_INFINITY) {
    this.stepBytes = stepBytes;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.out = out;
  }

  /** Writes the message in `[from, to)`. */
  message(plan: JsonPlan, from: number, to: number): void {
    const { fields } = plan;
    const base = this.depth * 32;
    const open = this.open(plan, from, to);
    for (let index = 0; index < fields.length; index += 1) this.field(fields[index]!, base + index * 2, open);
    this.close();
  }

  /** The same in steps. */
  *messageSteps(plan: JsonPlan, from: number, to: number): Generator<Buffer> {
    const base = this.depth * 32;
    let open = this.open(plan, from, to);
    for (const field of plan.fields) {
      const slot = base + field.index * 2;
      const [first, last] = [this.slots[slot]!, this.slots[slot + 1]!];
      if (first < 0 || field.kind !== kinds.message || afterLength(this.bytes, last) - first <= this.stepBytes) {
        this.field(field, slot, open);
        continue;
      }
      this.label(field, open);
      if (field.repeated) yield* this.listSteps(field, first, last);
      else yield* this.elementSteps(field, first);
      open = -1; // there is a field before the next one, whatever has been taken of the text
    }
    this.close();
  }

  private *listSteps(field: JsonField, first: number, last: number): Generator<Buffer> {
    const { bytes, out } = this;
    out.char(91);
    for (let at = first; at <= last; at = afterField(bytes, at)) {
      if (readVarint(bytes, at) !== field.tag) continue;
      if (at !== first) out.char(44);
      yield* this.elementSteps(field, afterVarint(bytes, at));
      out.reserve(0);
      if (at - this.stepFrom < this.stepBytes) continue;
      this.stepFrom = at;
      yield out.take();
    }
    out.char(93);
  }

  /** Writes one message that begins, behind its tag, at `at`: in steps when it is long. */
  *elementSteps(field: JsonField, at: number): Generator<Buffer> {
    const end = afterLength(this.bytes, at);
    if (end - at > this.stepBytes) yield* this.messageSteps(field.plan, afterVarint(this.bytes, at), end);
    else this.element(field, at);
  }

  private element(field: JsonField, at: number): void {
    if (field.plan !== attributePlan || !this.attribute(at)) this.value(field, at);
  }

  /** Begins a message; returns where its first field goes. */
  private open(plan: JsonPlan, from: number, to: number): number {
    const { out, slots } = this;
    const base = this.depth * 32;
    for (let slot = base + plan.fields.length * 2 - 1; slot >= base; slot -= 1) slots[slot] = -1;
    this.locate(plan, base, from, to);
    this.depth += 1;
    out.reserve(0);
    out.char(123);
    return out.at;
  }

  private close(): void {
    this.out.reserve(0);
    this.out.char(125);
    this.depth -= 1;
  }

  private label(field: JsonField, open: number): void {
    const { out } = this;
    out.reserve(0);
    if (out.at !== open) out.char(44);
    out.constant(field.label);
  }

  /** Writes the field at `slot` of the message whose first field goes to `open`, if it is to be written. */
  private field(field: JsonField, slot: number, open: number): void {
    const { out, slots } = this;
    const first = slots[slot]!;
    if (first < 0) {
      if (field.alwaysWritten) this.emptyMessage(field, open);
      return;
    }
    const before = out.at;
    this.label(field, open);
    const isWritten = field.repeated
      ? this.list(field, first, slots[slot + 1]!)
      : this.value(field, first) || !field.implicit;
    if (!isWritten) out.at = before;
  }

  private emptyMessage(field: JsonField, open: number): void {
    this.label(field, open);
    this.out.char(123);
    this.out.char(125);
  }

  /** Finds where the fields of a message are. */
  private locate(plan: JsonPlan, base: number, from: number, to: number): void {
    const { bytes, slots } = this;
    for (let at = from; at < to; ) {
      const first = bytes[at]!;
      const tag = first < 128 ? first : readVarint(bytes, at);
      const field = tag < 136 ? plan.byNumber[tag >>> 3] : undefined;
      if (field === undefined || (field.tag !== tag && !(field.packed && (tag & 7) === field.wire))) {
        at = afterField(bytes, at);
        continue;
      }
      const value = first < 128 ? at + 1 : afterVarint(bytes, at);
      const slot = base + field.index * 2;
      if (!field.repeated) slots[slot] = value;
      else if (slots[slot]! < 0) slots[slot] = at;
      slots[slot + 1] = value;
      at =
        field.kind === kinds.message || field.kind === kinds.string ? afterLength(bytes, value) : afterField(bytes, at);
    }
  }

  /** Writes a list from the tag at `first` to the value at `last`; false when it has no element. */
  private list(field: JsonField, first: number, last: number): boolean {
    const { bytes, out } = this;
    out.char(91);
    const open = out.at;
    let at = first;
    while (at <= last) {
      const tag = readVarint(bytes, at);
      const value = afterVarint(bytes, at);
      if (tag === field.tag && field.packed) this.packed(field, value, open);
      else if (tag === field.tag || (field.packed && tag === ((field.tag & ~7) | field.wire))) {
        if (out.at !== open) out.char(44);
        this.element(field, value);
        out.reserve(0);
      }
      at = afterField(bytes, at);
    }
    const isEmpty = out.at === open;
    out.char(93);
    return !isEmpty;
  }

  private packed(field: JsonField, lengthAt: number, open: number): void {
    const { bytes, out } = this;
    const end = afterLength(bytes, lengthAt);
    let at = afterVarint(bytes, lengthAt);
    while (at < end) {
      if (out.at !== open) out.char(44);
      this.value(field, at);
      out.reserve(0);
      at = field.wire === 1 ? at + 8 : field.wire === 5 ? at + 4 : afterVarint(bytes, at);
    }
  }

  /**
   * Writes the attribute most attributes are: a key, then text, a number or a boolean. False, with nothing written, when
   * it is another one.
   */
  private attribute(lengthAt: number): boolean {
    const { bytes, view, out } = this;
    const end = afterLength(bytes, lengthAt);
    const keyTag = afterVarint(bytes, lengthAt);
    if (keyTag >= end || bytes[keyTag] !== keyField.tag) return false;
    const valueTag = afterLength(bytes, keyTag + 1);
    if (valueTag >= end || bytes[valueTag] !== valueField.tag || afterLength(bytes, valueTag + 1) !== end) return false;
    const memberTag = afterVarint(bytes, valueTag + 1);
    if (memberTag >= end) return false;
    const member = valueField.plan.byNumber[bytes[memberTag]! >>> 3];
    if (member === undefined || member.kind === kinds.message || member.tag !== bytes[memberTag]) return false;
    if (afterField(bytes, memberTag) !== end) return false;
    const keyStart = afterVarint(bytes, keyTag + 1);
    if (keyStart === valueTag) return false;
    out.constant(attributeOpening);
    out.string(bytes, view, keyStart, valueTag);
    out.constant(valueOpening);
    out.constant(member.label);
    this.value(member, memberTag + 1);
    out.reserve(0);
    out.char(125);
    out.char(125);
    return true;
  }

  /** Writes one value that begins, behind its tag, at `at`; false when it is zero or empty. */
  value(field: JsonField, at: number): boolean {
    const { bytes, view, out } = this;
    switch (field.kind) {
      case kinds.message: {
        const end = afterLength(bytes, at);
        this.message(field.plan, afterVarint(bytes, at), end);
        return true;
      }
      case kinds.string:
      case kinds.id:
      case kinds.bytes: {
        const end = afterLength(bytes, at);
        const start = afterVarint(bytes, at);
        if (field.kind === kinds.string) out.string(bytes, view, start, end);
        else if (field.kind === kinds.id) out.hex(bytes, start, end);
        else out.base64(bytes, start, end);
        return end > start;
      }
      case kinds.fixed64:
      case kinds.sfixed64: {
        const low = view.getUint32(at, true);
        const high = view.getUint32(at + 4, true);
        out.integer64(low, high, field.kind === kinds.sfixed64);
        return low !== 0 || high !== 0;
      }
      case kinds.double: {
        const value = view.getFloat64(at, true);
        out.double(value);
        return !Object.is(value, 0);
      }
      case kinds.fixed32: {
        const value = view.getUint32(at, true);
        out.unsigned(value);
        return value !== 0;
      }
      default:
        return this.varint(field, at);
    }
  }

  private varint(field: JsonField, at: number): boolean {
    const { bytes, out } = this;
    const low = readVarint(bytes, at);
    switch (field.kind) {
      case kinds.int64:
      case kinds.uint64: {
        const high = bytes[at]! < 128 ? 0 : highHalf(bytes, at);
        out.integer64(low, high, field.kind === kinds.int64);
        return low !== 0 || high !== 0;
      }
      case kinds.bool: {
        const isTrue = low !== 0 || highHalf(bytes, at) !== 0;
        out.ascii(isTrue ? "true" : "false");
        return isTrue;
      }
      case kinds.uint32:
        out.unsigned(low);
        return low !== 0;
      case kinds.sint32:
        out.int32((low >>> 1) ^ -(low & 1));
        return low !== 0;
      default:
        out.int32(low | 0);
        return low !== 0;
    }
  }
}

/** Bits 32 to 63 of the varint at `at`, unsigned. */
function highHalf(bytes: Buffer, at: number): number {
  let high = 0;
  let shift = 0;
  for (let position = at; ; position += 1) {
    const byte = bytes[position]!;
    if (shift === 28) high = (byte & 127) >>> 4;
    else if (shift > 28) high |= (byte & 127) << (shift - 32);
    if (byte < 128) return high >>> 0;
    shift += 7;
  }
}
