import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import type protobuf from "protobufjs";
import {
  decode,
  fromJson,
  type Pdata,
  type PdataOf,
  receive,
  type Signal,
  toJson,
  WireError,
} from "../../../../pipeline/pdata/index.ts";
import { blank, readRequest } from "./json_reader.ts";
import { parseJson } from "./json_text.ts";
import { expectedJson, spelledJson } from "./json_writer.ts";
import { bytesOf, forTapes, seed } from "./property.ts";
import { oracleType } from "./protobuf.ts";
import type { Tape } from "./tape.ts";
import { oracleVerdict } from "./verdict.ts";

const runs = { written: 2000, spelled: 2000, mutated: 3000 };

/** OTLP/JSON of a signal, in both directions, against protobufjs and a plain reader. */
export function describeJson(signal: Signal): void {
  const type = oracleType(signal);
  describe(`${signal} as OTLP/JSON (OTELPIPE_SEED=${seed})`, () => {
    it(`writes what protobufjs decoded and reads it back: ${runs.written} requests`, () => {
      forTapes(runs.written, 600, (tape) => {
        const { data, request } = accepted(signal, tape);
        const text = toJson(data);
        same(JSON.parse(text.toString()), expectedJson(type, request), text.toString());
        const back = fromJson(signal, text);
        same(decode(back), withMessages(type, request), text.toString());
        assert.equal(toJson(back).toString(), text.toString(), "writing it again gives another text");
      });
    });

    it(`reads every spelling of ${runs.spelled} requests`, () => {
      forTapes(runs.spelled, 900, (tape) => {
        const { request } = accepted(signal, tape);
        const text = spelledJson(type, request, tape);
        const data: Pdata = fromJson(signal, Buffer.from(text));
        same(decode(data as PdataOf[Signal]), request, text);
        const walked: Pdata = receive(signal, data.toBuffer());
        assert.equal(walked.itemCount, data.itemCount, text);
        assert.ok(!walked.chunks.some(({ isRewritten }) => isRewritten), `the bytes are not in ordinary form: ${text}`);
      });
    });

    it(`gives a plain reader's verdict and values for ${runs.mutated} changed texts`, () => {
      let count = 0;
      forTapes(runs.mutated, 900, (tape) => {
        const { request } = accepted(signal, tape);
        const text = changed(spelledJson(type, request, tape), tape);
        if (compare(signal, type, text)) count += 1;
      });
      assert.ok(count > 0, "no text was accepted");
    });
  });
}

function accepted<S extends Signal>(signal: S, tape: Tape): { data: PdataOf[S]; request: Record<string, unknown> } {
  const bytes = bytesOf(signal, tape.chance(40) ? "odd" : "ordinary", tape);
  const verdict = oracleVerdict(signal, bytes);
  if ("refusal" in verdict) return { data: receive(signal, Buffer.alloc(0)), request: blank(oracleType(signal)) };
  return { data: receive(signal, bytes), request: verdict.request };
}

function same(actual: unknown, expected: unknown, text: string): void {
  if (!isDeepStrictEqual(actual, expected)) assert.deepEqual(actual, expected, text);
}

/** Asserts that a text gets the plain reader's verdict and values; true when both accept. */
export function compare(signal: Signal, type: protobuf.Type, text: string): boolean {
  const body = Buffer.from(text);
  let expected: Record<string, unknown> | undefined;
  let refusal = "";
  try {
    expected = readRequest(type, parseJson(body.toString()));
  } catch (error) {
    refusal = String(error);
  }
  try {
    same(decode(fromJson(signal, body)), expected ?? { refusal }, text);
    return true;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof WireError, `threw ${String(error)}: ${text}`);
    assert.ok(error.offset >= 0 && error.offset <= body.length, `offset ${error.offset}: ${text}`);
    assert.equal(expected, undefined, `refused although valid (${error.message}): ${text}`);
    return false;
  }
}

/** Where the Collector's JSON has `{}`, reading it back gives an empty message. */
function withMessages(type: protobuf.Type, object: Record<string, unknown>): Record<string, unknown> {
  const full: Record<string, unknown> = {};
  for (const field of type.fieldsArray) {
    const value = object[field.name];
    const inner = "fields" in (field.resolvedType ?? {}) ? (field.resolvedType as protobuf.Type) : undefined;
    if (inner !== undefined && Array.isArray(value)) full[field.name] = value.map((item) => withMessages(inner, item));
    else if (inner !== undefined && (value !== undefined || field.partOf === null)) {
      full[field.name] = withMessages(inner, (value as Record<string, unknown> | undefined) ?? blank(inner));
    } else if (value !== undefined) full[field.name] = value;
  }
  return full;
}

const pieces = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "\\",
  "null",
  "true",
  "0",
  "-",
  ".",
  "e",
  "1e3",
  '""',
  " ",
  "a",
  "\u0001",
  "é",
  '"x":',
  "[[",
  "{}",
];

/** The text with pieces cut out, doubled or put in. */
function changed(text: string, tape: Tape): string {
  let result = text;
  for (let count = 1 + tape.below(2); count > 0; count -= 1) {
    const at = tape.below(result.length + 1);
    const to = at + tape.below(12);
    const [before, between, after] = [result.slice(0, at), result.slice(at, to), result.slice(to)];
    const piece = tape.pick(pieces);
    result = tape.pick([
      before + after,
      before + between + between + after,
      before + piece + between + after,
      before + piece + after,
    ]);
  }
  return result;
}
