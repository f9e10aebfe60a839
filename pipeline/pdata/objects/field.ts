/** How a field's value stands on the wire; `id` is bytes that are empty or exactly `idSize` long, and hex in JSON. */
export type Kind =
  | "double"
  | "string"
  | "bytes"
  | "id"
  | "bool"
  | "int32"
  | "sint32"
  | "uint32"
  | "int64"
  | "uint64"
  | "fixed32"
  | "fixed64"
  | "sfixed64"
  | "enum"
  | "message";

/** One field of an OTLP message. */
export interface Field {
  readonly number: number;
  /** As in JSON and in decoded objects: `startTimeUnixNano`. */
  readonly name: string;
  /** As in the .proto file: `start_time_unix_nano`. JSON input may use it too. */
  readonly protoName: string;
  readonly kind: Kind;
  readonly repeated: boolean;
  /** The oneof this field is a member of. */
  readonly oneof: string | undefined;
  /** True for an `optional` scalar: being set to zero differs from not being set. */
  readonly optional: boolean;
  /** Bytes of an id: 16 or 8. Zero for other kinds. */
  readonly idSize: number;
  /** The names of an enum's values. */
  readonly names: Readonly<Record<string, number>> | undefined;
  /** The type of a message field; throws for other kinds. */
  readonly type: () => MessageType;
}

/** An OTLP message: its full name and its fields in the order in which the Collector writes them as JSON. */
export interface MessageType {
  readonly name: string;
  readonly fields: readonly Field[];
}

type Unnamed = Omit<Field, "name" | "protoName">;

const none = {
  repeated: false,
  oneof: undefined,
  optional: false,
  idSize: 0,
  names: undefined,
  type: (): MessageType => {
    throw new TypeError("this field holds no message");
  },
};

/** A message type from its fields by JSON name. */
export function message(name: string, fields: Readonly<Record<string, Unnamed>>): MessageType {
  return {
    name,
    fields: Object.entries(fields).map(([json, field]) => ({ ...field, name: json, protoName: snakeCase(json) })),
  };
}

/** A singular scalar field. */
export function scalar(number: number, kind: Kind): Unnamed {
  return { ...none, number, kind };
}

/** A singular field that is empty or a trace id (16 bytes), a span id (8 bytes) or a profile id (16 bytes). */
export function id(number: number, idSize: number): Unnamed {
  return { ...none, number, kind: "id", idSize };
}

/** A singular field whose values have names. */
export function named(number: number, names: Readonly<Record<string, number>>): Unnamed {
  return { ...none, number, kind: "enum", names };
}

/** A singular message field. */
export function one(number: number, type: () => MessageType): Unnamed {
  return { ...none, number, kind: "message", type };
}

/** A repeated message field. */
export function many(number: number, type: () => MessageType): Unnamed {
  return { ...one(number, type), repeated: true };
}

/** The same field, repeated. */
export function repeated(field: Unnamed): Unnamed {
  return { ...field, repeated: true };
}

/** The same field with presence: zero is a value. */
export function optional(field: Unnamed): Unnamed {
  return { ...field, optional: true };
}

/** The same fields as members of one oneof. */
export function oneof<T extends Record<string, Unnamed>>(name: string, members: T): T {
  return Object.fromEntries(Object.entries(members).map(([key, field]) => [key, { ...field, oneof: name }])) as T;
}

/** Whether a repeated field of this kind is written packed into one length-delimited record. */
export function packs(field: Field): boolean {
  return (
    field.repeated &&
    field.kind !== "string" &&
    field.kind !== "bytes" &&
    field.kind !== "id" &&
    field.kind !== "message"
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
