import type { MessageType } from "./field.ts";
import { id, many, message, named, one, oneof, optional, repeated, scalar } from "./field.ts";

/**
 * The messages of OTLP as data; `proto/` says the same in protobuf's language, and a test holds the two together.
 * Fields stand in the order in which the Collector writes them as JSON.
 */

const droppedAttributesCount = (number: number) => scalar(number, "uint32");

export const anyValue: MessageType = message(
  "opentelemetry.proto.common.v1.AnyValue",
  oneof("value", {
    stringValue: scalar(1, "string"),
    boolValue: scalar(2, "bool"),
    intValue: scalar(3, "int64"),
    doubleValue: scalar(4, "double"),
    arrayValue: one(5, () => arrayValue),
    kvlistValue: one(6, () => keyValueList),
    bytesValue: scalar(7, "bytes"),
    stringValueStrindex: scalar(8, "int32"),
  }),
);

export const arrayValue = message("opentelemetry.proto.common.v1.ArrayValue", { values: many(1, () => anyValue) });

export const keyValue = message("opentelemetry.proto.common.v1.KeyValue", {
  key: scalar(1, "string"),
  value: one(2, () => anyValue),
  keyStrindex: scalar(3, "int32"),
});

const attributes = (number: number) => many(number, () => keyValue);

export const keyValueList = message("opentelemetry.proto.common.v1.KeyValueList", { values: attributes(1) });

export const instrumentationScope = message("opentelemetry.proto.common.v1.InstrumentationScope", {
  name: scalar(1, "string"),
  version: scalar(2, "string"),
  attributes: attributes(3),
  droppedAttributesCount: droppedAttributesCount(4),
});

export const entityRef = message("opentelemetry.proto.common.v1.EntityRef", {
  schemaUrl: scalar(1, "string"),
  type: scalar(2, "string"),
  idKeys: repeated(scalar(3, "string")),
  descriptionKeys: repeated(scalar(4, "string")),
});

export const resource = message("opentelemetry.proto.resource.v1.Resource", {
  attributes: attributes(1),
  droppedAttributesCount: droppedAttributesCount(2),
  entityRefs: many(3, () => entityRef),
});

const resourceField = one(1, () => resource);
const scopeField = one(1, () => instrumentationScope);

export const spanEvent = message("opentelemetry.proto.trace.v1.Span.Event", {
  timeUnixNano: scalar(1, "fixed64"),
  name: scalar(2, "string"),
  attributes: attributes(3),
  droppedAttributesCount: droppedAttributesCount(4),
});

export const spanLink = message("opentelemetry.proto.trace.v1.Span.Link", {
  traceId: id(1, 16),
  spanId: id(2, 8),
  traceState: scalar(3, "string"),
  attributes: attributes(4),
  droppedAttributesCount: droppedAttributesCount(5),
  flags: scalar(6, "fixed32"),
});

export const status = message("opentelemetry.proto.trace.v1.Status", {
  message: scalar(2, "string"),
  code: named(3, { STATUS_CODE_UNSET: 0, STATUS_CODE_OK: 1, STATUS_CODE_ERROR: 2 }),
});

export const span = message("opentelemetry.proto.trace.v1.Span", {
  traceId: id(1, 16),
  spanId: id(2, 8),
  traceState: scalar(3, "string"),
  parentSpanId: id(4, 8),
  flags: scalar(16, "fixed32"),
  name: scalar(5, "string"),
  kind: named(6, {
    SPAN_KIND_UNSPECIFIED: 0,
    SPAN_KIND_INTERNAL: 1,
    SPAN_KIND_SERVER: 2,
    SPAN_KIND_CLIENT: 3,
    SPAN_KIND_PRODUCER: 4,
    SPAN_KIND_CONSUMER: 5,
  }),
  startTimeUnixNano: scalar(7, "fixed64"),
  endTimeUnixNano: scalar(8, "fixed64"),
  attributes: attributes(9),
  droppedAttributesCount: droppedAttributesCount(10),
  events: many(11, () => spanEvent),
  droppedEventsCount: scalar(12, "uint32"),
  links: many(13, () => spanLink),
  droppedLinksCount: scalar(14, "uint32"),
  status: one(15, () => status),
});

export const scopeSpans = message("opentelemetry.proto.trace.v1.ScopeSpans", {
  scope: scopeField,
  spans: many(2, () => span),
  schemaUrl: scalar(3, "string"),
});

export const resourceSpans = message("opentelemetry.proto.trace.v1.ResourceSpans", {
  resource: resourceField,
  scopeSpans: many(2, () => scopeSpans),
  schemaUrl: scalar(3, "string"),
});

export const severityNumbers: Readonly<Record<string, number>> = Object.fromEntries([
  ["SEVERITY_NUMBER_UNSPECIFIED", 0],
  ...["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"].flatMap((level, index) =>
    ["", "2", "3", "4"].map((step, offset) => [`SEVERITY_NUMBER_${level}${step}`, index * 4 + offset + 1]),
  ),
]);

export const logRecord = message("opentelemetry.proto.logs.v1.LogRecord", {
  timeUnixNano: scalar(1, "fixed64"),
  observedTimeUnixNano: scalar(11, "fixed64"),
  severityNumber: named(2, severityNumbers),
  severityText: scalar(3, "string"),
  body: one(5, () => anyValue),
  attributes: attributes(6),
  droppedAttributesCount: droppedAttributesCount(7),
  flags: scalar(8, "fixed32"),
  traceId: id(9, 16),
  spanId: id(10, 8),
  eventName: scalar(12, "string"),
});

