import assert from "node:assert/strict";
import { it } from "node:test";
import { compare } from "../oracle/json.ts";
import { forTapes, seed } from "../oracle/property.ts";
import { oracleType } from "../oracle/protobuf.ts";
import type { Tape } from "../oracle/tape.ts";

const runs = 10_000;

/** Keys that are easily taken for each other: of one size, with one ending, one the beginning of another. */
const keys = [
  "a",
  "b",
  "ab",
  "",
  "gen_ai.usage.input_tokens",
  "gen_ai.request.max_tokens",
  "gen_ai.request.max_tokenz",
  "gen_ai.usage.output_tokens",
  "gen_ai.request.model",
  "gen_ai.provider.name",
  "gen_ai.provider.names",
  "é€😀",
  "é€😁",
  String.raw`a\"b`,
  "k".repeat(127),
  "k".repeat(128),
];
const values = [
  '{"stringValue":"x"}',
  '{"stringValue":"x"}',
  '{"stringValue":""}',
  String.raw`{"stringValue":"a\nb"}`,
  `{"stringValue":"${"y".repeat(130)}"}`,
  '{"stringValue":null}',
  '{"intValue":"8080"}',
  '{"intValue":-1}',
  '{"doubleValue":0.8750469088554382}',
  '{"doubleValue":"NaN"}',
  '{"boolValue":true}',
  '{"boolValue":false}',
  '{"bytesValue":"AAE="}',
  '{"arrayValue":{"values":[{"stringValue":"x"}]}}',
  '{"kvlistValue":{"values":[{"key":"a","value":{"stringValue":"x"}},{"key":"b","value":{"intValue":"1"}}]}}',
  '{"stringValue":"x","intValue":1}',
  '{"stringValues":"x"}',
  "{}",
  "null",
];
const spoilers = ['"', "\\", "{", "}", " ", ",", ":", "x", "\u0000", "\u007f", "é", "\u{10ffff}"];

function attributes(tape: Tape): string {
  const list = Array.from({ length: tape.below(6) }, () => {
    const value = tape.pick(values);
    const key = tape.pick(keys);
    return tape.chance(30) ? `{"value":${value},"key":"${key}"}` : `{"key":"${key}","value":${value}}`;
  });
  return `"attributes":[${list.join(",")}]`;
}

/** A request whose attributes repeat, sometimes with one character spoilt, far enough from the end to be read in one go. */
function request(tape: Tape): string {
  const spoiler = tape.chance(128)
    ? { text: tape.pick(spoilers), at: tape.below(65_536), cut: tape.below(2) }
    : undefined;
  const kinds = Array.from({ length: 3 }, () => `{${attributes(tape)},"events":[{${attributes(tape)}}]}`);
  const spans = Array.from({ length: 2 + tape.below(6) }, () => tape.pick(kinds));
  const text = `{"resourceSpans":[{"resource":{${attributes(tape)}},"scopeSpans":[{"spans":[${spans.join(",")}]}]}]}`;
  const at = spoiler === undefined ? 0 : spoiler.at % text.length;
  const spoilt = spoiler === undefined ? text : text.slice(0, at) + spoiler.text + text.slice(at + spoiler.cut);
  return spoilt + " ".repeat(160);
}

// Scenario: openings of attributes come again, alike, almost alike or spoilt, in changing order.
// Guarantees: comparing an opening with an earlier one gives the verdict and the values of reading it.
it(`reads attributes that came before as if for the first time: ${runs} requests (OTELPIPE_SEED=${seed})`, () => {
  const type = oracleType("traces");
  let accepted = 0;
  let refused = 0;
  forTapes(runs, 160, (tape) => {
    if (compare("traces", type, request(tape))) accepted += 1;
    else refused += 1;
  });
  assert.ok(accepted > runs / 4 && refused > runs / 10, `${accepted} accepted, ${refused} refused`);
});
