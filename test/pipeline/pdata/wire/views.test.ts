import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Attributes,
  attributeKeys,
  type Key,
  receive,
  text,
  type Value,
} from "../../../../pipeline/pdata/index.ts";
import { itemsOf, keyNames, pointsOf, randomRequest } from "./generate.ts";
import { addUnknownFields, encodeRequest, type Message, meaning } from "./protobuf.ts";
import { Random, seed } from "./random.ts";

const random = new Random(seed());
const rounds = 300;
const keys = attributeKeys(Object.fromEntries(keyNames.map((name) => [name, name])));
const pairs = Object.entries(keys) as [string, Key][];
const missing = attributeKeys({ missing: "not.there" }).missing;

function bytesOf(signal: "traces" | "logs" | "metrics"): Buffer {
  const request = randomRequest(signal, random);
  addUnknownFields(request, () => random.chance(0.1));
  return encodeRequest(signal, request);
}

/** A decoded `AnyValue` as the API gives it. */
function apiValue(any: Message): Value {
  if (any == null) return null;
  if (any.stringValue != null) return any.stringValue;
  if (any.boolValue != null) return any.boolValue;
  if (any.intValue != null) {
    return Number.isSafeInteger(Number(any.intValue)) ? Number(any.intValue) : any.intValue;
  }
  if (any.doubleValue != null) return any.doubleValue;
  if (any.bytesValue != null) return Buffer.from(any.bytesValue, "hex");
  if (any.arrayValue != null) return (any.arrayValue.values ?? []).map(apiValue);
  if (any.kvlistValue != null) {
    return Object.fromEntries(
      (any.kvlistValue.values ?? []).map((pair: Message) => [pair.key ?? "", apiValue(pair.value)]),
    );
  }
  return null;
}

function sameAttributes(view: Attributes, attributes: Message[] = []): void {
  assert.deepEqual(
    [...view.entries()],
    attributes.map(({ key, value }) => [key ?? "", apiValue(value)]),
  );
  assert.equal(view.has(missing), false);
  assert.equal(view.value(missing), undefined);
  for (const [name, key] of pairs) {
    const found = attributes.find((attribute) => (attribute.key ?? "") === name);
    const value = found === undefined ? undefined : apiValue(found.value);
    assert.equal(view.has(key), found !== undefined);
    assert.deepEqual(view.value(key), value);
    assert.equal(view.string(key), typeof value === "string" ? value : undefined);
    const isNumber = typeof value === "number" || typeof value === "bigint";
    assert.equal(view.number(key), isNumber ? Number(value) : undefined);
    assert.equal(view.int(key), isNumber && found?.value?.intValue != null ? value : undefined);
    if (typeof value === "string") {
      assert.equal(view.is(key, text(value)), true);
      assert.equal(view.is(key, text(`${value}x`)), false);
      assert.equal(view.is(key, text(value === "" ? "y" : `x${value.slice(1)}y`)), false);
    }
  }
}

const hex = (id: string | undefined) => id ?? "";
const bigint = (value: bigint | undefined) => value ?? 0n;

