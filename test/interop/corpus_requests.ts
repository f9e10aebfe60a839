/**
 * Telemetry that SDKs do not send but the protocol allows, as OTLP/JSON. Times are fixed; nothing here is ever refused.
 */
const traceId = "0102030405060708090a0b0c0d0e0f10";
const start = "1767225600000000001";
const end = "1767225600123456789";

/** Every kind of value, including empty ones and the edges of numbers. */
const everyValue = [
  { key: "text", value: { stringValue: 'zażółć 🚀 "quoted" \\ \t tab\nline' } },
  { key: "empty text", value: { stringValue: "" } },
  { key: "true", value: { boolValue: true } },
  { key: "false", value: { boolValue: false } },
  { key: "least integer", value: { intValue: "-9223372036854775808" } },
  { key: "largest integer", value: { intValue: "9223372036854775807" } },
  { key: "zero", value: { intValue: "0" } },
  { key: "third", value: { doubleValue: 0.3333333333333333 } },
  { key: "large", value: { doubleValue: 1e21 } },
  { key: "tiny", value: { doubleValue: 5e-324 } },
  { key: "whole double", value: { doubleValue: 42 } },
  { key: "not a number", value: { doubleValue: "NaN" } },
  { key: "infinite", value: { doubleValue: "-Infinity" } },
  { key: "bytes", value: { bytesValue: "AAEC/v8=" } },
  { key: "no bytes", value: { bytesValue: "" } },
  {
    key: "list",
    value: { arrayValue: { values: [{ intValue: "1" }, { stringValue: "two" }, { boolValue: true }, {}] } },
  },
  { key: "empty list", value: { arrayValue: {} } },
  {
    key: "map",
    value: {
      kvlistValue: {
        values: [
          { key: "inner", value: { kvlistValue: { values: [{ key: "deep", value: { doubleValue: 2.5 } }] } } },
          { key: "empty", value: {} },
        ],
      },
    },
  },
  { key: "empty map", value: { kvlistValue: {} } },
  { key: "nothing", value: {} },
  { key: "", value: { stringValue: "under an empty key" } },
];

/** Those whose text within a map is the same everywhere: Go's JSON has no word for the others. */
const valuesInMaps = everyValue.filter(({ key }) => !["not a number", "infinite", "no bytes"].includes(key));

const resource = {
  attributes: [
    { key: "service.name", value: { stringValue: "odd" } },
    { key: "host.ips", value: { arrayValue: { values: [{ stringValue: "::1" }] } } },
  ],
  droppedAttributesCount: 2,
};
const scope = {
  name: "odd scope",
  version: "0.0.1",
  attributes: [{ key: "scope.key", value: { boolValue: true } }],
  droppedAttributesCount: 1,
};

const spans = [
  {
    traceId,
    spanId: "0102030405060708",
    parentSpanId: "1112131415161718",
    traceState: "vendor=1,ot=th:8",
    flags: 257,
    name: "every field",
    kind: 5,
    startTimeUnixNano: start,
    endTimeUnixNano: end,
    attributes: everyValue,
    droppedAttributesCount: 3,
    events: [
      { timeUnixNano: start, name: "event", attributes: everyValue.slice(0, 3), droppedAttributesCount: 4 },
      { timeUnixNano: end, name: "bare event" },
    ],
    droppedEventsCount: 5,
    links: [
      { traceId, spanId: "2122232425262728", traceState: "a=b", attributes: everyValue.slice(4, 6), flags: 1 },
      { traceId, spanId: "3132333435363738", droppedAttributesCount: 6 },
    ],
    droppedLinksCount: 7,
    status: { code: 2, message: "it failed" },
  },
  { name: "no ids, no times" },
  { traceId, spanId: "4142434445464748", kind: 1, status: { code: 1 }, startTimeUnixNano: end, endTimeUnixNano: start },
];

