import protobuf from "protobufjs";
import type { Signal } from "../../../../pipeline/pdata/signal.ts";
import type { Tape } from "./tape.ts";

/** Random messages of a type, in encodings a decoder must take although few senders write them. */

/** How oddly a message is written, in parts of 256. */
export interface Oddness {
  /** Padded varints, unpacked lists, messages in pieces. */
  readonly encoding: number;
  /** Unknown fields, groups, wrong wire types, ids and text that must be refused. */
  readonly content: number;
}

/** A serialized message of this type. */
export function randomMessage(type: protobuf.Type, tape: Tape, oddness: Oddness, depth = 0): Buffer {
  const parts: Buffer[] = [];
  const fields = type.fieldsArray;
  const count = tape.below(depth < 3 ? 6 : fields.length + 2) + (depth < 3 ? 1 : 0);
  for (let index = 0; index < count && !tape.isEmpty; index += 1) {
    if (tape.chance(oddness.content)) parts.push(unknownField(type, tape, oddness));
    else parts.push(randomField(likely(fields, tape, depth), tape, oddness, depth));
  }
  return Buffer.concat(parts);
}

/** Near the top mostly what leads down to the items. */
function likely(fields: readonly protobuf.Field[], tape: Tape, depth: number): protobuf.Field {
  const lists = fields.filter((field) => field.repeated && field.resolvedType instanceof protobuf.Type);
  return depth < 3 && lists.length > 0 && !tape.chance(100) ? tape.pick(lists) : tape.pick(fields);
}

function randomField(field: protobuf.Field, tape: Tape, oddness: Oddness, depth: number): Buffer {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) {
    const isLeaf = tape.isEmpty || depth > 96;
    const content = isLeaf ? Buffer.alloc(0) : randomMessage(resolvedType, tape, oddness, depth + 1);
    const hasOldNumber = field.id === 2 && field.parent?.name.startsWith("Resource") && tape.chance(oddness.content);
    return delimited(hasOldNumber ? 1000 : field.id, content, tape, oddness);
  }
  const kind = resolvedType instanceof protobuf.Enum ? "int32" : field.type;
  if (kind === "string") return delimited(field.id, randomText(tape, oddness), tape, oddness);
  if (kind === "bytes") return delimited(field.id, randomBytes(field.name, tape, oddness), tape, oddness);
  const wire = wireTypes[kind] ?? 0;
  if (!field.repeated || tape.chance(oddness.encoding)) {
    return Buffer.concat([tag(field.id, wire, tape, oddness), randomScalar(kind, tape, oddness)]);
  }
  const items = Array.from({ length: tape.below(4) }, () => randomScalar(kind, tape, oddness));
  return delimited(field.id, Buffer.concat(items), tape, oddness);
}

const wireTypes: Readonly<Record<string, number>> = { double: 1, fixed64: 1, sfixed64: 1, fixed32: 5 };

const idSizes: Readonly<Record<string, number>> = { traceId: 16, spanId: 8, parentSpanId: 8, profileId: 16 };

function randomBytes(name: string, tape: Tape, oddness: Oddness): Buffer {
  const size = idSizes[name];
  if (size === undefined) return tape.bytes(tape.below(5));
  if (tape.chance(oddness.content >> 3)) return tape.bytes(tape.below(18));
  return tape.chance(60) ? Buffer.alloc(0) : tape.bytes(size);
}

const texts = [
  "",
  "a",
  "key",
  "service.name",
  "gen_ai.request.model",
  "é",
  "€uro",
  "😀",
  'quo"te',
  "back\\slash",
  "\n\t\u0001",
  "\0",
];

function randomText(tape: Tape, oddness: Oddness): Buffer {
  if (tape.chance(oddness.content >> 3)) return tape.bytes(tape.below(6));
  if (tape.chance(8)) return Buffer.from("x".repeat(100 + tape.below(200)));
  return Buffer.from(tape.pick(texts));
}

const integers = [
  0n,
  1n,
  2n,
  3n,
  127n,
  128n,
  300n,
  -1n,
  2n ** 31n - 1n,
  2n ** 31n,
  -(2n ** 31n),
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
  2n ** 64n - 1n,
];

const doubles = [
  0,
  -0,
  1,
  -1.5,
  0.1,
  123456.789,
  1e21,
  1e-7,
  5e-324,
  Number.MAX_VALUE,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
];

function randomScalar(kind: string, tape: Tape, oddness: Oddness): Buffer {
  const bytes = Buffer.alloc(8);
  if (kind === "double") {
    bytes.writeDoubleLE(tape.pick(doubles));
    return bytes;
  }
  const value = tape.chance(40) ? tape.bytes(8).readBigUInt64LE() : BigInt.asUintN(64, tape.pick(integers));
  if (wireTypes[kind] === undefined) return varint(kind === "bool" ? value & 1n : value, tape, oddness);
  bytes.writeBigUInt64LE(value);
  return wireTypes[kind] === 5 ? bytes.subarray(0, 4) : bytes;
}

