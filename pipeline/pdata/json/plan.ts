import { wireType } from "../objects/decode.ts";
import type { Field, MessageType } from "../objects/field.ts";
import { packs } from "../objects/field.ts";

/** What the JSON reader and writer look up about a field, worked out once. */
export interface JsonField {
  /** Its place in the order in which fields are written. */
  readonly index: number;
  readonly name: string;
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
  readonly key: Buffer;
  /** `"name":` as little-endian words, zeros behind. */
  readonly label: Int32Array;
  readonly labelSize: number;
  /** The plan of a message field. */
  readonly plan: JsonPlan;
  /** Which field followed this one in JSON the last time: a guess that is checked. */
  next: JsonField | undefined;
}

/** A message type as the JSON reader and writer use it. */
export interface JsonPlan {
  readonly fields: readonly JsonField[];
  readonly byNumber: readonly (JsonField | undefined)[];
  /** By camelCase and by snake_case name. */
  readonly byName: ReadonlyMap<string, JsonField>;
  /** Which field came first the last time. */
  first: JsonField | undefined;
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
  const byName = new Map<string, JsonField>();
  const plan: JsonPlan = { fields, byNumber, byName, first: undefined };
  plans.set(type, plan); // before its fields: messages nest in themselves
  for (const [index, field] of type.fields.entries()) {
    const compiled = compile(field, index, plan);
    fields.push(compiled);
    byNumber[field.number] = compiled;
    byName.set(field.protoName, compiled).set(field.name, compiled);
  }
  return plan;
}

function compile(field: Field, index: number, parent: JsonPlan): JsonField {
  const isMessage = field.kind === "message";
  const inOneof = field.oneof !== undefined;
  const label = Buffer.from(`"${field.name}":`);
  const words = Buffer.concat([label, Buffer.alloc(8)]);
  return {
    index,
    name: field.name,
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
    key: Buffer.from(`${field.name}"`),
    label: Int32Array.from({ length: Math.ceil(label.length / 4) }, (_, word) => words.readInt32LE(word * 4)),
    labelSize: label.length,
    plan: isMessage ? planOf(field.type()) : parent,
    next: undefined,
  };
}
