import {
  allowance,
  fieldNumber,
  isAscii,
  isText,
  payloadEnd,
  payloadStart,
  refused,
  stringEnd,
  unknownEnd,
  varintEnd,
} from "./walk_bytes.ts";

// Local, because V8 loads a constant that is exported or imported each time.
const nowhere = refused;
const left = allowance;

/** Messages nested deeper are left to the walk of `check.ts`, which knows the limit. */
const deepest = 40;

/** Position behind the `KeyValue` whose length stands at `at`. Levels of nesting around it: `depth`. */
export function keyValueEnd(bytes: Buffer, view: DataView, at: number, end: number, depth: number): number {
  // The usual attribute: every length below 128, a key, a value, nothing else.
  if (at + 5 < end && bytes[at]! < 128 && bytes[at + 1] === 0x0a && bytes[at + 2]! < 128) {
    const to = at + 1 + bytes[at]!;
    const keyTo = at + 3 + bytes[at + 2]!;
    if (to <= end && keyTo + 4 <= to && bytes[keyTo] === 0x12 && keyTo + 2 + bytes[keyTo + 1]! === to) {
      const member = bytes[keyTo + 2]!;
      // A string: tags and lengths are ASCII too, so that one look covers key and value.
      if (member === 0x0a && keyTo + 4 + bytes[keyTo + 3]! === to && isAscii(bytes, view, at + 3, to)) return to;
      if (member === 0x18 && isAscii(bytes, view, at + 3, keyTo) && varintEnd(bytes, keyTo + 3, to) === to) return to;
    }
  }
  return anyKeyValueEnd(bytes, view, at, end, depth);
}

function anyKeyValueEnd(bytes: Buffer, view: DataView, at: number, end: number, depth: number): number {
  const to = payloadEnd(bytes, at, end);
  if (to === nowhere) return nowhere;
  let position = payloadStart(bytes, at);
  if (position < to && bytes[position] === 0x0a) {
    const keyTo = payloadEnd(bytes, position + 1, to);
    if (keyTo === nowhere || !isText(bytes, view, payloadStart(bytes, position + 1), keyTo)) return nowhere;
    position = keyTo;
  }
  if (position < to && bytes[position] === 0x12) {
    position = anyValueEnd(bytes, view, position + 1, to, depth + 1);
    if (position === nowhere) return nowhere;
  }
  return position === to ? to : restEnd(bytes, position, to, 3);
}

/** Position behind the `AnyValue` whose length stands at `at`. */
export function anyValueEnd(bytes: Buffer, view: DataView, at: number, end: number, depth: number): number {
  const to = payloadEnd(bytes, at, end);
  if (to === nowhere) return nowhere;
  const member = payloadStart(bytes, at);
  if (member === to) return to;
  let position: number;
  switch (bytes[member]) {
    case 0x0a:
      position = stringEnd(bytes, view, member + 1, to);
      break;
    case 0x10:
    case 0x18:
      position = varintEnd(bytes, member + 1, to);
      break;
    case 0x21:
      position = member + 9;
      break;
    case 0x3a:
      position = payloadEnd(bytes, member + 1, to);
      break;
    case 0x2a:
    case 0x32:
      position = listEnd(bytes, view, member, to, depth + 1);
      break;
    default:
      return nowhere;
  }
  if (position === to) return to;
  return position === nowhere || position > to ? nowhere : restEnd(bytes, position, to, 8);
}

/** Position behind the `ArrayValue` or `KeyValueList` whose tag stands at `at`. */
function listEnd(bytes: Buffer, view: DataView, at: number, end: number, depth: number): number {
  const to = payloadEnd(bytes, at + 1, end);
  if (to === nowhere || depth > deepest) return nowhere;
  const isMap = bytes[at] === 0x32;
  let position = payloadStart(bytes, at + 1);
  const most = left.elements;
  let elements = 1;
  while (position < to) {
    elements += 1;
    if (bytes[position] !== 0x0a || elements > most) return nowhere;
    position = isMap
      ? keyValueEnd(bytes, view, position + 1, to, depth + 1)
      : anyValueEnd(bytes, view, position + 1, to, depth + 1);
    if (position === nowhere) return nowhere;
  }
  left.elements -= elements;
  return left.elements < 0 ? nowhere : to;
}

/** Walks fields that must all be unknown, numbers above `known`; returns `to` or `refused`. */
function restEnd(bytes: Buffer, at: number, to: number, known: number): number {
  let position = at;
  while (position < to) {
    left.elements -= 1;
    if (left.elements < 0) return nowhere;
    const next = unknownEnd(bytes, position, to);
    if (next === nowhere || fieldNumber(bytes, position) <= known) return nowhere;
    position = next;
  }
  return to;
}
