import { encode } from "../../../pipeline/pdata/index.ts";

const traceId = Buffer.from("0102030405060708090a0b0c0d0e0f10", "hex");
const spanId = Buffer.from("1112131415161718", "hex");
const second = 1581452772000000000n;
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

export const traces = encode("traces", {
  resourceSpans: [
    {
      schemaUrl: "https://opentelemetry.io/resource-schema",
      resource: {
        attributes: [text("service.name", "checkout")],
        entityRefs: [
          {
            type: "service",
            schemaUrl: "https://entity",
            idKeys: ["service.name"],
            descriptionKeys: ["service.version"],
          },
        ],
      },
      scopeSpans: [
        {
          schemaUrl: "https://opentelemetry.io/scope-schema",
          scope: { name: "lib", version: "1.2", attributes: [{ key: "scope-attr", value: { intValue: 1n } }] },
          spans: [
            {
              traceId,
              spanId,
              parentSpanId: Buffer.from("2122232425262728", "hex"),
              name: "GET /",
              kind: 2,
              traceState: "ot=th:8",
              startTimeUnixNano: second + 321n,
              endTimeUnixNano: second + 1_500_000_000n,
              status: { code: 2, message: "cancelled" },
              droppedAttributesCount: 1,
              droppedEventsCount: 2,
              droppedLinksCount: 3,
              attributes: [
                { key: "http.status", value: { intValue: 200n } },
                { key: "ok", value: { boolValue: true } },
              ],
              events: [
                {
                  name: "exception",
                  timeUnixNano: second + 1_000_000_123n,
                  droppedAttributesCount: 4,
                  attributes: [text("exception.type", "TypeError")],
                },
                { name: "bare" },
              ],
              links: [
                {
                  traceId,
                  spanId,
                  traceState: "a=b",
                  droppedAttributesCount: 5,
                  attributes: [{ key: "link", value: { doubleValue: 0.25 } }],
                },
              ],
            },
            { name: "empty" },
          ],
        },
        {},
      ],
    },
    {},
  ],
});

export const logs = encode("logs", {
  resourceLogs: [
    {
      resource: { attributes: [text("host", "a")] },
      scopeLogs: [
        {
          scope: { name: "app" },
          logRecords: [
            {
              timeUnixNano: second,
              observedTimeUnixNano: second + 1_000_000_789n,
              severityText: "Oops",
              severityNumber: 18,
              eventName: "app.failure",
              body: { stringValue: "it failed" },
              attributes: [
                { key: "code", value: { intValue: 7n } },
                { key: "ratio", value: { doubleValue: 0.5 } },
              ],
              traceId,
              spanId,
              flags: 1,
            },
            {
              body: {
                kvlistValue: {
                  values: [
                    { key: "b", value: {} },
                    { key: "a", value: { arrayValue: { values: [{ intValue: 1n }, { stringValue: "x" }] } } },
                  ],
                },
              },
            },
          ],
        },
      ],
    },
  ],
});

export const metrics = encode("metrics", {
  resourceMetrics: [
    {
      scopeMetrics: [
        {
          metrics: [
            {
              name: "requests",
              description: "All of them",
              unit: "1",
              metadata: [text("origin", "test")],
              sum: {
                isMonotonic: true,
                aggregationTemporality: 2,
                dataPoints: [
                  {
                    attributes: [text("zone", "a"), { key: "code", value: { intValue: 200n } }],
                    startTimeUnixNano: second,
                    timeUnixNano: second + 1_000_000_000n,
                    asInt: 3n,
                    exemplars: [
                      {
                        traceId,
                        spanId,
                        timeUnixNano: second + 1_000_000_000n,
                        asDouble: 15,
                        filteredAttributes: [{ key: "attachment", value: { bytesValue: Buffer.from("hi") } }],
                      },
                    ],
                  },
                ],
              },
            },
            { name: "load", gauge: { dataPoints: [{ asDouble: 1.5 }] } },
            { name: "big", gauge: { dataPoints: [{ asDouble: 1e6 }] } },
            {
              name: "latency",
              histogram: {
                dataPoints: [
                  { count: 6n, sum: 12.5, min: 0.1, max: 9, explicitBounds: [0.5, 2], bucketCounts: [1n, 2n, 3n] },
                ],
              },
            },
            {
              name: "sizes",
              exponentialHistogram: {
                dataPoints: [
                  {
                    count: 5n,
                    sum: -1.5,
                    scale: 1,
                    zeroCount: 1n,
                    negative: { offset: -1, bucketCounts: [2n, 1n] },
                    positive: { offset: 1, bucketCounts: [1n] },
                  },
                ],
              },
            },
            {
              name: "rpc",
              summary: {
                dataPoints: [
                  {
                    count: 2n,
                    sum: 3.5,
                    quantileValues: [
                      { quantile: 0.5, value: 1 },
                      { quantile: 0.99, value: 2.5 },
                    ],
                  },
                ],
              },
            },
          ],
        },
      ],
    },
  ],
});

export const profiles = encode("profiles", {
  dictionary: {
    mappingTable: [{ memoryStart: 2n, memoryLimit: 3n, fileOffset: 4n, filenameStrindex: 5, attributeIndices: [7, 8] }],
    locationTable: [{ mappingIndex: 3, address: 4n, lines: [{ functionIndex: 1, line: 2n, column: 3n }] }],
    functionTable: [{ nameStrindex: 2, systemNameStrindex: 3, filenameStrindex: 4, startLine: 5n }],
    linkTable: [{ traceId, spanId }],
    stringTable: ["", "key"],
    attributeTable: [{ keyStrindex: 1, value: { stringValue: "foobar" } }],
  },
  resourceProfiles: [
    {
      scopeProfiles: [
        {
          profiles: [
            {
              profileId: traceId,
              timeUnixNano: second,
              durationNano: 10n,
              droppedAttributesCount: 1,
              attributeIndices: [0, 9],
              samples: [{ values: [4n], attributeIndices: [0] }, { values: [9n, 10n] }],
            },
          ],
        },
      ],
    },
  ],
});
