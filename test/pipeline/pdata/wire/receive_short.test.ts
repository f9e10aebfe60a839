import assert from "node:assert/strict";
import { it } from "node:test";
import { encode, receive, receiveShort, type Signal } from "../../../../pipeline/pdata/index.ts";

const mebibyte = 1024 * 1024;

/** A message in the field `number` of another one. */
function field(number: number, payload: Buffer): Buffer {
  const head = [number * 8 + 2];
  let rest = payload.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...head, rest]), payload]);
}

/** Almost 4 MiB of the same few bytes. */
function many(...bytes: number[]): Buffer {
  const size = 4 * mebibyte - 200;
  return Buffer.alloc(size - (size % bytes.length), Buffer.from(bytes));
}

const item = (payload: Buffer) => field(1, field(2, field(2, payload)));
const attribute = (value: Buffer) => item(field(9, Buffer.concat([Buffer.of(0x0a, 0), field(2, value)])));

// Scenario: 4 MiB in which everything has two or three bytes: the fast walk would take up to a tenth of a second.
// Guarantees: it is left to somebody else, and there it is read to its end.
for (const { name, signal, body } of [
  { name: "resources", signal: "traces", body: many(0x0a, 0) },
  { name: "scopes", signal: "traces", body: field(1, many(0x12, 0)) },
  { name: "spans", signal: "traces", body: field(1, field(2, many(0x12, 0))) },
  { name: "attributes of one span", signal: "traces", body: item(many(0x4a, 0)) },
  { name: "spans of two attributes", signal: "traces", body: field(1, field(2, many(0x12, 4, 0x4a, 0, 0x4a, 0))) },
  { name: "events", signal: "traces", body: item(many(0x5a, 0)) },
  { name: "unknown fields of a span", signal: "traces", body: item(many(0xf8, 1, 0)) },
  { name: "unknown fields of a scope", signal: "traces", body: field(1, field(2, many(0x40, 0))) },
  { name: "unknown fields of an attribute", signal: "traces", body: item(field(9, many(0x20, 0))) },
  { name: "values of a list", signal: "traces", body: attribute(field(5, many(0x0a, 0))) },
  { name: "values of a map", signal: "traces", body: attribute(field(6, many(0x0a, 0))) },
  { name: "attributes of a resource", signal: "traces", body: field(1, field(1, many(0x0a, 0))) },
  { name: "log records", signal: "logs", body: field(1, field(2, many(0x12, 0))) },
  { name: "attributes of a log record", signal: "logs", body: item(many(0x32, 0)) },
  { name: "data points", signal: "metrics", body: item(field(5, many(0x0a, 0))) },
  { name: "packed bucket counts", signal: "metrics", body: item(field(10, field(1, field(8, field(2, many(1)))))) },
] satisfies { name: string; signal: Signal; body: Buffer }[]) {
  it(`does not read in place millions of ${name}`, () => {
    assert.equal(receiveShort(signal, body), undefined);
    assert.equal(receive(signal, body).sizeBytes, body.length);
  });
}

it("reads in place 4 MiB as programs send it", () => {
  const attributes = Array.from({ length: 12 }, (_, index) => ({
    key: `attribute.number.${index}`,
    value: { stringValue: "some value" },
  }));
  const spans = Array.from({ length: 8000 }, () => ({ traceId: Buffer.alloc(16, 1), name: "chat", attributes }));
  const body = encode("traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] }).toBuffer();
  assert.ok(body.length > 3.5 * mebibyte && body.length < 4 * mebibyte);
  assert.equal(receiveShort("traces", body)?.itemCount, 8000);
});

it("reads small bodies in place whatever they hold", () => {
  assert.equal(receiveShort("traces", field(1, field(2, Buffer.alloc(30_000, Buffer.of(0x12, 0)))))?.itemCount, 15_000);
});
