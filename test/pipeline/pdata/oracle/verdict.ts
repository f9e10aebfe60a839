import protobuf from "protobufjs";
import { type Signal, signals } from "../../../../pipeline/pdata/signal.ts";
import { loadProtos, oracleType, plain } from "./protobuf.ts";

/**
 * What protobufjs says of bytes, plus the documented rules that protobufjs does not know:
 * - every id, also one that a later one replaces, has its exact size or none;
 * - a varint has at most 10 bytes, also one that is skipped;
 * - field 1000 of a resource's entry is the old name of its scopes, and counts where no scopes are.
 */

const oldScopes = "deprecatedScopes";

/** The decoded request, or why it is refused. */
export type Verdict = { readonly request: Record<string, unknown> } | { readonly refusal: string };

export function oracleVerdict(signal: Signal, bytes: Buffer): Verdict {
  const type = oracleType(signal, root);
  try {
    const request = plain(type, type.decode(readerOf(bytes)));
    const id = wrongId(everyOccurrence(type), bytes);
    return id === undefined ? { request: moveOldScopes(request) } : { refusal: `${id} has a wrong size` };
  } catch (error) {
    return { refusal: (error as Error).message };
  }
}

/** `proto/` with field 1000. */
const root = withOldScopes(loadProtos());

function withOldScopes(protos: protobuf.Root): protobuf.Root {
  for (const signal of signals) {
    const entry = oracleType(signal, protos).fieldsArray[0]!.resolvedType as protobuf.Type;
    const scopes = entry.fieldsArray.find(({ id }) => id === 2)!;
    entry.reserved = [];
    const field = new protobuf.Field(oldScopes, 1000, scopes.type, "repeated");
    entry.add(field);
    field.resolve(); // else it has no message type until an entry has been decoded
  }
  return protos;
}

function moveOldScopes(request: Record<string, unknown>): Record<string, unknown> {
  for (const entries of Object.values(request)) {
    if (!Array.isArray(entries)) continue;
    for (const entry of entries as Record<string, unknown>[]) {
      const name = Object.keys(entry).find((key) => /^scope[A-Z]/.test(key))!;
      if ((entry[name] as unknown[]).length === 0) entry[name] = entry[oldScopes];
      delete entry[oldScopes];
    }
  }
  return request;
}

const loosened = new Map<string, protobuf.Type>();
const looseRoot = new protobuf.Root();

/** The type with ids and messages repeated and no oneofs: decoding with it keeps what a decoder replaces or merges. */
function everyOccurrence(type: protobuf.Type): protobuf.Type {
  const name = type.fullName.replaceAll(".", "_");
  const known = loosened.get(name);
  if (known !== undefined) return known;
  const loose = new protobuf.Type(name);
  loosened.set(name, loose);
  looseRoot.add(loose);
  loose.add(new protobuf.Field("unused", 19000, "int32")); // protobufjs takes groups wrongly where a type has no field
  for (const field of type.fieldsArray) {
    const { resolvedType } = field;
    if (resolvedType instanceof protobuf.Type) {
      const inner = everyOccurrence(resolvedType);
      loose.add(new protobuf.Field(field.name, field.id, inner.name, "repeated"));
    } else if (idSizes[field.name] !== undefined) {
      loose.add(new protobuf.Field(field.name, field.id, "bytes", "repeated"));
    }
  }
  return loose;
}

const idSizes: Readonly<Record<string, number>> = { traceId: 16, spanId: 8, parentSpanId: 8, profileId: 16 };

function wrongId(type: protobuf.Type, bytes: Buffer): string | undefined {
  const find = (message: Record<string, unknown>, of: protobuf.Type): string | undefined => {
    for (const field of of.fieldsArray.filter(({ repeated }) => repeated)) {
      for (const item of (message[field.name] as unknown[] | undefined) ?? []) {
        if (field.resolvedType instanceof protobuf.Type) {
          const inner = find(item as Record<string, unknown>, field.resolvedType);
          if (inner !== undefined) return inner;
        } else if (![0, idSizes[field.name]].includes((item as Uint8Array).length)) return field.name;
      }
    }
    return undefined;
  };
  return find(type.decode(readerOf(bytes)) as unknown as Record<string, unknown>, type);
}

/** A reader that skips no varint of more than 10 bytes. */
function readerOf(bytes: Buffer): protobuf.Reader {
  const reader = protobuf.Reader.create(bytes);
  const skip = reader.skip.bind(reader);
  reader.skip = (length?: number) => {
    const from = reader.pos;
    skip(length);
    if (length === undefined && reader.pos - from > 10) throw new Error("a varint of more than 10 bytes");
    return reader;
  };
  return reader;
}

/** How many items a decoded request holds. */
export function itemsIn(signal: Signal, request: Record<string, unknown>): number {
  const name = { traces: "Span", logs: "LogRecord", metrics: "DataPoint", profiles: "Sample" }[signal];
  const count = (value: unknown, type: protobuf.Type): number => {
    if (type.name.endsWith(name)) return 1;
    let sum = 0;
    for (const field of type.fieldsArray) {
      const inner = (value as Record<string, unknown>)[field.name];
      if (!(field.resolvedType instanceof protobuf.Type) || inner === undefined) continue;
      for (const item of Array.isArray(inner) ? inner : [inner]) sum += count(item, field.resolvedType);
    }
    return sum;
  };
  return count(request, oracleType(signal));
}
