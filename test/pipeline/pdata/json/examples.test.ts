import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fromJson, type Pdata, type Signal, toJson } from "../../../../pipeline/pdata/index.ts";
import { oracleType, plain } from "../oracle/protobuf.ts";

/** Requests of the shapes that the examples of the OTLP specification have: traces, metrics, logs, events, profiles. */

const attribute = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const resource = { attributes: [attribute("service.name", "inference-worker")] };
const scope = { name: "llm.client", version: "2.1.0", attributes: [attribute("team", "serving")] };
const time = "1764000000123456789";
const traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
const spanId = "00f067aa0ba902b7";

const examples: readonly { name: string; signal: Signal; items: number; request: object }[] = [
  {
    name: "a trace",
    signal: "traces",
    items: 1,
    request: {
      resourceSpans: [
        {
          resource,
          scopeSpans: [
            {
              scope,
              spans: [
                {
                  traceId: traceId.toUpperCase(),
                  spanId: spanId.toUpperCase(),
                  parentSpanId: "00F067AA0BA902B8",
                  flags: 1,
                  name: "chat qwen2.5-0.5b",
                  startTimeUnixNano: time,
                  endTimeUnixNano: "1764000001123456789",
                  kind: 3,
                  attributes: [attribute("gen_ai.system", "llama.cpp")],
                },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    name: "metrics of four kinds",
    signal: "metrics",
    items: 4,
    request: {
      resourceMetrics: [
        {
          resource,
          scopeMetrics: [
            {
              scope,
              metrics: [
                {
                  name: "requests",
                  unit: "1",
                  description: "answered",
                  sum: {
                    aggregationTemporality: 1,
                    isMonotonic: true,
                    dataPoints: [
                      { asDouble: 5, startTimeUnixNano: time, timeUnixNano: time, attributes: resource.attributes },
                    ],
                  },
                },
                { name: "queue", gauge: { dataPoints: [{ asDouble: 10, timeUnixNano: time }] } },
                {
                  name: "latency",
                  histogram: {
                    aggregationTemporality: 1,
                    dataPoints: [
                      {
                        timeUnixNano: time,
                        count: "2",
                        sum: 2,
                        bucketCounts: ["1", "1"],
                        explicitBounds: [1],
                        min: 0,
                        max: 2,
                      },
                    ],
                  },
                },
                {
                  name: "tokens",
                  exponentialHistogram: {
                    aggregationTemporality: 1,
                    dataPoints: [
                      {
                        timeUnixNano: time,
                        count: "3",
                        sum: 10,
                        scale: 0,
                        zeroCount: "1",
                        positive: { offset: 1, bucketCounts: ["0", "2"] },
                        min: 0,
                        max: 5,
                        zeroThreshold: 0,
                      },
                    ],
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    name: "a log record with values of every kind",
    signal: "logs",
    items: 1,
    request: {
      resourceLogs: [
        {
          resource,
          scopeLogs: [
            {
              scope,
              logRecords: [
                {
                  timeUnixNano: time,
                  observedTimeUnixNano: time,
                  severityNumber: 10,
                  severityText: "Information",
                  traceId,
                  spanId,
                  body: { stringValue: "model loaded" },
                  attributes: [
                    attribute("text", "value"),
                    { key: "boolean", value: { boolValue: true } },
                    { key: "int", value: { intValue: "10" } },
                    { key: "double", value: { doubleValue: 637.704 } },
                    {
                      key: "list",
                      value: { arrayValue: { values: [{ stringValue: "many" }, { stringValue: "values" }] } },
                    },
                    { key: "map", value: { kvlistValue: { values: [attribute("some.key", "some value")] } } },
                  ],
                },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    name: "an event",
    signal: "logs",
    items: 1,
    request: {
      resourceLogs: [
        {
          resource,
          scopeLogs: [
            {
              scope,
              logRecords: [
                {
                  eventName: "gen_ai.choice",
                  timeUnixNano: time,
                  observedTimeUnixNano: time,
                  severityNumber: 9,
                  severityText: "INFO",
                  attributes: [attribute("gen_ai.system", "llama.cpp")],
                  body: {
                    kvlistValue: {
                      values: [{ key: "index", value: { intValue: "0" } }, attribute("finish_reason", "stop")],
                    },
                  },
                },
              ],
            },
          ],
        },
      ],
    },
  },
  {
    name: "a profile with its tables",
    signal: "profiles",
    items: 2,
    request: {
      resourceProfiles: [
        {
          resource,
          scopeProfiles: [
            {
              scope,
              profiles: [
                {
                  sampleType: { typeStrindex: 1, unitStrindex: 2 },
                  samples: [
                    { stackIndex: 1, values: ["1", "-2"], timestampsUnixNano: [time] },
                    { stackIndex: 1, linkIndex: 1, attributeIndices: [1] },
                  ],
                  timeUnixNano: time,
                  durationNano: "1000000000",
                  period: "10000000",
                  profileId: traceId,
                  originalPayloadFormat: "pprof",
                  originalPayload: "H4sIAAA=",
                },
              ],
            },
          ],
        },
      ],
      dictionary: {
        mappingTable: [{}, { memoryStart: "4096", memoryLimit: "8192", filenameStrindex: 3 }],
        locationTable: [{}, { mappingIndex: 1, address: "4660", lines: [{ functionIndex: 1, line: "7" }] }],
        functionTable: [{}, { nameStrindex: 4 }],
        linkTable: [{}, { traceId, spanId }],
        stringTable: ["", "cpu", "nanoseconds", "/usr/bin/llama-server", "decode"],
        attributeTable: [{}, { keyStrindex: 1, value: { stringValue: "x" }, unitStrindex: 2 }],
        stackTable: [{}, { locationIndices: [1] }],
      },
    },
  },
];

/** JSON values with upper-case ids lowered, and what is zero or empty gone, as both sides may write it or not. */
function normalized(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(normalized);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).map(([name, member]) => {
    const isId = /(?:trace|span|profile)Id$/i.test(name);
    return [name, isId ? String(member).toLowerCase() : normalized(member)] as const;
  });
  const optional = ["sum", "min", "max"];
  const isNothing = (name: string, member: unknown) =>
    (member === 0 && !optional.includes(name)) ||
    (typeof member === "object" && member !== null && Object.keys(member).length === 0);
  return Object.fromEntries(members.filter(([name, member]) => !isNothing(name, member)));
}

describe("examples of the OTLP specification", () => {
  for (const { name, signal, items, request } of examples) {
    it(`reads and writes ${name}`, () => {
      const data: Pdata = fromJson(signal, Buffer.from(JSON.stringify(request, null, 2)));
      assert.equal(data.itemCount, items);
      assert.deepEqual(normalized(JSON.parse(toJson(data).toString())), normalized(request));
    });

    it(`turns ${name} into bytes that protobufjs takes for the same`, () => {
      const type = oracleType(signal);
      const bytes = fromJson(signal, Buffer.from(JSON.stringify(request))).toBuffer();
      const withBinaryIds = JSON.parse(JSON.stringify(request), (key, value) =>
        /(?:trace|span|profile)Id$/i.test(key) ? Buffer.from(value, "hex").toString("base64") : value,
      );
      const viaProtobufjs = type.encode(type.fromObject(withBinaryIds)).finish();
      assert.deepEqual(plain(type, type.decode(bytes)), plain(type, type.decode(viaProtobufjs)));
    });
  }
});
