import assert from "node:assert/strict";
import type { Traces } from "../../../../pipeline/pdata/index.ts";
import type { Span, TracesRequest } from "../../../../pipeline/pdata/objects/types.ts";
import { describeDecoding } from "./decode.ts";
import { checkAttributes } from "./values.ts";

/** Every getter of the span cursor, over all spans, says what protobufjs decoded. */
describeDecoding("traces", (data: Traces, decoded) => {
  const request = decoded as unknown as TracesRequest;
  const spans = data.spans()[Symbol.iterator]();
  for (const { resource, scopeSpans } of request.resourceSpans) {
    for (const { scope, spans: expected } of scopeSpans) {
      for (const want of expected) {
        const span = spans.next().value;
        checkSpan(span, want);
        checkAttributes(span.resource, resource?.attributes ?? []);
        checkAttributes(span.scope, scope?.attributes ?? []);
        assert.deepEqual([span.scope.name, span.scope.version], [scope?.name ?? "", scope?.version ?? ""]);
        checkSpan(span.copy(), want);
      }
    }
  }
  assert.equal(spans.next().done, true);
  const resources = [...data.resources()].length;
  assert.equal(resources, request.resourceSpans.length);
});

function checkSpan(span: ReturnType<Traces["spans"]> extends Iterable<infer S> ? S : never, want: Span): void {
  const got = [span.traceId.hex(), span.spanId.hex(), span.parentSpanId.hex(), span.name, span.kind, span.traceState];
  const { traceId, spanId, parentSpanId } = want;
  const ids = [traceId, spanId, parentSpanId].map((id) => id.toString("hex"));
  assert.deepEqual(got, [...ids, want.name, want.kind, want.traceState]);
  assert.deepEqual([span.statusCode, span.statusMessage], [want.status?.code ?? 0, want.status?.message ?? ""]);
  assert.deepEqual([span.startUnixNano, span.endUnixNano], [want.startTimeUnixNano, want.endTimeUnixNano]);
  assert.equal(span.flags, want.flags);
  const duration = want.endTimeUnixNano - want.startTimeUnixNano;
  if (duration > -(2n ** 53n) && duration < 2n ** 53n) assert.equal(span.durationNano, Number(duration));
  assert.equal(span.startUnixMs, unixMs(want.startTimeUnixNano));
  checkAttributes(span, want.attributes);
  assert.equal(span.eventCount, want.events.length);
  let index = 0;
  for (const event of span.events()) {
    const expected = want.events[index++]!;
    assert.deepEqual([event.name, event.timeUnixNano], [expected.name, expected.timeUnixNano]);
    checkAttributes(event, expected.attributes);
  }
  assert.equal(index, want.events.length);
  index = 0;
  for (const link of span.links()) {
    const expected = want.links[index++]!;
    const linked = [link.traceId.hex(), link.spanId.hex(), link.traceState];
    assert.deepEqual(linked, [expected.traceId.toString("hex"), expected.spanId.toString("hex"), expected.traceState]);
    checkAttributes(link, expected.attributes);
  }
  assert.equal(index, want.links.length);
}

/** In the double arithmetic that the getter promises. */
function unixMs(nano: bigint): number {
  return (Number(nano >> 32n) * 2 ** 32 + Number(nano & 0xffffffffn)) / 1e6;
}