describe("views say what protobufjs says", () => {
  it("of spans, their events, links, scope and resource", () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = bytesOf("traces");
      const expected = itemsOf("traces", meaning("traces", bytes));
      const traces = receive("traces", bytes);
      assert.equal(traces.itemCount, expected.length);
      let index = 0;
      for (const span of traces.spans()) {
        const { item, scope, resource } = expected[index] as Message;
        assert.equal(span.traceId.hex(), hex(item.traceId));
        assert.equal(span.spanId.hex(), hex(item.spanId));
        assert.equal(span.parentSpanId.hex(), hex(item.parentSpanId));
        assert.equal(span.traceId.isEmpty, hex(item.traceId) === "");
        assert.equal(span.name, item.name ?? "");
        assert.equal(span.kind, item.kind ?? 0);
        assert.equal(span.traceState, item.traceState ?? "");
        assert.equal(span.statusCode, item.status?.code ?? 0);
        assert.equal(span.statusMessage, item.status?.message ?? "");
        assert.equal(span.startUnixNano, bigint(item.startTimeUnixNano));
        assert.equal(span.endUnixNano, bigint(item.endTimeUnixNano));
        if (item.startTimeUnixNano != null && item.endTimeUnixNano != null) {
          assert.equal(BigInt(span.durationNano), bigint(item.endTimeUnixNano) - bigint(item.startTimeUnixNano));
        }
        assert.ok(Math.abs(span.startUnixMs - Number(bigint(item.startTimeUnixNano)) / 1e6) < 0.001);
        assert.equal(span.flags, item.flags ?? 0);
        assert.equal(span.eventCount, item.events?.length ?? 0);
        sameAttributes(span, item.attributes);
        sameAttributes(span.resource, resource?.attributes);
        sameAttributes(span.scope, scope?.attributes);
        assert.equal(span.scope.name, scope?.name ?? "");
        assert.equal(span.scope.version, scope?.version ?? "");
        let event = 0;
        for (const view of span.events()) {
          assert.equal(view.name, item.events[event].name ?? "");
          assert.equal(view.timeUnixNano, bigint(item.events[event].timeUnixNano));
          sameAttributes(view, item.events[event].attributes);
          event += 1;
        }
        let link = 0;
        for (const view of span.links()) {
          assert.equal(view.traceId.hex(), hex(item.links[link].traceId));
          assert.equal(view.spanId.hex(), hex(item.links[link].spanId));
          sameAttributes(view, item.links[link].attributes);
          link += 1;
        }
        assert.deepEqual([event, link], [item.events?.length ?? 0, item.links?.length ?? 0]);
        const copy = span.copy();
        assert.deepEqual(
          [copy.name, copy.spanId.hex(), copy.scope.name],
          [span.name, span.spanId.hex(), span.scope.name],
        );
        sameAttributes(copy.resource, resource?.attributes);
        index += 1;
      }
      assert.equal(index, expected.length);
    }
  });

  it("of log records", () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = bytesOf("logs");
      const expected = itemsOf("logs", meaning("logs", bytes));
      const logs = receive("logs", bytes);
      assert.equal(logs.itemCount, expected.length);
      let index = 0;
      for (const record of logs.records()) {
        const { item, scope, resource } = expected[index] as Message;
        assert.equal(record.traceId.hex(), hex(item.traceId));
        assert.equal(record.spanId.hex(), hex(item.spanId));
        assert.equal(record.severityNumber, item.severityNumber ?? 0);
        assert.equal(record.severityText, item.severityText ?? "");
        assert.equal(record.eventName, item.eventName ?? "");
        assert.equal(record.timeUnixNano, bigint(item.timeUnixNano));
        assert.equal(record.observedTimeUnixNano, bigint(item.observedTimeUnixNano));
        assert.equal(record.flags, item.flags ?? 0);
        assert.deepEqual(record.body, apiValue(item.body));
        sameAttributes(record, item.attributes);
        sameAttributes(record.resource, resource?.attributes);
        assert.equal(record.scope.name, scope?.name ?? "");
        index += 1;
      }
      assert.equal(index, expected.length);
    }
  });

  it("of data points and their metric", () => {
    for (let round = 0; round < rounds; round++) {
      const bytes = bytesOf("metrics");
      const expected = itemsOf("metrics", meaning("metrics", bytes)).flatMap(({ item, scope, resource }) =>
        pointsOf(item).points.map((point) => ({ point, metric: item, kind: pointsOf(item).kind, scope, resource })),
      );
      const metrics = receive("metrics", bytes);
      assert.equal(metrics.itemCount, expected.length);
      let index = 0;
      for (const point of metrics.points()) {
        const { point: item, metric, kind, scope, resource } = expected[index] as Message;
        assert.equal(point.metricName, metric.name ?? "");
        assert.equal(point.metricUnit, metric.unit ?? "");
        assert.equal(point.metricType, kind === "exponentialHistogram" ? "exponential_histogram" : kind);
        assert.equal(point.startUnixNano, bigint(item.startTimeUnixNano));
        assert.equal(point.timeUnixNano, bigint(item.timeUnixNano));
        const isNumber = kind === "gauge" || kind === "sum";
        const value = item.asDouble ?? (item.asInt == null ? undefined : apiValue({ intValue: item.asInt }));
        assert.equal(point.numberValue, isNumber ? value : undefined);
        sameAttributes(point, item.attributes);
        sameAttributes(point.resource, resource?.attributes);
        assert.equal(point.scope.name, scope?.name ?? "");
        index += 1;
      }
      assert.equal(index, expected.length);
    }
  });
});

it("reads a span at the very end of its buffer, and of one that lies inside a larger memory", () => {
  const request = {
    resourceSpans: [{ scopeSpans: [{ spans: [{ attributes: [{ key: "def", value: { boolValue: true } }] }] }] }],
  };
  const bytes = encodeRequest("traces", request);
  const memory = Buffer.alloc(bytes.length + 1, 0xff);
  bytes.copy(memory, 1);
  for (const body of [bytes, memory.subarray(1)]) {
    const [value] = [...receive("traces", body).spans()].map((span) => span.value(keys["def"] as Key));
    assert.equal(value, true);
  }
});

it("iterates again and again, and two loops at once", () => {
  const request = { resourceSpans: [{ scopeSpans: [{ spans: [{ name: "a" }, { name: "b" }] }] }] };
  const spans = receive("traces", encodeRequest("traces", request)).spans();
  const names: string[] = [];
  for (const outer of spans) for (const inner of spans) names.push(outer.name + inner.name);
  assert.deepEqual(names, ["aa", "ab", "ba", "bb"]);
});

it("hashes a trace id as the Collector's probabilistic sampler does, and compares its random bits", () => {
  const traceId = Buffer.from("000102030405060708090a0b0c0d0e0f", "hex");
  const request = { resourceSpans: [{ scopeSpans: [{ spans: [{ traceId }] }] }] };
  for (const { traceId: id } of receive("traces", encodeRequest("traces", request)).spans()) {
    // FNV-1a 32 of 4 zero bytes and the id, computed by definition with bigints.
    const fnv = (bytes: Buffer) =>
      Number(bytes.reduce((hash, byte) => ((hash ^ BigInt(byte)) * 16777619n) & 0xffffffffn, 2166136261n));
    for (const initial of [0, 22, 0xfffffffe]) {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(initial);
      assert.equal(id.fnv1a(initial), fnv(Buffer.concat([head, traceId])));
    }
    const bits = traceId.readBigUInt64BE(8) & ((1n << 56n) - 1n);
    for (const [limit, want] of [
      [bits - 1n, true],
      [bits, true],
      [bits + 1n, false],
      [0n, true],
      [1n << 56n, false],
    ] as const) {
      assert.equal(id.atLeast({ top: Number(limit >> 32n), low: Number(limit & 0xffffffffn) }), want);
    }
  }
});
