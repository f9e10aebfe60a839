import { accepts } from "./check.ts";
import { anyValue, type Field, keyValue, type Message } from "./messages.ts";
import { none, PieceList, piece } from "./pieces.ts";
import { afterField, afterVarint, readVarint, varintSize, writeVarint } from "./wire.ts";

/**
 * Rewrites a valid message into ordinary form, the only form that readers behind the validating walk know:
 * each singular field once (the last scalar, all pieces of a message merged, the last member of a oneof), attributes
 * side by side, an attribute's key before its value before anything else, a value's member first, tags and lengths
 * minimal. What a standard decoder makes of the bytes stays the same; unknown fields are kept as they came. Real
 * senders never need it, hostile ones can ask for it.
 */
export function toOrdinary(bytes: Buffer, type: Message): Buffer {
  return new Rewriter(bytes).rewrite(type);
}

/** A slot for each number that fields have, but for old lists; the first one, which is no number, is for the oneof. */
const slots = 17;
const chosen = 0;

/** What a message becomes is never longer than it was: merging and minimal lengths only take bytes away. */
class Rewriter {
  readonly #bytes: Buffer;
  readonly #out: Buffer;
  readonly #pieces = new PieceList();
  /** For each message around the present one and each number, the last piece of that field. */
  #last = new Int32Array(16 * slots);
  #depth = 0;
  #end = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#out = Buffer.allocUnsafeSlow(bytes.length);
  }

  rewrite(type: Message): Buffer {
    this.#message(type, this.#pieces.add(0, 0, this.#bytes.length, 0));
    return this.#out.subarray(0, this.#end);
  }

  /** Writes the payload of the message that is this piece and its further parts. */
  #message(type: Message, whole: number): void {
    const pieces = this.#pieces;
    const from = pieces.length;
    const base = this.#depth * slots;
    if (base + slots > this.#last.length) this.#grow();
    this.#last.fill(none, base, base + slots);
    for (let part = whole; part !== none; part = pieces.at(part, piece.next)) {
      this.#collect(type, pieces.at(part, piece.payload), pieces.at(part, piece.end), from, base);
    }
    this.#depth += 1;
    const to = pieces.length;
    if (type === keyValue || type === anyValue) this.#byNumber(type, from, to);
    else this.#asTheyCame(type, from, to, base);
    this.#depth -= 1;
    pieces.length = from;
  }

  /** Makes pieces of the fields between `start` and `end`, with the repetitions of singular ones resolved. */
  #collect(type: Message, start: number, end: number, from: number, base: number): void {
    const bytes = this.#bytes;
    const pieces = this.#pieces;
    for (let at = start; at < end; ) {
      const next = afterField(bytes, at);
      const tag = readVarint(bytes, at);
      const field = fieldOf(type, tag);
      if (field === undefined || !accepts(field, tag & 7)) {
        pieces.addUnknown(from, at, next);
      } else {
        const body = afterVarint(bytes, at);
        const payload = (tag & 7) === 2 ? afterVarint(bytes, body) : body;
        if (field.repeated) this.#noteRepeated(field, base, pieces.add(at, payload, next, tag));
        else this.#noteSingular(field, base, at, payload, next, tag);
      }
      at = next;
    }
  }

  #noteRepeated({ number }: Field, base: number, added: number): void {
    if (number < slots) this.#last[base + number] = added;
  }

  #noteSingular(field: Field, base: number, start: number, payload: number, end: number, tag: number): void {
    const pieces = this.#pieces;
    const slot = base + (field.inOneof ? chosen : field.number);
    const earlier = this.#last[slot]!;
    if (earlier !== none) {
      if (field.kind === "message" && pieces.at(earlier, piece.tag) >>> 3 === field.number) {
        pieces.append(earlier, payload, end);
        return;
      }
      pieces.remove(earlier);
    }
    this.#last[slot] = pieces.add(start, payload, end, tag);
  }

  /** Known fields by their numbers, each of them singular, then the unknown ones. */
  #byNumber(type: Message, from: number, to: number): void {
    const pieces = this.#pieces;
    for (let number = 1; number < slots; number++) {
      if (type.fields[number] === undefined) continue;
      for (let index = from; index < to; index++) {
        if (pieces.at(index, piece.tag) >>> 3 === number && !pieces.isGone(index)) this.#field(type, index);
      }
    }
    for (let index = from; index < to; index++) {
      if (pieces.at(index, piece.tag) === 0 && !pieces.isGone(index)) this.#field(type, index);
    }
  }

  /** In the order they came, but all attributes where the first is, and old lists only where no new one is. */
  #asTheyCame(type: Message, from: number, to: number, base: number): void {
    const pieces = this.#pieces;
    let hasAttributes = false;
    for (let index = from; index < to; index++) {
      if (pieces.isGone(index)) continue;
      const field = fieldOf(type, pieces.at(index, piece.tag));
      if (field?.isAttributes === true) {
        if (!hasAttributes) this.#attributes(type, index, to);
        hasAttributes = true;
      } else if (field?.movesTo === undefined || this.#last[base + field.movesTo] === none) this.#field(type, index);
    }
  }

  #attributes(type: Message, from: number, to: number): void {
    for (let index = from; index < to; index++) {
      if (fieldOf(type, this.#pieces.at(index, piece.tag))?.isAttributes === true) this.#field(type, index);
    }
  }

  #field(type: Message, index: number): void {
    const pieces = this.#pieces;
    const tag = pieces.at(index, piece.tag);
    if (tag === 0) {
      this.#copy(pieces.at(index, piece.start), pieces.at(index, piece.end));
      return;
    }
    const field = fieldOf(type, tag);
    this.#varint(field?.movesTo === undefined ? tag : field.movesTo * 8 + 2);
    const payload = pieces.at(index, piece.payload);
    const end = pieces.at(index, piece.end);
    const message = field?.message?.();
    if (message !== undefined) this.#lengthAndMessage(message, index);
    else {
      if ((tag & 7) === 2) this.#varint(end - payload);
      this.#copy(payload, end);
    }
  }

  #lengthAndMessage(type: Message, index: number): void {
    const pieces = this.#pieces;
    let most = 0;
    for (let part = index; part !== none; part = pieces.at(part, piece.next)) {
      most += pieces.at(part, piece.end) - pieces.at(part, piece.payload);
    }
    const lengthAt = this.#end;
    if (most === 0) {
      this.#varint(0);
      return;
    }
    const start = lengthAt + varintSize(most);
    this.#end = start;
    this.#message(type, index);
    const length = this.#end - start;
    const moved = lengthAt + varintSize(length);
    if (moved < start) this.#out.copyWithin(moved, start, this.#end);
    writeVarint(this.#out, lengthAt, length);
    this.#end = moved + length;
  }

  #varint(value: number): void {
    this.#end = writeVarint(this.#out, this.#end, value);
  }

  #copy(start: number, end: number): void {
    const out = this.#out;
    let to = this.#end;
    if (end - start > mostByHand) this.#bytes.copy(out, to, start, end);
    else for (let at = start; at < end; at++) out[to++] = this.#bytes[at]!;
    this.#end += end - start;
  }

  #grow(): void {
    const grown = new Int32Array(this.#last.length * 2);
    grown.set(this.#last);
    this.#last = grown;
  }
}

/** Bytes that a loop copies faster than a call. */
const mostByHand = 32;

function fieldOf({ fields, byNumber }: Message, tag: number): Field | undefined {
  const number = tag >>> 3;
  return number < slots ? fields[number] : byNumber.get(number);
}