/** A field the type does not have, or one it has in a wire type that is not its own. */
function unknownField(type: protobuf.Type, tape: Tape, oddness: Oddness): Buffer {
  const number = tape.pick([...type.fieldsArray.map(({ id }) => id), 13, 17, 99, 999, 2 ** 29 - 1]);
  const wire = tape.pick([0, 1, 2, 5, 3, 3]);
  return Buffer.concat([tag(number, wire, tape, oddness), unknownContent(number, wire, tape, oddness)]);
}

function unknownContent(number: number, wire: number, tape: Tape, oddness: Oddness): Buffer {
  if (wire === 0) return varint(BigInt(tape.byte()), tape, oddness);
  if (wire === 1) return tape.bytes(8);
  if (wire === 5) return tape.bytes(4);
  if (wire === 2) {
    const content = tape.bytes(tape.below(4));
    return Buffer.concat([varint(BigInt(content.length), tape, oddness, 5), content]);
  }
  const parts: Buffer[] = [];
  while (tape.chance(120)) {
    const inner = tape.pick([1, 2, number]);
    const innerWire = tape.pick([0, 1, 2, 5, 3]);
    parts.push(tag(inner, innerWire, tape, oddness), unknownContent(inner, innerWire, tape, oddness));
  }
  return Buffer.concat([...parts, tag(number, 4, tape, oddness)]);
}

function delimited(number: number, content: Buffer, tape: Tape, oddness: Oddness): Buffer {
  return Buffer.concat([tag(number, 2, tape, oddness), varint(BigInt(content.length), tape, oddness, 5), content]);
}

function tag(number: number, wire: number, tape: Tape, oddness: Oddness): Buffer {
  return varint(BigInt(number * 8 + wire), tape, oddness, 5);
}

/** A varint, now and then with more bytes than it needs. */
function varint(value: bigint, tape: Tape, oddness: Oddness, longest = 10): Buffer {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    bytes.push(Number(rest & 0x7fn));
    if (rest < 0x80n) break;
  }
  if (tape.chance(oddness.encoding >> 2)) while (bytes.length < longest && tape.chance(128)) bytes.push(0);
  return Buffer.from(bytes.map((byte, index) => (index < bytes.length - 1 ? byte | 0x80 : byte)));
}

/** The fields around an attribute's value, innermost first: of a resource, and of each signal's items. */
const around: Readonly<Record<Signal, readonly number[]>> = {
  traces: [2, 9, 2, 2, 1],
  metrics: [2, 7, 1, 5, 2, 2, 1],
  logs: [2, 6, 2, 2, 1],
  profiles: [2, 1, 1, 1],
};

/** Lists inside each other as an attribute's value, 90 to 110 levels below the request. */
export function deepMessage(signal: Signal, tape: Tape): Buffer {
  let value: Buffer = Buffer.alloc(0);
  const wrap = (number: number): void => {
    value = Buffer.concat([plainTag(number), plainLength(value.length), value]);
  };
  const path = tape.pick([around[signal], around.profiles]);
  for (let depth = 90 + tape.below(20); depth > path.length; depth -= 2) {
    wrap(1);
    wrap(5);
  }
  path.forEach(wrap);
  return value;
}

function plainTag(number: number): Buffer {
  return Buffer.from([number * 8 + 2]);
}

function plainLength(size: number): Buffer {
  return size < 128 ? Buffer.from([size]) : Buffer.from([(size & 127) | 128, size >> 7]);
}

/** The bytes with something cut, changed, repeated or put in. */
export function mutated(bytes: Buffer, tape: Tape): Buffer {
  let result = Buffer.from(bytes);
  const count = 1 + tape.below(3);
  for (let index = 0; index < count; index += 1) result = mutatedOnce(result, tape);
  return result;
}

function mutatedOnce(bytes: Buffer, tape: Tape): Buffer<ArrayBuffer> {
  const at = tape.below(bytes.length + 1);
  const to = Math.min(bytes.length, at + tape.below(6));
  const [before, between, after] = [bytes.subarray(0, at), bytes.subarray(at, to), bytes.subarray(to)];
  switch (tape.below(5)) {
    case 0:
      return Buffer.concat([before, after]);
    case 1:
      return Buffer.concat([before, tape.bytes(between.length), after]);
    case 2:
      return Buffer.concat([before, between, between, after]);
    case 3:
      return Buffer.concat([before, tape.bytes(tape.below(3)), between, after]);
    default:
      return Buffer.from(before);
  }
}
