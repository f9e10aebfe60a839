import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, fromJson } from "../../../../pipeline/pdata/index.ts";
import type { Decoded } from "../../../../pipeline/pdata/objects/types.ts";

const read = (text: string | Buffer) => decode(fromJson("traces", Buffer.from(text)));

/** The span of a request that holds this JSON object as its only span. */
function spanOf(json: string) {
  return read(`{"resourceSpans":[{"scopeSpans":[{"spans":[${json}]}]}]}`).resourceSpans[0]!.scopeSpans[0]!.spans[0]!;
}

const valueIn = (json: string) => spanOf(`{"attributes":[{"key":"k","value":${json}}]}`).attributes[0]!.value;

function pointOf(json: string) {
  const text = `{"resourceMetrics":[{"scopeMetrics":[{"metrics":[${json}]}]}]}`;
  const request: Decoded["metrics"] = decode(fromJson("metrics", Buffer.from(text)));
  return request.resourceMetrics[0]!.scopeMetrics[0]!.metrics[0]!;
}

describe("OTLP/JSON input", () => {
  for (const { name, json, want } of [
    { name: "text", json: '{"stringValue":"a b"}', want: { stringValue: "a b" } },
    { name: "text in UTF-8 of every width", json: '{"stringValue":"é€😀"}', want: { stringValue: "é€😀" } },
    {
      name: "text with every escape",
      json: String.raw`{"stringValue":"\"\\\/\b\f\n\r\té"}`,
      want: { stringValue: '"\\/\b\f\n\r\té' },
    },
    {
      name: "a pair of surrogate escapes",
      json: String.raw`{"stringValue":"\uD83D\ude00"}`,
      want: { stringValue: "😀" },
    },
    {
      name: "half a surrogate pair as U+FFFD",
      json: String.raw`{"stringValue":"\ud83dA"}`,
      want: { stringValue: "\ufffdA" },
    },
    {
      name: "text of 127 and 128 bytes",
      json: `{"stringValue":"${"x".repeat(127)}"}`,
      want: { stringValue: "x".repeat(127) },
    },
    { name: "text of 128 bytes", json: `{"stringValue":"${"x".repeat(128)}"}`, want: { stringValue: "x".repeat(128) } },
    {
      name: "text of 20 000 bytes",
      json: `{"stringValue":"${"é".repeat(10000)}"}`,
      want: { stringValue: "é".repeat(10000) },
    },
    { name: "empty text", json: '{"stringValue":""}', want: { stringValue: "" } },
    { name: "null text as empty", json: '{"stringValue":null}', want: { stringValue: "" } },
    { name: "a boolean", json: '{"boolValue":false}', want: { boolValue: false } },
    { name: "an integer as text", json: '{"intValue":"-42"}', want: { intValue: -42n } },
    { name: "an integer as a number", json: '{"intValue":42}', want: { intValue: 42n } },
    { name: "the smallest int64", json: '{"intValue":"-9223372036854775808"}', want: { intValue: -(2n ** 63n) } },
    {
      name: "the largest int64, as a number",
      json: '{"intValue":9223372036854775807}',
      want: { intValue: 2n ** 63n - 1n },
    },
    { name: "an integer beyond 2^53", json: '{"intValue":9007199254740993}', want: { intValue: 9007199254740993n } },
    { name: "an integral exponent", json: '{"intValue":1.5e3}', want: { intValue: 1500n } },
    { name: "an integral fraction", json: '{"intValue":"7.00"}', want: { intValue: 7n } },
    { name: "leading zeros in text", json: '{"intValue":"+0000000000000000000000012"}', want: { intValue: 12n } },
    { name: "a double", json: '{"doubleValue":-0.1}', want: { doubleValue: -0.1 } },
    { name: "minus zero", json: '{"doubleValue":-0}', want: { doubleValue: -0 } },
    {
      name: "a double of 17 digits",
      json: '{"doubleValue":0.30000000000000004}',
      want: { doubleValue: 0.30000000000000004 },
    },
    { name: "an exponent", json: '{"doubleValue":1E-3}', want: { doubleValue: 0.001 } },
    { name: "a double as text", json: '{"doubleValue":"2.5"}', want: { doubleValue: 2.5 } },
    { name: "NaN", json: '{"doubleValue":"NaN"}', want: { doubleValue: Number.NaN } },
    { name: "infinity", json: '{"doubleValue":"Infinity"}', want: { doubleValue: Number.POSITIVE_INFINITY } },
    { name: "minus infinity", json: '{"doubleValue":"-Infinity"}', want: { doubleValue: Number.NEGATIVE_INFINITY } },
    { name: "bytes", json: '{"bytesValue":"AP/+"}', want: { bytesValue: Buffer.from([0, 255, 254]) } },
    {
      name: "bytes with escaped slashes",
      json: String.raw`{"bytesValue":"\/\/8="}`,
      want: { bytesValue: Buffer.from([255, 255]) },
    },
    {
      name: "bytes in the URL alphabet without padding",
      json: '{"bytesValue":"_-8"}',
      want: { bytesValue: Buffer.from([255, 239]) },
    },
    {
      name: "a list",
      json: '{"arrayValue":{"values":[{"intValue":1},{},null]}}',
      want: { arrayValue: { values: [{ intValue: 1n }, {}, {}] } },
    },
    {
      name: "a map",
      json: '{"kvlistValue":{"values":[{"key":"a"}]}}',
      want: { kvlistValue: { values: [{ key: "a", keyStrindex: 0 }] } },
    },
    { name: "an empty list", json: '{"arrayValue":{}}', want: { arrayValue: { values: [] } } },
    { name: "no member", json: "{}", want: {} },
    { name: "no value", json: "null", want: undefined },
    {
      name: "snake_case names",
      json: '{"array_value":{"values":[{"int_value":1}]}}',
      want: { arrayValue: { values: [{ intValue: 1n }] } },
    },
    { name: "the last of several members", json: '{"intValue":1,"stringValue":"x"}', want: { stringValue: "x" } },
    {
      name: "the last of two lists, not both",
      json: '{"arrayValue":{"values":[{}]},"arrayValue":{"values":[{"intValue":2}]}}',
      want: { arrayValue: { values: [{ intValue: 2n }] } },
    },
    {
      name: "unknown names with any value",
      json: String.raw`{"x":{"y":[1,-2.5e1,"\u00e9",true,false,null,{},[]]},"intValue":1,"":0}`,
      want: { intValue: 1n },
    },
    { name: "names with escapes", json: String.raw`{"intValu\u0065":1}`, want: { intValue: 1n } },
    { name: "white space everywhere", json: ' \t\r\n{ "intValue" : 1 , "x" : [ 1 , 2 ] } ', want: { intValue: 1n } },
  ]) {
    it(`reads ${name}`, () => assert.deepEqual(valueIn(json), want));
  }

  it("takes the last of three members, and of three values", () => {
    assert.deepEqual(valueIn('{"intValue":1,"arrayValue":{"values":[{}]},"boolValue":true}'), { boolValue: true });
    const [attribute] = spanOf(
      '{"attributes":[{"value":{"intValue":1},"key":"k","value":{"intValue":2},"keyStrindex":5,"value":{"intValue":3}}]}',
    ).attributes;
    assert.deepEqual(attribute, { key: "k", keyStrindex: 5, value: { intValue: 3n } });
  });

  it("reads ids in hex of any case", () => {
    const span = spanOf('{"traceId":"5B8EFFF798038103d269b633813fc60c","spanId":"EEE19B7EC3C1B174","parentSpanId":""}');
    assert.equal(span.traceId.toString("hex"), "5b8efff798038103d269b633813fc60c");
    assert.equal(span.spanId.toString("hex"), "eee19b7ec3c1b174");
    assert.equal(span.parentSpanId.length, 0);
  });

  it("reads an empty id also where a quote stands as far off as its end would", () => {
    const span = spanOf('{"spanId":"","name":"abcdef"}');
    assert.deepEqual([span.spanId.length, span.name], [0, "abcdef"]);
  });

  it("reads enums by number and by name", () => {
    assert.equal(spanOf('{"kind":"SPAN_KIND_SERVER"}').kind, 2);
    assert.equal(spanOf('{"kind":-1}').kind, -1);
    assert.equal(spanOf('{"status":{"code":2}}').status?.code, 2);
  });

  it("takes the last of two scalars, also when it is zero", () => {
    assert.equal(spanOf('{"kind":2,"kind":0,"name":"a","name":"b"}').kind, 0);
    assert.equal(spanOf('{"name":"a","name":null}').name, "");
  });

  it("joins two lists of one name and merges two objects", () => {
    const span = spanOf(
      '{"events":[{"name":"a"}],"events":[{"name":"b"}],"status":{"message":"m","code":1},"status":{"code":0}}',
    );
    assert.deepEqual(
      span.events.map(({ name }) => name),
      ["a", "b"],
    );
    assert.deepEqual(span.status, { message: "m", code: 0 });
  });

  it("replaces an attribute's value by a later one, but not by an empty one", () => {
    const [a, b] = spanOf(
      '{"attributes":[{"value":{"arrayValue":{"values":[{}]}},"key":"a","value":{"arrayValue":{}}},{"value":{"intValue":1},"value":{},"value":null}]}',
    ).attributes;
    assert.deepEqual(a, { key: "a", keyStrindex: 0, value: { arrayValue: { values: [] } } });
    assert.deepEqual(b, { key: "", keyStrindex: 0, value: { intValue: 1n } });
  });

  it("reads metrics of every type, and lists of numbers", () => {
    const metric = pointOf(
      '{"exponentialHistogram":{"dataPoints":[{"count":"3","sum":0,"scale":-2,"positive":{"offset":-5,"bucketCounts":["1",2]},"min":"-Infinity"}],"aggregationTemporality":"AGGREGATION_TEMPORALITY_DELTA"}}',
    );
    const point = metric.exponentialHistogram?.dataPoints[0];
    assert.equal(metric.exponentialHistogram?.aggregationTemporality, 1);
    assert.deepEqual(point?.positive, { offset: -5, bucketCounts: [1n, 2n] });
    assert.deepEqual(
      [point?.count, point?.sum, point?.scale, point?.min, point?.max],
      [3n, 0, -2, Number.NEGATIVE_INFINITY, undefined],
    );
    const histogram = pointOf(
      '{"histogram":{"dataPoints":[{"bucketCounts":["18446744073709551615",0],"explicitBounds":[1,2.5,1e300]}]}}',
    );
    assert.deepEqual(histogram.histogram?.dataPoints[0]?.bucketCounts, [2n ** 64n - 1n, 0n]);
    assert.deepEqual(histogram.histogram?.dataPoints[0]?.explicitBounds, [1, 2.5, 1e300]);
    assert.deepEqual(
      pointOf('{"gauge":{"dataPoints":[{"asInt":"5","asDouble":1}]}}').gauge?.dataPoints[0]?.asInt,
      undefined,
    );
    assert.deepEqual(pointOf('{"gauge":{},"sum":{"isMonotonic":true}}').gauge, undefined);
  });

  it("counts null in a list of items as the empty item it is", () => {
    const traces = fromJson("traces", Buffer.from('{"resourceSpans":[{"scopeSpans":[{"spans":[null,{},null]}]}]}'));
    assert.equal(traces.itemCount, 3);
    assert.equal(decode(traces).resourceSpans[0]?.scopeSpans[0]?.spans.length, 3);
  });

  it("takes null lists and messages as not there", () => {
    assert.deepEqual(read('{"resourceSpans":[{"resource":null,"scopeSpans":null,"schemaUrl":null}]}'), {
      resourceSpans: [{ scopeSpans: [], schemaUrl: "" }],
    });
    assert.deepEqual(read("null"), { resourceSpans: [] });
  });

  it("ignores what follows the object", () => assert.deepEqual(read('{} trailing "\xff'), { resourceSpans: [] }));

  it("ignores what follows the object even when it is not UTF-8", () => {
    assert.deepEqual(read(Buffer.from([0x7b, 0x7d, 0xff])), { resourceSpans: [] });
  });

  it("reads messages nested 100 deep, and no deeper", () => {
    // Four messages lie around the attribute, and two more around its value.
    const nested = (depth: number) => `${'{"arrayValue":{"values":['.repeat(depth)}{}${"]}}".repeat(depth)}`;
    const span = (depth: number) =>
      `{"resourceSpans":[{"scopeSpans":[{"spans":[{"attributes":[{"value":${nested(depth)}}]}]}]}]}`;
    assert.equal(read(span(47)).resourceSpans.length, 1);
    assert.throws(() => read(span(48)), /messages are nested more than 100 deep/);
  });
});
