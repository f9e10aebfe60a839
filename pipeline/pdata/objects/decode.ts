import type { Field, MessageType } from "./field.ts";

type PlainObject = Record<string, unknown>;

/**
 * Reads a message as a plain object in the shape of `types.ts`, by the rules of a standard decoder: the last scalar
 * wins, repeated singular messages merge, an oneof keeps its last member, repeated scalars come packed or not, fields
 * of another wire type or number are skipped, groups included.
 *
 * @param bytes a message that the validating walk accepted
 */
export function decodeMessage(type: MessageType, bytes: Buffer): PlainObject {
  return decodeChunks(type, [bytes]);
}

/** The same for a message cut into chunks at the borders of its top-level fields. */
export function decodeChunks(type: MessageType, chunks: readonly Buffer[]): PlainObject {
  const object = blank(type);
  for (const bytes of chunks) new ObjectReader(bytes).message(type, object, bytes.length);
  return object;
}

/** The value of a field that is not there. */
export function defaultValue(field: Field): unknown {
  switch (field.kind) {
    case "string":
      return "";
    case "bytes":
    case "id":
      return Buffer.alloc(0);
    case "bool":
      return false;
    case "int64":
    case "uint64":
    case "fixed64":
    case "sfixed64":
      return 0n;
    default:
      return 0;
  }
}

/** Whether a field that is not there still has a value: repeated ones and scalars without presence. */
export function alwaysPresent(field: Field): boolean {
  return field.repeated || (field.kind !== "message" && field.oneof === undefined && !field.optional);
}

function blank(type: MessageType): PlainObject {
  const object: PlainObject = {};
  for (const field of type.fields) {
    if (alwaysPresent(field)) object[field.name] = field.repeated ? [] : defaultValue(field);
  }
  return object;
}

const byNumber = new WeakMap<MessageType, Map<number, Field>>();

function fieldsOf(type: MessageType): Map<number, Field> {
  const known = byNumber.get(type);
  if (known !== undefined) return known;
  const fields = new Map(type.fields.map((field) => [field.number, field]));
  byNumber.set(type, fields);
  return fields;
}

const wireTypes: Partial<Record<Field["kind"], number>> = {
  double: 1,
  fixed64: 1,
  sfixed64: 1,
  string: 2,
  bytes: 2,
  id: 2,
  message: 2,
  fixed32: 5,
};

/** The wire type of one value of a field. */
export function wireType(field: Field): number {
  return wireTypes[field.kind] ?? 0;
}

class ObjectReader {
  private readonly bytes: Buffer;
  private position = 0;

  constructor(bytes: Buffer) {
    this.bytes = bytes;
  }

  message(type: MessageType, object: PlainObject, end: number): void {
    const fields = fieldsOf(type);
    while (this.position < end) {
      const tag = Number(this.varint() & 0xffffffffn);
      const field = fields.get(tag >>> 3);
      const wire = tag & 7;
      if (field !== undefined && wire === wireType(field)) this.field(type, field, object);
      else if (field?.repeated === true && wire === 2) this.packed(field, object[field.name] as unknown[]);
      else this.skip(wire, tag >>> 3);
    }
  }

  private field(type: MessageType, field: Field, object: PlainObject): void {
    if (field.kind === "message") {
      const end = this.length();
      const target = this.target(field, object);
      this.message(field.type(), target, end);
      if (field.oneof !== undefined) choose(type, field, object, target);
      return;
    }
    const value = this.scalar(field);
    if (field.repeated) (object[field.name] as unknown[]).push(value);
    else if (field.oneof !== undefined) choose(type, field, object, value);
    else object[field.name] = value;
  }

  /** The object a message field is read into: a new one, or for a singular field the one already there. */
  private target(field: Field, object: PlainObject): PlainObject {
    if (field.repeated) {
      const item = blank(field.type());
      (object[field.name] as unknown[]).push(item);
      return item;
    }
    const present = object[field.name] as PlainObject | undefined;
    if (present !== undefined) return present;
    const fresh = blank(field.type());
    object[field.name] = fresh;
    return fresh;
  }

  private packed(field: Field, values: unknown[]): void {
    const end = this.length();
    while (this.position < end) values.push(this.scalar(field));
  }

  private scalar(field: Field): unknown {
    switch (field.kind) {
      case "double":
        return this.bytes.readDoubleLE(this.advance(8));
      case "fixed64":
        return this.bytes.readBigUInt64LE(this.advance(8));
      case "sfixed64":
        return this.bytes.readBigInt64LE(this.advance(8));
      case "fixed32":
        return this.bytes.readUInt32LE(this.advance(4));
      case "string":
        return this.slice().toString("utf8");
      case "bytes":
      case "id":
        return Buffer.from(this.slice());
      case "bool":
        return this.varint() !== 0n;
      case "uint64":
        return this.varint();
      case "int64":
        return BigInt.asIntN(64, this.varint());
      case "uint32":
        return Number(BigInt.asUintN(32, this.varint()));
      case "sint32":
        return zigzag(Number(BigInt.asUintN(32, this.varint())));
      default:
        return Number(BigInt.asIntN(32, this.varint()));
    }
  }

  private skip(wire: number, number: number): void {
    if (wire === 0) this.varint();
    else if (wire === 1) this.position += 8;
    else if (wire === 2) this.position = this.length();
    else if (wire === 5) this.position += 4;
    else if (wire === 3) this.skipGroup(number);
  }

  private skipGroup(number: number): void {
    for (;;) {
      const tag = Number(this.varint() & 0xffffffffn);
      if ((tag & 7) === 4 && tag >>> 3 === number) return;
      this.skip(tag & 7, tag >>> 3);
    }
  }

  private slice(): Buffer {
    const end = this.length();
    const start = this.position;
    this.position = end;
    return this.bytes.subarray(start, end);
  }

  /** Reads a length and returns where what has that length ends. */
  private length(): number {
    const length = Number(this.varint());
    return this.position + length;
  }

  private advance(size: number): number {
    const start = this.position;
    this.position += size;
    return start;
  }

  private varint(): bigint {
    const first = this.bytes.readUInt8(this.position++);
    if (first < 0x80) return BigInt(first);
    let value = BigInt(first & 0x7f);
    for (let shift = 7n; ; shift += 7n) {
      const byte = this.bytes.readUInt8(this.position++);
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
  }
}

/** Sets one member of an oneof and takes the others away. */
function choose(type: MessageType, field: Field, object: PlainObject, value: unknown): void {
  for (const member of type.fields) {
    if (member.oneof === field.oneof && member !== field) delete object[member.name];
  }
  object[field.name] = value;
}

function zigzag(value: number): number {
  return (value >>> 1) ^ -(value & 1);
}
