import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, encode, receive, type Signal, toJson } from "../../../../pipeline/pdata/index.ts";
import type { AnyValue, DeepPartial } from "../../../../pipeline/pdata/objects/types.ts";

/** The text of an attribute's value. */
function textOf(value: DeepPartial<AnyValue>): string {
  const resource = { attributes: [{ key: "k", value }] };
  const text = toJson(encode("logs", { resourceLogs: [{ resource }] })).toString();
  const start = '{"resourceLogs":[{"resource":{"attributes":[{"key":"k","value":';
  assert.ok(text.startsWith(start) && text.endsWith("}]}}]}"), text);
  return text.slice(start.length, -"}]}}]}".length);
}

describe("OTLP/JSON output", () => {
  for (const { name, value, want } of [
    { name: "text", value: { stringValue: "a b" }, want: '{"stringValue":"a b"}' },
    {
      name: "text that needs escapes",
      value: { stringValue: '"\\\n\r\t\b\f\u0000\u001f</é\u2028😀\u007f' },
      want: `${String.raw`{"stringValue":"\"\\\n\r\t\u0008\u000c\u0000\u001f</é`}\u2028😀\u007f"}`,
    },
    {
      name: "long text",
      value: { stringValue: `${"é".repeat(300)}"${"x".repeat(200)}` },
      want: `{"stringValue":"${"é".repeat(300)}\\"${"x".repeat(200)}"}`,
    },
    {
      name: "nothing but escapes",
      value: { stringValue: "\u0001".repeat(100_000) },
      want: `{"stringValue":"${"\\u0001".repeat(100_000)}"}`,
    },
    { name: "empty text", value: { stringValue: "" }, want: '{"stringValue":""}' },
    { name: "false", value: { boolValue: false }, want: '{"boolValue":false}' },
    { name: "an integer as text", value: { intValue: -42n }, want: '{"intValue":"-42"}' },
    { name: "the smallest integer", value: { intValue: -(2n ** 63n) }, want: '{"intValue":"-9223372036854775808"}' },
    { name: "the largest integer", value: { intValue: 2n ** 63n - 1n }, want: '{"intValue":"9223372036854775807"}' },
    { name: "a multiple of 1e9", value: { intValue: 12_000_000_000n }, want: '{"intValue":"12000000000"}' },
    { name: "an integral double", value: { doubleValue: 3 }, want: '{"doubleValue":3}' },
    { name: "a double", value: { doubleValue: -1.25 }, want: '{"doubleValue":-1.25}' },
    { name: "a double of 17 digits", value: { doubleValue: 0.1 + 0.2 }, want: '{"doubleValue":0.30000000000000004}' },
    { name: "minus zero", value: { doubleValue: -0 }, want: '{"doubleValue":-0}' },
    { name: "a small double as Go writes it", value: { doubleValue: 1e-7 }, want: '{"doubleValue":1e-07}' },
    { name: "a smaller double", value: { doubleValue: 2.5e-300 }, want: '{"doubleValue":2.5e-300}' },
    {
      name: "the last double without an exponent",
      value: { doubleValue: 123456789012345680000 },
      want: '{"doubleValue":123456789012345680000}',
    },
    { name: "a large double", value: { doubleValue: 1e21 }, want: '{"doubleValue":1e+21}' },
    { name: "NaN", value: { doubleValue: Number.NaN }, want: '{"doubleValue":"NaN"}' },
    { name: "infinity", value: { doubleValue: Number.POSITIVE_INFINITY }, want: '{"doubleValue":"Infinity"}' },
    { name: "minus infinity", value: { doubleValue: Number.NEGATIVE_INFINITY }, want: '{"doubleValue":"-Infinity"}' },
    { name: "bytes in base64", value: { bytesValue: Buffer.from([255, 254]) }, want: '{"bytesValue":"//4="}' },
    { name: "an empty list", value: { arrayValue: {} }, want: '{"arrayValue":{}}' },
    {
      name: "a list",
      value: { arrayValue: { values: [{ intValue: 1 }, {}] } },
      want: '{"arrayValue":{"values":[{"intValue":"1"},{}]}}',
    },
    {
      name: "a map",
      value: { kvlistValue: { values: [{ key: "a" }] } },
      want: '{"kvlistValue":{"values":[{"key":"a","value":{}}]}}',
    },
    { name: "no value", value: {}, want: "{}" },
  ]) {
    it(`writes ${name}`, () => assert.equal(textOf(value), want));
  }

  it("writes a whole span in the Collector's order, without what is zero", () => {
    const traces = encode("traces", {
      resourceSpans: [
        {
          scopeSpans: [
            {
              spans: [
                {
                  traceId: "5B8EFFF798038103D269B633813FC60C",
                  spanId: "EEE19B7EC3C1B174",
                  flags: 257,
                  name: "chat",
                  kind: 3,
                  startTimeUnixNano: 1,
                  endTimeUnixNano: 2n ** 64n - 1n,
                  droppedLinksCount: 4294967295,
                  links: [{ traceId: "00000000000000000000000000000001" }],
                },
              ],
              schemaUrl: "s",
            },
          ],
        },
      ],
    });
    assert.equal(
      toJson(traces).toString(),
      '{"resourceSpans":[{"resource":{},"scopeSpans":[{"scope":{},"spans":[{"traceId":"5b8efff798038103d269b633813fc60c",' +
        '"spanId":"eee19b7ec3c1b174","flags":257,"name":"chat","kind":3,"startTimeUnixNano":"1",' +
        '"endTimeUnixNano":"18446744073709551615","links":[{"traceId":"00000000000000000000000000000001"}],' +
        '"droppedLinksCount":4294967295,"status":{}}],"schemaUrl":"s"}]}]}',
    );
  });

  it("writes lists of numbers, and optional zeros", () => {
    const metrics = encode("metrics", {
      resourceMetrics: [
        {
          scopeMetrics: [
            {
              metrics: [
                { histogram: { dataPoints: [{ bucketCounts: [0, 2], explicitBounds: [0.5, 10], sum: 0 }] } },
                { exponentialHistogram: { dataPoints: [{ scale: -2, positive: { offset: -3, bucketCounts: [1] } }] } },
                { gauge: { dataPoints: [{ asInt: -1 }, { asDouble: 0 }, {}] } },
              ],
            },
          ],
        },
      ],
    });
    assert.equal(
      toJson(metrics).toString(),
      '{"resourceMetrics":[{"resource":{},"scopeMetrics":[{"scope":{},"metrics":[' +
        '{"histogram":{"dataPoints":[{"sum":0,"bucketCounts":["0","2"],"explicitBounds":[0.5,10]}]}},' +
        '{"exponentialHistogram":{"dataPoints":[{"scale":-2,"positive":{"offset":-3,"bucketCounts":["1"]},"negative":{}}]}},' +
        '{"gauge":{"dataPoints":[{"asInt":"-1"},{"asDouble":0},{}]}}]}]}]}',
    );
  });

  it("joins the chunks of a batch into one request", () => {
    const one = (name: string) => encode("traces", { resourceSpans: [{ schemaUrl: name }] });
    assert.equal(
      toJson(concat([one("a"), one("b")])).toString(),
      '{"resourceSpans":[{"resource":{},"schemaUrl":"a"},{"resource":{},"schemaUrl":"b"}]}',
    );
  });

  for (const [signal, want] of [
    ["traces", "{}"],
    ["metrics", "{}"],
    ["logs", "{}"],
    ["profiles", '{"dictionary":{}}'],
  ] as const) {
    it(`writes empty ${signal}`, () => assert.equal(toJson(empty(signal)).toString(), want));
  }
});

function empty(signal: Signal) {
  return receive(signal, Buffer.alloc(0));
}