const logRecords = [
  {
    timeUnixNano: start,
    observedTimeUnixNano: end,
    severityNumber: 17,
    severityText: "ERROR",
    body: { kvlistValue: { values: valuesInMaps } },
    attributes: everyValue,
    droppedAttributesCount: 1,
    flags: 1,
    traceId,
    spanId: "0102030405060708",
    eventName: "gen_ai.choice",
  },
  { body: { stringValue: "only a body" } },
  { severityNumber: 24, body: { arrayValue: { values: [{ intValue: "1" }, { bytesValue: "AQI=" }] } } },
  {},
];

const times = { startTimeUnixNano: start, timeUnixNano: end };
const attributes = everyValue.slice(0, 6);
const exemplars = [
  { timeUnixNano: end, asDouble: 0.5, traceId, spanId: "0102030405060708", filteredAttributes: attributes },
  { timeUnixNano: end, asInt: "-7" },
];

const metrics = [
  {
    name: "gauge",
    description: "a gauge",
    unit: "1",
    metadata: [{ key: "prometheus.type", value: { stringValue: "gauge" } }],
    gauge: {
      dataPoints: [{ ...times, asDouble: 1.5, attributes, exemplars }, { asInt: "-3" }, { ...times, flags: 1 }],
    },
  },
  {
    name: "sum",
    unit: "{token}",
    sum: {
      aggregationTemporality: 2,
      isMonotonic: true,
      dataPoints: [{ ...times, asInt: "9007199254740993", attributes }],
    },
  },
  { name: "delta", sum: { aggregationTemporality: 1, dataPoints: [{ ...times, asDouble: -0.25 }] } },
  {
    name: "histogram",
    unit: "s",
    histogram: {
      aggregationTemporality: 1,
      dataPoints: [
        {
          ...times,
          attributes,
          count: "6",
          sum: 12.75,
          min: 0.25,
          max: 8,
          bucketCounts: ["1", "2", "3"],
          explicitBounds: [1, 2.5],
          exemplars,
        },
        { count: "0", bucketCounts: ["0"] },
      ],
    },
  },
  {
    name: "exponential",
    exponentialHistogram: {
      aggregationTemporality: 2,
      dataPoints: [
        {
          ...times,
          attributes,
          count: "10",
          sum: 20,
          scale: 1,
          zeroCount: "1",
          zeroThreshold: 0.001,
          positive: { offset: -1, bucketCounts: ["2", "0", "3"] },
          negative: { offset: 2, bucketCounts: ["4"] },
          min: -4,
          max: 5,
          exemplars,
        },
        { count: "0", scale: -2, positive: {}, negative: {} },
      ],
    },
  },
  {
    name: "summary",
    summary: {
      dataPoints: [
        {
          ...times,
          attributes,
          count: "100",
          sum: 5050,
          quantileValues: [{}, { quantile: 0.5, value: 50 }, { quantile: 1, value: 100 }],
        },
      ],
    },
  },
  { name: "without data", description: "no kind at all" },
  { name: "empty gauge", gauge: {} },
];

const schemaUrl = "https://opentelemetry.io/schemas/1.41.0";

/** One request per signal, and for traces one with several resources and scopes. */
export const oddRequests: readonly { readonly path: string; readonly json: object }[] = [
  {
    path: "/v1/traces",
    json: { resourceSpans: [{ resource, schemaUrl, scopeSpans: [{ scope, schemaUrl, spans }] }] },
  },
  {
    path: "/v1/traces",
    json: {
      resourceSpans: [
        { scopeSpans: [{ spans: [spans[2]] }, { scope: { name: "second" }, spans: [spans[1], spans[2]] }] },
        { resource: { attributes: [] }, scopeSpans: [] },
        { resource, scopeSpans: [{ scope: {}, spans: [] }] },
      ],
    },
  },
  {
    path: "/v1/metrics",
    json: { resourceMetrics: [{ resource, schemaUrl, scopeMetrics: [{ scope, schemaUrl, metrics }] }] },
  },
  {
    path: "/v1/logs",
    json: { resourceLogs: [{ resource, schemaUrl, scopeLogs: [{ scope, schemaUrl, logRecords }] }] },
  },
];