export const scopeLogs = message("opentelemetry.proto.logs.v1.ScopeLogs", {
  scope: scopeField,
  logRecords: many(2, () => logRecord),
  schemaUrl: scalar(3, "string"),
});

export const resourceLogs = message("opentelemetry.proto.logs.v1.ResourceLogs", {
  resource: resourceField,
  scopeLogs: many(2, () => scopeLogs),
  schemaUrl: scalar(3, "string"),
});

const times = { startTimeUnixNano: scalar(2, "fixed64"), timeUnixNano: scalar(3, "fixed64") };

export const exemplar = message("opentelemetry.proto.metrics.v1.Exemplar", {
  filteredAttributes: attributes(7),
  timeUnixNano: scalar(2, "fixed64"),
  ...oneof("value", { asDouble: scalar(3, "double"), asInt: scalar(6, "sfixed64") }),
  traceId: id(5, 16),
  spanId: id(4, 8),
});

export const numberDataPoint = message("opentelemetry.proto.metrics.v1.NumberDataPoint", {
  attributes: attributes(7),
  ...times,
  ...oneof("value", { asDouble: scalar(4, "double"), asInt: scalar(6, "sfixed64") }),
  exemplars: many(5, () => exemplar),
  flags: scalar(8, "uint32"),
});

export const histogramDataPoint = message("opentelemetry.proto.metrics.v1.HistogramDataPoint", {
  attributes: attributes(9),
  ...times,
  count: scalar(4, "fixed64"),
  sum: optional(scalar(5, "double")),
  bucketCounts: repeated(scalar(6, "fixed64")),
  explicitBounds: repeated(scalar(7, "double")),
  exemplars: many(8, () => exemplar),
  flags: scalar(10, "uint32"),
  min: optional(scalar(11, "double")),
  max: optional(scalar(12, "double")),
});

export const buckets = message("opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets", {
  offset: scalar(1, "sint32"),
  bucketCounts: repeated(scalar(2, "uint64")),
});

export const exponentialHistogramDataPoint = message("opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint", {
  attributes: attributes(1),
  ...times,
  count: scalar(4, "fixed64"),
  sum: optional(scalar(5, "double")),
  scale: scalar(6, "sint32"),
  zeroCount: scalar(7, "fixed64"),
  positive: one(8, () => buckets),
  negative: one(9, () => buckets),
  flags: scalar(10, "uint32"),
  exemplars: many(11, () => exemplar),
  min: optional(scalar(12, "double")),
  max: optional(scalar(13, "double")),
  zeroThreshold: scalar(14, "double"),
});

export const valueAtQuantile = message("opentelemetry.proto.metrics.v1.SummaryDataPoint.ValueAtQuantile", {
  quantile: scalar(1, "double"),
  value: scalar(2, "double"),
});

export const summaryDataPoint = message("opentelemetry.proto.metrics.v1.SummaryDataPoint", {
  attributes: attributes(7),
  ...times,
  count: scalar(4, "fixed64"),
  sum: scalar(5, "double"),
  quantileValues: many(6, () => valueAtQuantile),
  flags: scalar(8, "uint32"),
});

const aggregationTemporality = named(2, {
  AGGREGATION_TEMPORALITY_UNSPECIFIED: 0,
  AGGREGATION_TEMPORALITY_DELTA: 1,
  AGGREGATION_TEMPORALITY_CUMULATIVE: 2,
});

export const gauge = message("opentelemetry.proto.metrics.v1.Gauge", { dataPoints: many(1, () => numberDataPoint) });

export const sum = message("opentelemetry.proto.metrics.v1.Sum", {
  dataPoints: many(1, () => numberDataPoint),
  aggregationTemporality,
  isMonotonic: scalar(3, "bool"),
});

export const histogram = message("opentelemetry.proto.metrics.v1.Histogram", {
  dataPoints: many(1, () => histogramDataPoint),
  aggregationTemporality,
});

export const exponentialHistogram = message("opentelemetry.proto.metrics.v1.ExponentialHistogram", {
  dataPoints: many(1, () => exponentialHistogramDataPoint),
  aggregationTemporality,
});

export const summary = message("opentelemetry.proto.metrics.v1.Summary", {
  dataPoints: many(1, () => summaryDataPoint),
});

export const metric = message("opentelemetry.proto.metrics.v1.Metric", {
  name: scalar(1, "string"),
  description: scalar(2, "string"),
  unit: scalar(3, "string"),
  ...oneof("data", {
    gauge: one(5, () => gauge),
    sum: one(7, () => sum),
    histogram: one(9, () => histogram),
    exponentialHistogram: one(10, () => exponentialHistogram),
    summary: one(11, () => summary),
  }),
  metadata: attributes(12),
});

export const scopeMetrics = message("opentelemetry.proto.metrics.v1.ScopeMetrics", {
  scope: scopeField,
  metrics: many(2, () => metric),
  schemaUrl: scalar(3, "string"),
});

export const resourceMetrics = message("opentelemetry.proto.metrics.v1.ResourceMetrics", {
  resource: resourceField,
  scopeMetrics: many(2, () => scopeMetrics),
  schemaUrl: scalar(3, "string"),
});
