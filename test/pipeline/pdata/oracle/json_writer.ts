import protobuf from "protobufjs";
import type { Tape } from "./tape.ts";

/** OTLP/JSON from decoded requests: as the Collector writes it, and in every other way it may be spelled. */

type PlainObject = Readonly<Record<string, unknown>>;

/** What `JSON.parse` must give for a decoded request that `toJson` has written. */
export function expectedJson(type: protobuf.Type, object: PlainObject): PlainObject {
  const json: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const value = object[field.name];
    if (field.repeated) {
      const items = value as readonly unknown[];
      if (items.length > 0) json[field.name] = items.map((item) => expectedValue(field, item));
    } else if (field.resolvedType instanceof protobuf.Type && field.partOf === null) {
      json[field.name] = expectedJson(
        field.resolvedType,
        (value as PlainObject | undefined) ?? noFields(field.resolvedType),
      );
    } else if (value !== undefined && (field.partOf !== null || !isZero(value))) {
      json[field.name] = expectedValue(field, value);
    }
  }
  return json;
}

/** Enough of a message for it to be written: its lists. */
function noFields(type: protobuf.Type): PlainObject {
  return Object.fromEntries(type.fieldsArray.filter(({ repeated }) => repeated).map(({ name }) => [name, []]));
}

function isZero(value: unknown): boolean {
  if (Buffer.isBuffer(value)) return value.length === 0;
  return value === "" || value === false || value === 0n || Object.is(value, 0);
}

const idNames = ["traceId", "spanId", "parentSpanId", "profileId"];

function expectedValue(field: protobuf.Field, value: unknown): unknown {
  if (field.resolvedType instanceof protobuf.Type) return expectedJson(field.resolvedType, value as PlainObject);
  if (Buffer.isBuffer(value)) return value.toString(idNames.includes(field.name) ? "hex" : "base64");
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return value;
}

/** The decoded request as JSON text, spelled in ways that a tape chooses, with other names in between. */
export function spelledJson(type: protobuf.Type, object: PlainObject, tape: Tape): string {
  const members: string[] = [];
  for (const field of type.fieldsArray) {
    const value = object[field.name];
    if (tape.chance(16)) members.push(unknownMember(tape));
    if (field.repeated) members.push(...listMembers(field, value as readonly unknown[], tape));
    else if (value === undefined) members.push(...absentMembers(field, tape));
    else if (!isZero(value) || field.partOf !== null || tape.chance(30)) {
      members.push(...replacedMembers(field, tape), `${name(field, tape)}:${spelledValue(field, value, tape)}`);
    }
  }
  const order = members.map((member) => ({ member, rank: tape.chance(40) ? tape.byte() : 0 }));
  if (!members.some((member) => member.startsWith("@"))) order.sort((a, b) => a.rank - b.rank);
  const inOrder = order.map(({ member }) => member.replace(/^@/, "")).join(`${space(tape)},${space(tape)}`);
  return `${space(tape)}{${space(tape)}${inOrder}${space(tape)}}`;
}

/** A list in one piece or two. An `@` keeps the order of the object's members. */
function listMembers(field: protobuf.Field, items: readonly unknown[], tape: Tape): string[] {
  const spelled = items.map((item) => spelledValue(field, item, tape));
  const list = (part: readonly string[]) => `${name(field, tape)}:[${part.join(`${space(tape)},`)}]`;
  if (items.length === 0) return tape.chance(30) ? [`${name(field, tape)}:${tape.pick(["[]", "null", "[ ]"])}`] : [];
  if (!tape.chance(30)) return [list(spelled)];
  const cut = tape.below(items.length + 1);
  return [`@${list(spelled.slice(0, cut))}`, `@${list(spelled.slice(cut))}`];
}

function absentMembers(field: protobuf.Field, tape: Tape): string[] {
  const isMessage = field.resolvedType instanceof protobuf.Type && field.partOf === null;
  return isMessage && tape.chance(30) ? [`${name(field, tape)}:null`] : [];
}

/** An earlier value of the same name that the real one replaces. */
function replacedMembers(field: protobuf.Field, tape: Tape): string[] {
  const earlier = { string: '"earlier"', double: "7.5", bool: "true", fixed64: '"77"', uint32: "7", int64: "-7" }[
    field.type
  ];
  return earlier !== undefined && tape.chance(16) ? [`@${name(field, tape)}:${earlier}`] : [];
}

function unknownMember(tape: Tape): string {
  const value = tape.pick(["null", "1", '"x"', "[]", "{}", '{"a":[true,{"b":-1.5e3}]}', '"\\u00e9"']);
  return `"${tape.pick(["unknown", "", "x_y", "nam\\u0065d"])}":${value}`;
}

function name(field: protobuf.Field, tape: Tape): string {
  const snake = field.name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const spelling = tape.chance(60) ? snake : field.name;
  const escaped = tape.chance(8) ? escapedText(spelling) : JSON.stringify(spelling);
  return `${escaped}${space(tape)}`;
}

function spelledValue(field: protobuf.Field, value: unknown, tape: Tape): string {
  const { resolvedType } = field;
  if (resolvedType instanceof protobuf.Type) return spelledJson(resolvedType, value as PlainObject, tape);
  if (resolvedType instanceof protobuf.Enum) {
    const label = resolvedType.valuesById[value as number];
    return label !== undefined && tape.chance(128) ? JSON.stringify(label) : String(value);
  }
  if (Buffer.isBuffer(value)) return JSON.stringify(spelledBytes(field, value, tape));
  if (typeof value === "bigint") return tape.pick([`"${value}"`, String(value), `${value}.0`, `"${value}e0"`]);
  if (field.type === "double") return spelledDouble(value as number, tape);
  if (typeof value === "number") return tape.pick([String(value), `"${value}"`]);
  if (typeof value !== "string") return String(value);
  if (value === "" && tape.chance(60)) return "null";
  return tape.chance(30) ? escapedText(value) : JSON.stringify(value);
}

function spelledBytes(field: protobuf.Field, value: Buffer, tape: Tape): string {
  if (!idNames.includes(field.name)) return value.toString(tape.chance(60) ? "base64url" : "base64");
  const hex = value.toString("hex");
  return tape.chance(80) ? hex.toUpperCase() : hex;
}

function spelledDouble(value: number, tape: Tape): string {
  if (!Number.isFinite(value)) return `"${tape.pick([String(value), String(value).toUpperCase()])}"`;
  const text = Object.is(value, -0) ? "-0.0" : String(value);
  return tape.pick([text, `"${text}"`, value.toExponential().replace(/^0e/, Object.is(value, -0) ? "-0e" : "0e")]);
}

function escapedText(text: string): string {
  return `"${Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, "0")}`).join("")}"`;
}

function space(tape: Tape): string {
  return tape.chance(20) ? tape.pick([" ", "\n", "\t \r\n"]) : "";
}
