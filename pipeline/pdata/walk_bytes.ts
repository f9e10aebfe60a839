import { isUtf8 } from "node:buffer";

/**
 * The pieces of the fast validating walks. Each takes the position of an element and the end of the message around it
 * and returns the position behind the element, or `refused`. "Refused" only means that the fast walk does not vouch
 * for the bytes: an invalid encoding or an odd one. The walk of `check.ts` then decides.
 */
export const refused = -1;
// Local, because V8 loads a constant that is exported or imported each time.
const nowhere = refused;

/**
 * How many elements the present walk may still look at; below 0 it gives up, by "refused". Bytes alone do not say how
 * long a walk takes: an element may have two. Set before each walk.
 */
export const allowance = { elements: 0 };

/** As many as any body has. */
export const anyNumber = 0x3fffffff;

/** Position behind the payload whose length stands at `at`; refuses lengths that are not minimal. */
export function payloadEnd(bytes: Buffer, at: number, end: number): number {
  if (at >= end) return nowhere;
  const length = bytes[at]!;
  if (length > 127) return longPayloadEnd(bytes, at, end);
  const to = at + 1 + length;
  return to <= end ? to : nowhere;
}

function longPayloadEnd(bytes: Buffer, at: number, end: number): number {
  let length = bytes[at]! & 127;
  let position = at + 1;
  for (let shift = 7; shift < 28; shift += 7) {
    if (position >= end) return nowhere;
    const byte = bytes[position]!;
    position += 1;
    length |= (byte & 127) << shift;
    if (byte < 128) return byte !== 0 && position + length <= end ? position + length : nowhere;
  }
  return nowhere;
}

/** Position of the payload whose length stands at `at` and has passed `payloadEnd`. */
export function payloadStart(bytes: Buffer, at: number): number {
  if (bytes[at]! < 128) return at + 1;
  if (bytes[at + 1]! < 128) return at + 2;
  return bytes[at + 2]! < 128 ? at + 3 : at + 4;
}

/** Position behind a varint of at most ten bytes. */
export function varintEnd(bytes: Buffer, at: number, end: number): number {
  const most = Math.min(at + 10, end);
  for (let position = at; position < most; position++) if (bytes[position]! < 128) return position + 1;
  return nowhere;
}

/** Position behind the string whose length stands at `at`. */
export function stringEnd(bytes: Buffer, view: DataView, at: number, end: number): number {
  const to = payloadEnd(bytes, at, end);
  return to !== nowhere && isText(bytes, view, payloadStart(bytes, at), to) ? to : nowhere;
}

const highBits = 0x80808080 | 0;
const nativeFrom = 64;

/** Whether `[from, to)` is UTF-8. */
export function isText(bytes: Buffer, view: DataView, from: number, to: number): boolean {
  return isAscii(bytes, view, from, to) || isUnicode(bytes, from, to);
}

/** Whether `[from, to)` is ASCII: sixteen bytes at a time, the last sixteen overlapping. */
export function isAscii(bytes: Buffer, view: DataView, from: number, to: number): boolean {
  const last = to - 16;
  if (from <= last) {
    let bits = fourWords(view, last);
    for (let at = from; at < last; at += 16) bits |= fourWords(view, at);
    return (bits & highBits) === 0;
  }
  return isShortAscii(bytes, view, from, to);
}

function fourWords(view: DataView, at: number): number {
  return (
    view.getInt32(at, true) | view.getInt32(at + 4, true) | view.getInt32(at + 8, true) | view.getInt32(at + 12, true)
  );
}

function isShortAscii(bytes: Buffer, view: DataView, from: number, to: number): boolean {
  const last = to - 4;
  let bits = 0;
  if (from <= last) {
    for (let at = from; at < last; at += 4) bits |= view.getInt32(at, true);
    return ((bits | view.getInt32(last, true)) & highBits) === 0;
  }
  for (let at = from; at < to; at++) bits |= bytes[at]!;
  return bits < 128;
}

function isUnicode(bytes: Buffer, from: number, to: number): boolean {
  if (to - from > nativeFrom) return isUtf8(bytes.subarray(from, to));
  let at = from;
  while (at < to) {
    const first = bytes[at]!;
    if (first < 0x80) {
      at += 1;
      continue;
    }
    const size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (size === 0 || at + size > to || !isSequence(bytes, at, first, size)) return false;
    at += size;
  }
  return true;
}

/** Whether the continuation bytes fit: no overlong form, no surrogate, nothing past U+10FFFF. */
function isSequence(bytes: Buffer, at: number, first: number, size: number): boolean {
  const second = bytes[at + 1]!;
  const least = first === 0xe0 ? 0xa0 : first === 0xf0 ? 0x90 : 0x80;
  const most = first === 0xed ? 0x9f : first === 0xf4 ? 0x8f : 0xbf;
  if (second < least || second > most) return false;
  for (let index = 2; index < size; index++) if ((bytes[at + index]! & 0xc0) !== 0x80) return false;
  return true;
}

/** Position behind an unknown field whose tag stands at `at`; groups are refused. */
export function unknownEnd(bytes: Buffer, at: number, end: number): number {
  const body = tagEnd(bytes, at, end);
  if (body === nowhere) return nowhere;
  switch (bytes[at]! & 7) {
    case 0:
      return varintEnd(bytes, body, end);
    case 1:
      return body + 8 <= end ? body + 8 : nowhere;
    case 2:
      return payloadEnd(bytes, body, end);
    case 5:
      return body + 4 <= end ? body + 4 : nowhere;
    default:
      return nowhere;
  }
}

/** Position behind a minimal tag of at most four bytes and a field number above 0. */
function tagEnd(bytes: Buffer, at: number, end: number): number {
  if (bytes[at]! < 8) return nowhere;
  const most = Math.min(at + 4, end);
  for (let position = at; position < most; position++) {
    if (bytes[position]! < 128) return bytes[position] === 0 ? nowhere : position + 1;
  }
  return nowhere;
}

/** The number of the field whose tag stands at `at` and has at most four bytes. */
export function fieldNumber(bytes: Buffer, at: number): number {
  let tag = 0;
  for (let index = 0; index < 4; index++) {
    const byte = bytes[at + index]!;
    tag |= (byte & 127) << (7 * index);
    if (byte < 128) break;
  }
  return tag >>> 3;
}
