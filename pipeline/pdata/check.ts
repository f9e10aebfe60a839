import { isUtf8 } from "node:buffer";
import { anyValue, type Field, itemMessages, keyValue, type Message } from "./messages.ts";
import { afterField, readVarint } from "./wire.ts";
import { WireError } from "./wire_error.ts";

/**
 * The authoritative validating walk, driven by the table of messages. The walks by hand of each signal are faster
 * and leave to this one everything they do not know, and every verdict of "no".
 *
 * The rules are those of a standard proto3 decoder (protobufjs 8, Go's `protobuf`), stricter nowhere but in ids:
 * - a tag is a varint of at most 5 bytes and 32 bits, its field number is not 0;
 * - a length is a varint of at most 5 bytes, below 2^31, and ends inside the enclosing message;
 * - a varint value has at most 10 bytes; bits past the type's width are ignored;
 * - a known field with another wire type is an unknown field (packed and unpacked lists are both known);
 * - a group is an unknown field; it ends with the end of its own number; wire types 6 and 7 are refused;
 * - strings are UTF-8 without surrogates; messages and groups nest at most 100 deep;
 * - a trace or profile id has 16 bytes or none, a span id 8 or none, as in the Collector.
 */
export interface Verdict {
  readonly itemCount: number;
  /** Whether the bytes need no rewriting: see `ordinary.ts`. */
  readonly isOrdinary: boolean;
}

const maximumDepth = 100;

/** @throws {WireError} with path and offset, when a standard decoder would refuse the bytes. */
export function check(bytes: Buffer, request: Message): Verdict {
  const checker = new Checker(bytes);
  try {
    checker.message(0, bytes.length, request, 0);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new WireError(error.message, error.path.join("."), error.offset);
  }
  return { itemCount: checker.itemCount, isOrdinary: checker.isOrdinary };
}

class Fault extends Error {
  readonly offset: number;
  /** The fields around the fault, outermost first; filled on the way out. */
  readonly path: string[] = [];
  constructor(reason: string, offset: number) {
    super(reason);
    this.offset = offset;
  }
}

/** What has been seen of the message being walked, as far as ordinary form is concerned. */
interface Progress {
  seen: number;
  oneofSeen: boolean;
  attributesEnd: number;
  count: number;
}

