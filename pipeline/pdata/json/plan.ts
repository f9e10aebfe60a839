import { wireType } from "../objects/decode.ts";
import type { Field, MessageType } from "../objects/field.ts";
import { packs } from "../objects/field.ts";
import { itemTypes } from "../objects/requests.ts";

/** What the JSON reader and writer look up about a field, worked out once. */
export interface JsonField {
  /** Its place in the order in which fields are written. */
  readonly index: number;
  readonly name: string;
  readonly protoName: string;
  readonly kind: number;
  readonly tag: number;
  /** Wire type of one element. */
  readonly wire: number;
  readonly repeated: boolean;
  readonly packed: boolean;
  /** Member of the oneof. */
  readonly oneof: boolean;
  /** Zero means "not there". */
  readonly implicit: boolean;
  /** In JSON input a later value replaces an earlier one instead of merging with it. */
  readonly replaces: boolean;
  /** A message the Collector writes as `{}` when it is not there. */
  readonly alwaysWritten: boolean;
  readonly idSize: number;
  readonly enumNames: ReadonlyMap<string, number>;
  /** The JSON name and the quote behind it. */
  readonly key: Words;
  /** `"name":` */
  readonly label: Words;
  /** The plan of a message field. */
  readonly plan: JsonPlan;
  /** Which field followed this one in JSON the last time: a guess that is checked. */
  next: JsonField | undefined;
}

/** A message type as the JSON reader and writer use it. */
export interface JsonPlan {
  readonly fields: readonly JsonField[];
  readonly byNumber: readonly (JsonField | undefined)[];
  /** The names a field may have, camelCase and snake_case, found by `nameSlot`. */
  readonly names: readonly (readonly JsonName[])[];
  /** Whether batches are counted in messages of this type. */
  readonly isItem: boolean;
  /** Which field came first the last time. */
  first: JsonField | undefined;
}

/** A field and a name it may have, with the quote behind. */
export interface JsonName {
  readonly key: Words;
  readonly field: JsonField;
}

/** ASCII text of four bytes or more, by words: the last word overlaps the one before. */
export interface Words {
  readonly words: Int32Array;
  readonly size: number;
}

/** Text as words. */
export function wordsOf(text: string): Words {
  const bytes = Buffer.from(text);
  const count = Math.ceil(bytes.length / 4);
  const words = Int32Array.from({ length: count }, (_, word) =>
    bytes.readInt32LE(Math.min(word * 4, bytes.length - 4)),
  );
  return { words, size: bytes.length };
}

/** Where in `names` a name is, by its size and its first and last byte. */
export function nameSlot(size: number, first: number, last: number): number {
  return (size * 5 + first * 3 + last) & 63;
}

/** Kinds as numbers, which a `switch` compares faster than strings. */
export const kinds = {
  message: 0,
  string: 1,
  id: 2,
  fixed64: 3,
  int64: 4,
  double: 5,
  enum: 6,
  uint32: 7,
  bool: 8,
  fixed32: 9,
  bytes: 10,
  sfixed64: 11,
  uint64: 12,
  int32: 13,
  sint32: 14,
} as const;

const plans = new WeakMap<MessageType, JsonPlan>();

/** The plan of a message type; made at the first call. */
export function planOf(type: MessageType): JsonPlan {
  const known = plans.get(type);
  if (known !== undefined) return known;
  const fields: JsonField[] = [];
  const byNumber: (JsonField | undefined)[] = Array.from({ length: 17 }, () => undefined);
  const names: JsonName[][] = Array.from({ length: 64 }, () => []);
  const plan: JsonPlan = { fields, byNumber, names, isItem: itemTypes.has(type), first: undefined };
  plans.set(type, plan); // before its fields: messages nest in themselves
  for (const [index, field] of type.fields.entries()) {
    const compiled = compile(field, index, plan);
    fields.push(compiled);
    byNumber[field.number] = compiled;
    for (const name of new Set([field.name, field.protoName])) {
      const slot = nameSlot(name.length, name.charCodeAt(0), name.charCodeAt(name.length - 1));
      names[slot]!.push({ key: wordsOf(`${name}"`), field: compiled });
    }
  }
  return plan;
}

function compile(field: Field, index: number, parent: JsonPlan): JsonField {
  const isMessage = field.kind === "message";
  const inOneof = field.oneof !== undefined;
  return {
    index,
    name: field.name,
    protoName: field.protoName,
    kind: kinds[field.kind],
    tag: field.number * 8 + (packs(field) ? 2 : wireType(field)),
    wire: wireType(field),
    repeated: field.repeated,
    packed: packs(field),
    oneof: inOneof,
    implicit: !isMessage && !inOneof && !field.optional && !field.repeated,
    replaces:
      inOneof || (isMessage && !field.repeated && field.type().fields.every((member) => member.oneof !== undefined)),
    alwaysWritten: isMessage && !inOneof && !field.repeated,
    idSize: field.idSize,
    enumNames: new Map(Object.entries(field.names ?? {})),
    key: wordsOf(`${field.name}"`),
    label: wordsOf(`"${field.name}":`),
    plan: isMessage ? planOf(field.type()) : parent,
    next: undefined,
  };
}
