import { anyValue, type Field, itemMessages, keyValue, type Message } from "./messages.ts";
import { anyValueEnd, keyValueEnd } from "./walk_attributes.ts";
import {
  allowance,
  anyNumber,
  fieldNumber,
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

/** What a one-byte tag asks the walk to do. */
const action = {
  unknown: 0,
  varint: 1,
  fixed64: 2,
  fixed32: 3,
  string: 4,
  bytes: 5,
  id: 6,
  message: 7,
  attribute: 8,
  anyValue: 9,
  packedVarint: 10,
  packedFixed64: 11,
} as const;

/** A message type compiled for the fast walk: by the tag byte of fields 1 to 15. */
export interface Plan {
  readonly actions: Uint8Array;
  /** The bit that a singular field sets, 0 for a repeated one; the members of a oneof share one. */
  readonly bits: Int32Array;
  readonly idSizes: Uint8Array;
  readonly children: (Plan | undefined)[];
  readonly isItem: boolean;
  /** Whether field 16 is a `fixed32`: the only known field with a longer tag. */
  readonly hasFlags: boolean;
}

const plans = new Map<Message, Plan>();

/** Compiles a message type, and what it contains; each once. */
export function planOf(message: Message): Plan {
  const known = plans.get(message);
  if (known !== undefined) return known;
  const plan: Plan = {
    actions: new Uint8Array(128),
    bits: new Int32Array(128),
    idSizes: new Uint8Array(128),
    children: Array.from({ length: 128 }, () => undefined),
    isItem: itemMessages.has(message),
    hasFlags: message.byNumber.get(16)?.kind === "fixed32",
  };
  plans.set(message, plan);
  const oneofBit = 1;
  for (const field of message.byNumber.values()) {
    if (field.number > 15) continue;
    for (const tag of tagsOf(field)) {
      plan.actions[tag] = actionOf(field, tag & 7);
      plan.bits[tag] = field.repeated ? 0 : field.inOneof ? oneofBit : 1 << field.number;
      plan.idSizes[tag] = field.idSize ?? 0;
      if (field.message !== undefined) plan.children[tag] = planOf(field.message());
    }
  }
  return plan;
}

function tagsOf(field: Field): number[] {
  const wire = { varint: 0, fixed64: 1, fixed32: 5, string: 2, bytes: 2, message: 2 }[field.kind];
  const tags = [field.number * 8 + wire];
  if (field.repeated && wire !== 2) tags.push(field.number * 8 + 2);
  return tags;
}

function actionOf(field: Field, wire: number): number {
  switch (field.kind) {
    case "varint":
      return wire === 2 ? action.packedVarint : action.varint;
    case "fixed64":
      return wire === 2 ? action.packedFixed64 : action.fixed64;
    case "fixed32":
      return action.fixed32;
    case "string":
      return action.string;
    case "bytes":
      return field.idSize === undefined ? action.bytes : action.id;
    case "message": {
      const message = field.message?.();
      if (message === keyValue) return action.attribute;
      return message === anyValue ? action.anyValue : action.message;
    }
  }
}

/** What a message counts besides its fields: about the time of so many fields. */
const messageElements = 3;

let itemCount = 0;

/**
 * Walks a whole request; returns its number of items, or `refused` when `check.ts` has to look at it.
 *
 * @param most how many elements it walks before it gives up
 */
export function walkRequest(bytes: Buffer, view: DataView, plan: Plan, most = anyNumber): number {
  itemCount = 0;
  left.elements = most;
  return messageEnd(bytes, view, 0, bytes.length, plan, 0) === nowhere ? nowhere : itemCount;
}

/** Walks the payload `[from, to)` of a message; returns `to` or `refused`. */
export function messageEnd(bytes: Buffer, view: DataView, from: number, to: number, plan: Plan, depth: number): number {
  if (plan.isItem) itemCount += 1;
  const { actions, bits } = plan;
  let seen = 0;
  let attributesEnd = 0;
  const most = left.elements;
  let elements = messageElements;
  let at = from;
  while (at < to) {
    elements += 1;
    if (elements > most) return nowhere;
    const tag = bytes[at]!;
    if (tag > 127 || actions[tag] === action.unknown) {
      const next = unknownEnd(bytes, at, to);
      if (next === nowhere) return nowhere;
      if (tag > 127 && !mayPass(bytes, at, plan, seen)) return nowhere;
      if (plan.hasFlags && tag === 0x85 && bytes[at + 1] === 1) seen |= 1 << 16;
      at = next;
      continue;
    }
    const bit = bits[tag]!;
    if ((seen & bit) !== 0) return nowhere;
    seen |= bit;
    if (actions[tag] === action.attribute) {
      if (attributesEnd !== 0 && attributesEnd !== at) return nowhere;
      at = keyValueEnd(bytes, view, at + 1, to, depth + 1);
      attributesEnd = at;
    } else {
      at = fieldEnd(bytes, view, at, to, plan, depth);
    }
    if (at === nowhere) return nowhere;
  }
  left.elements -= elements;
  return left.elements < 0 ? nowhere : to;
}

/** Whether the field with a longer tag at `at` needs no closer look: it is unknown, or the first `flags`. */
function mayPass(bytes: Buffer, at: number, plan: Plan, seen: number): boolean {
  const number = fieldNumber(bytes, at);
  if (number === 16 && plan.hasFlags) return (seen & (1 << 16)) === 0;
  return number !== 1000;
}

function fieldEnd(bytes: Buffer, view: DataView, at: number, to: number, plan: Plan, depth: number): number {
  const tag = bytes[at]!;
  switch (plan.actions[tag]) {
    case action.varint:
      return varintEnd(bytes, at + 1, to);
    case action.fixed64:
      return at + 9 <= to ? at + 9 : nowhere;
    case action.fixed32:
      return at + 5 <= to ? at + 5 : nowhere;
    case action.string:
      return stringEnd(bytes, view, at + 1, to);
    case action.bytes:
      return payloadEnd(bytes, at + 1, to);
    case action.id:
      return idEnd(bytes, at + 1, to, plan.idSizes[tag]!);
    case action.anyValue:
      return anyValueEnd(bytes, view, at + 1, to, depth + 1);
    case action.packedVarint:
      return packedVarintEnd(bytes, at + 1, to);
    case action.packedFixed64: {
      const end = payloadEnd(bytes, at + 1, to);
      return end === nowhere || (end - payloadStart(bytes, at + 1)) % 8 === 0 ? end : nowhere;
    }
    default: {
      const end = payloadEnd(bytes, at + 1, to);
      const child = plan.children[tag];
      if (end === nowhere || child === undefined) return nowhere;
      return messageEnd(bytes, view, payloadStart(bytes, at + 1), end, child, depth + 1);
    }
  }
}

/** Position behind an id of this size, or an empty one, whose length stands at `at`. */
export function idEnd(bytes: Buffer, at: number, to: number, size: number): number {
  if (at >= to || (bytes[at] !== size && bytes[at] !== 0)) return nowhere;
  const end = at + 1 + bytes[at]!;
  return end <= to ? end : nowhere;
}

function packedVarintEnd(bytes: Buffer, lengthAt: number, to: number): number {
  const end = payloadEnd(bytes, lengthAt, to);
  if (end === nowhere) return nowhere;
  let at = payloadStart(bytes, lengthAt);
  left.elements -= (end - at) >>> 1;
  if (left.elements < 0) return nowhere;
  while (at < end) {
    at = varintEnd(bytes, at, end);
    if (at === nowhere) return nowhere;
  }
  return end;
}
