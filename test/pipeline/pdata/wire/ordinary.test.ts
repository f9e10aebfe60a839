import assert from "node:assert/strict";
import { it } from "node:test";
import { type Decoded, decode, receive } from "../../../../pipeline/pdata/index.ts";

/** A length-delimited field. */
function field(number: number, ...payloads: Buffer[]): Buffer {
  const payload = Buffer.concat(payloads);
  const head = [number * 8 + 2];
  let rest = payload.length;
  for (; rest > 127; rest = Math.floor(rest / 128)) head.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...head, rest]), payload]);
}

const many = (count: number, bytes: Buffer) => Buffer.alloc(count * bytes.length, bytes);
const letter = (key: string) => field(1, Buffer.from(key));

/** The one span of a request with these fields, rewritten and read; the request must be ordinary afterwards. */
function spanOf(...fields: Buffer[]) {
  const data = receive("traces", field(1, field(2, field(2, ...fields))));
  assert.equal(data.chunks[0]?.isRewritten, true);
  const bytes = data.toBuffer();
  assert.equal(receive("traces", bytes).chunks[0]?.isRewritten, false);
  const request: Decoded["traces"] = decode<"traces">(data);
  return { span: request.resourceSpans[0]!.scopeSpans[0]!.spans[0]!, bytes };
}

it("joins a message that comes in a hundred thousand parts", () => {
  const parts = many(100_000, field(2, field(6, field(1, letter("k")))));
  const { span } = spanOf(field(9, letter("list"), parts));
  assert.equal(span.attributes.length, 1);
  assert.equal(span.attributes[0]?.value?.kvlistValue?.values.length, 100_000);
});

it("keeps the last of a hundred thousand values", () => {
  const { span } = spanOf(field(9, many(100_000, letter("k")), letter("last"), field(2, many(50_000, letter("v")))));
  assert.equal(span.attributes[0]?.key, "last");
  assert.equal(span.attributes[0]?.value?.stringValue, "v");
});

it("gathers attributes that lie apart, each with its key first", () => {
  const odd = field(9, field(2, letter("v")), letter("k"));
  const { span } = spanOf(many(10_000, Buffer.concat([odd, field(5, Buffer.from("name"))])));
  assert.equal(span.name, "name");
  assert.equal(span.attributes.length, 10_000);
  assert.deepEqual([span.attributes.at(-1)?.key, span.attributes.at(-1)?.value?.stringValue], ["k", "v"]);
});

it("writes lengths anew that shrink on every level", () => {
  let value = letter("v");
  for (let level = 0; level < 30; level++) value = field(5, field(1, many(3, letter("lost")), value));
  const { span, bytes } = spanOf(field(9, letter("k"), field(2, value)));
  let depth = 0;
  for (let at = span.attributes[0]?.value; at?.arrayValue !== undefined; at = at.arrayValue.values[0]) depth += 1;
  assert.equal(depth, 30);
  assert.ok(!bytes.includes("lost"));
});
