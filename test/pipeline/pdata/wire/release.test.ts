import assert from "node:assert/strict";
import { it } from "node:test";
import { attributeKeys, editSpans, receive, release, type Traces } from "../../../../pipeline/pdata/index.ts";
import { encodeRequest, meaning } from "./protobuf.ts";

const { k } = attributeKeys({ k: "k" });

/** A batch large enough for its memory to be worth keeping. */
function batch(): Traces {
  const spans = Array.from({ length: 300 }, (_, index) => ({
    name: `span ${index}`,
    attributes: [{ key: "text", value: { stringValue: "x".repeat(100) } }],
  }));
  return receive("traces", encodeRequest("traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] }));
}

const edit = (traces: Traces, value: string) => editSpans(traces, (span) => span.set(k, value));
const memoryOf = (traces: Traces) => traces.toBuffer().buffer;

it("makes the next edit in the memory of a released one, once", () => {
  const traces = batch();
  const first = edit(traces, "first");
  const memory = memoryOf(first);
  release(first);
  release(first);
  const second = edit(traces, "second");
  const third = edit(traces, "third");
  assert.equal(memoryOf(second), memory);
  assert.notEqual(memoryOf(third), memory);
  for (const [edited, value] of [
    [second, "second"],
    [third, "third"],
  ] as const) {
    assert.deepEqual(
      [...edited.spans()].map((span) => span.string(k)),
      Array.from({ length: 300 }, () => value),
    );
    assert.equal(meaning("traces", edited.toBuffer()).resourceSpans[0].scopeSpans[0].spans.length, 300);
  }
});

it("leaves a received body to its receiver", () => {
  const traces = batch();
  const before = Buffer.from(traces.toBuffer());
  release(traces);
  edit(batch(), "other");
  assert.deepEqual(traces.toBuffer(), before);
  assert.notEqual(memoryOf(edit(traces, "new")), memoryOf(traces));
});