class Checker {
  readonly #bytes: Buffer;
  itemCount = 0;
  isOrdinary = true;
  #position = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  message(from: number, to: number, type: Message, depth: number): void {
    if (depth > maximumDepth) throw new Fault("messages are nested more than 100 deep", from);
    if (itemMessages.has(type)) this.itemCount += 1;
    const progress: Progress = { seen: 0, oneofSeen: false, attributesEnd: 0, count: 0 };
    this.#position = from;
    while (this.#position < to) {
      const start = this.#position;
      const tag = this.#tag(to);
      const field = type.byNumber.get(tag >>> 3);
      const wire = tag & 7;
      if (field !== undefined && accepts(field, wire)) {
        if (isPadded(this.#bytes, this.#position)) this.isOrdinary = false;
        this.#note(type, field, start, progress);
        try {
          this.#value(field, wire, to, depth);
        } catch (error) {
          if (error instanceof Fault) error.path.unshift(this.#nameAt(field, from, start));
          throw error;
        }
        if (field.isAttributes) progress.attributesEnd = this.#position;
      } else {
        this.#unknown(tag, start, to, depth);
      }
      progress.count += 1;
    }
  }

  /** The field's name with the index of the element at `start`; everything from `from` to there has passed. */
  #nameAt(field: Field, from: number, start: number): string {
    if (!field.repeated) return field.name;
    let index = 0;
    for (let at = from; at < start; at = afterField(this.#bytes, at)) {
      if (readVarint(this.#bytes, at) >>> 3 === field.number) index += 1;
    }
    return `${field.name}[${index}]`;
  }

  /** Records what makes a message unordinary: repetition of the singular, attributes apart, value before key. */
  #note(type: Message, field: Field, start: number, progress: Progress): void {
    if (field.movesTo !== undefined) this.isOrdinary = false;
    if (field.isAttributes && progress.attributesEnd !== 0 && progress.attributesEnd !== start) this.isOrdinary = false;
    if (field.repeated) return;
    const bit = 1 << field.number;
    if ((progress.seen & bit) !== 0 || (field.inOneof && progress.oneofSeen)) this.isOrdinary = false;
    if (type === anyValue && progress.count > 0) this.isOrdinary = false;
    if (type === keyValue && progress.count > 0) {
      const followsKey = field.number === 2 && progress.count === 1 && progress.seen === 2;
      if (field.number < 3 && !followsKey) this.isOrdinary = false;
    }
    progress.seen |= bit;
    progress.oneofSeen ||= field.inOneof;
  }

  #value(field: Field, wire: number, to: number, depth: number): void {
    if (wire === 2) {
      const lengthAt = this.#position;
      const end = this.#length(to, true);
      const start = this.#position;
      this.#payload(field, start, end, lengthAt, depth);
      this.#position = end;
    } else {
      this.#scalar(wire, to);
    }
  }

  #payload(field: Field, start: number, end: number, lengthAt: number, depth: number): void {
    switch (field.kind) {
      case "message":
        if (field.message !== undefined) this.message(start, end, field.message(), depth + 1);
        break;
      case "string":
        if (!isUtf8(this.#bytes.subarray(start, end))) throw new Fault("invalid UTF-8", start);
        break;
      case "bytes":
        if (field.idSize !== undefined && end !== start && end - start !== field.idSize) {
          throw new Fault(`an id of ${end - start} bytes instead of ${field.idSize}`, lengthAt);
        }
        break;
      case "varint":
        this.#position = start;
        while (this.#position < end) this.#varint(end, 10);
        break;
      case "fixed64":
      case "fixed32":
        if ((end - start) % (field.kind === "fixed64" ? 8 : 4) !== 0) {
          throw new Fault("a packed list that is not a whole number of elements", lengthAt);
        }
        break;
    }
  }

  #unknown(tag: number, start: number, to: number, depth: number): void {
    if (depth > maximumDepth) throw new Fault("groups are nested more than 100 deep", start);
    const wire = tag & 7;
    if (wire === 3) this.#group(tag >>> 3, start, to, depth);
    else if (wire === 2) this.#position = this.#length(to, false);
    else if (wire === 4) throw new Fault("end of a group that did not begin", start);
    else if (wire > 5) throw new Fault(`unknown wire type ${wire}`, start);
    else this.#scalar(wire, to);
  }

  #group(number: number, start: number, to: number, depth: number): void {
    while (true) {
      if (this.#position >= to) throw new Fault("a group without end", start);
      const inner = this.#position;
      const tag = this.#tag(to);
      if ((tag & 7) !== 4) this.#unknown(tag, inner, to, depth + 1);
      else if (tag >>> 3 === number) return;
      else throw new Fault("end of another group", inner);
    }
  }

  #scalar(wire: number, to: number): void {
    if (wire === 0) {
      this.#varint(to, 10);
      return;
    }
    const size = wire === 1 ? 8 : 4;
    if (this.#position + size > to) throw new Fault("a number cut short", this.#position);
    this.#position += size;
  }

  #tag(to: number): number {
    const start = this.#position;
    const tag = this.#varint(to, 5);
    if (tag > 0xffffffff) throw new Fault("a tag of more than 32 bits", start);
    if (tag >>> 3 === 0) throw new Fault("field number 0", start);
    return tag;
  }

  /** Reads a length and returns the end of the payload; the position is then its start. */
  #length(to: number, isKnown: boolean): number {
    const start = this.#position;
    const length = this.#varint(to, 5);
    if (length > 0x7fffffff) throw new Fault("a length of more than 31 bits", start);
    if (this.#position + length > to) throw new Fault(`a length of ${length} bytes reaches past the end`, start);
    if (isKnown && this.#position > start + 1 && isPadded(this.#bytes, this.#position)) this.isOrdinary = false;
    return this.#position + length;
  }

  /** Reads a varint of at most `most` bytes; the value is exact up to 35 bits. */
  #varint(to: number, most: number): number {
    const start = this.#position;
    let value = 0;
    for (let index = 0; index < most; index++) {
      if (start + index >= to) throw new Fault("a varint cut short", start);
      const byte = this.#bytes[start + index]!;
      value += (byte & 127) * 2 ** (7 * index);
      if (byte < 128) {
        this.#position = start + index + 1;
        return value;
      }
    }
    throw new Fault(`a varint of more than ${most} bytes`, start);
  }
}

/** Whether the varint that ends before `end` has a last byte that adds nothing. */
function isPadded(bytes: Buffer, end: number): boolean {
  return bytes[end - 1] === 0;
}

/** Whether a value of this wire type belongs to the field; else it counts as an unknown field. */
export function accepts(field: Field, wire: number): boolean {
  switch (field.kind) {
    case "varint":
      return wire === 0 || (wire === 2 && field.repeated);
    case "fixed64":
      return wire === 1 || (wire === 2 && field.repeated);
    case "fixed32":
      return wire === 5 || (wire === 2 && field.repeated);
    case "string":
    case "bytes":
    case "message":
      return wire === 2;
  }
}
