import type { Signal } from "./signal.ts";

/** How a field's value lies on the wire. */
export type FieldKind = "varint" | "fixed64" | "fixed32" | "string" | "bytes" | "message";

/** What the validating walk and the rewriting into ordinary form have to know about a field. */
export interface Field {
  readonly name: string;
  readonly number: number;
  readonly kind: FieldKind;
  readonly repeated: boolean;
  /** The message type, for `kind: "message"`. */
  readonly message?: () => Message;
  /** The one size an id may have when it is not empty. */
  readonly idSize?: number;
  /** Member of the message's `oneof`; no OTLP message has two. */
  readonly inOneof: boolean;
  /** The field's elements must lie side by side in ordinary form. */
  readonly isAttributes: boolean;
  /** The number this field is moved to when no field of that number is there, else it is dropped. */
  readonly movesTo?: number;
}

/** A message type; fields are found by number. */
export interface Message {
  readonly name: string;
  readonly fields: readonly (Field | undefined)[];
  readonly byNumber: ReadonlyMap<number, Field>;
}

type Options = Partial<Omit<Field, "number" | "name" | "kind">>;
type Definition = readonly [number: number, name: string, kind: FieldKind, options?: Options];

function define(name: string, definitions: readonly Definition[]): Message {
  const byNumber = new Map<number, Field>();
  for (const [number, fieldName, kind, options] of definitions) {
    byNumber.set(number, {
      number,
      name: fieldName,
      kind,
      repeated: false,
      inOneof: false,
      isAttributes: false,
      ...options,
    });
  }
  const fields = Array.from({ length: 17 }, (_, number) => byNumber.get(number));
  return { name, fields, byNumber };
}

const one = (message: () => Message): Options => ({ message });
const many = (message: () => Message): Options => ({ message, repeated: true });
const choice = (message: () => Message): Options => ({ message, inOneof: true });
const attributesField: Options = { message: () => keyValue, repeated: true, isAttributes: true };
const repeated: Options = { repeated: true };
const inOneof: Options = { inOneof: true };
const traceId: Options = { idSize: 16 };
const spanId: Options = { idSize: 8 };

export const anyValue: Message = define("AnyValue", [
  [1, "stringValue", "string", inOneof],
  [2, "boolValue", "varint", inOneof],
  [3, "intValue", "varint", inOneof],
  [4, "doubleValue", "fixed64", inOneof],
  [5, "arrayValue", "message", choice(() => arrayValue)],
  [6, "kvlistValue", "message", choice(() => keyValueList)],
  [7, "bytesValue", "bytes", inOneof],
  [8, "stringValueStrindex", "varint", inOneof],
]);
const arrayValue: Message = define("ArrayValue", [[1, "values", "message", many(() => anyValue)]]);
const keyValueList: Message = define("KeyValueList", [[1, "values", "message", attributesField]]);
export const keyValue: Message = define("KeyValue", [
  [1, "key", "string"],
  [2, "value", "message", one(() => anyValue)],
  [3, "keyStrindex", "varint"],
]);
const entityRef = define("EntityRef", [
  [1, "schemaUrl", "string"],
  [2, "type", "string"],
  [3, "idKeys", "string", repeated],
  [4, "descriptionKeys", "string", repeated],
]);
const resource = define("Resource", [
  [1, "attributes", "message", attributesField],
  [2, "droppedAttributesCount", "varint"],
  [3, "entityRefs", "message", many(() => entityRef)],
]);
const scope = define("InstrumentationScope", [
  [1, "name", "string"],
  [2, "version", "string"],
  [3, "attributes", "message", attributesField],
  [4, "droppedAttributesCount", "varint"],
]);

const event = define("Event", [
  [1, "timeUnixNano", "fixed64"],
  [2, "name", "string"],
  [3, "attributes", "message", attributesField],
  [4, "droppedAttributesCount", "varint"],
]);
const spanLink = define("Link", [
  [1, "traceId", "bytes", traceId],
  [2, "spanId", "bytes", spanId],
  [3, "traceState", "string"],
  [4, "attributes", "message", attributesField],
  [5, "droppedAttributesCount", "varint"],
  [6, "flags", "fixed32"],
]);
const status = define("Status", [
  [2, "message", "string"],
  [3, "code", "varint"],
]);
const span = define("Span", [
  [1, "traceId", "bytes", traceId],
  [2, "spanId", "bytes", spanId],
  [3, "traceState", "string"],
  [4, "parentSpanId", "bytes", spanId],
  [5, "name", "string"],
  [6, "kind", "varint"],
  [7, "startTimeUnixNano", "fixed64"],
  [8, "endTimeUnixNano", "fixed64"],
  [9, "attributes", "message", attributesField],
  [10, "droppedAttributesCount", "varint"],
  [11, "events", "message", many(() => event)],
  [12, "droppedEventsCount", "varint"],
  [13, "links", "message", many(() => spanLink)],
  [14, "droppedLinksCount", "varint"],
  [15, "status", "message", one(() => status)],
  [16, "flags", "fixed32"],
]);

const logRecord = define("LogRecord", [
  [1, "timeUnixNano", "fixed64"],
  [2, "severityNumber", "varint"],
  [3, "severityText", "string"],
  [5, "body", "message", one(() => anyValue)],
  [6, "attributes", "message", attributesField],
  [7, "droppedAttributesCount", "varint"],
  [8, "flags", "fixed32"],
  [9, "traceId", "bytes", traceId],
  [10, "spanId", "bytes", spanId],
  [11, "observedTimeUnixNano", "fixed64"],
  [12, "eventName", "string"],
]);

const exemplar = define("Exemplar", [
  [2, "timeUnixNano", "fixed64"],
  [3, "asDouble", "fixed64", inOneof],
  [4, "spanId", "bytes", spanId],
  [5, "traceId", "bytes", traceId],
  [6, "asInt", "fixed64", inOneof],
  [7, "filteredAttributes", "message", attributesField],
]);
const numberPoint = define("NumberDataPoint", [
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "asDouble", "fixed64", inOneof],
  [5, "exemplars", "message", many(() => exemplar)],
  [6, "asInt", "fixed64", inOneof],
  [7, "attributes", "message", attributesField],
  [8, "flags", "varint"],
]);
const histogramPoint = define("HistogramDataPoint", [
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "count", "fixed64"],
  [5, "sum", "fixed64"],
  [6, "bucketCounts", "fixed64", repeated],
  [7, "explicitBounds", "fixed64", repeated],
  [8, "exemplars", "message", many(() => exemplar)],
  [9, "attributes", "message", attributesField],
  [10, "flags", "varint"],
  [11, "min", "fixed64"],
  [12, "max", "fixed64"],
]);
const buckets = define("Buckets", [
  [1, "offset", "varint"],
  [2, "bucketCounts", "varint", repeated],
]);
const exponentialPoint = define("ExponentialHistogramDataPoint", [
  [1, "attributes", "message", attributesField],
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "count", "fixed64"],
  [5, "sum", "fixed64"],
  [6, "scale", "varint"],
  [7, "zeroCount", "fixed64"],
  [8, "positive", "message", one(() => buckets)],
  [9, "negative", "message", one(() => buckets)],
  [10, "flags", "varint"],
  [11, "exemplars", "message", many(() => exemplar)],
  [12, "min", "fixed64"],
  [13, "max", "fixed64"],
  [14, "zeroThreshold", "fixed64"],
]);
const quantile = define("ValueAtQuantile", [
  [1, "quantile", "fixed64"],
  [2, "value", "fixed64"],
]);
const summaryPoint = define("SummaryDataPoint", [
  [2, "startTimeUnixNano", "fixed64"],
  [3, "timeUnixNano", "fixed64"],
  [4, "count", "fixed64"],
  [5, "sum", "fixed64"],
  [6, "quantileValues", "message", many(() => quantile)],
  [7, "attributes", "message", attributesField],
  [8, "flags", "varint"],
]);
const data = (name: string, point: () => Message): Message =>
  define(name, [
    [1, "dataPoints", "message", many(point)],
    [2, "aggregationTemporality", "varint"],
    [3, "isMonotonic", "varint"],
  ]);
const points = (name: string, point: () => Message): Message =>
  define(name, [[1, "dataPoints", "message", many(point)]]);
const histogramData = (name: string, point: () => Message): Message =>
  define(name, [
    [1, "dataPoints", "message", many(point)],
    [2, "aggregationTemporality", "varint"],
  ]);
const gauge = points("Gauge", () => numberPoint);
const sum = data("Sum", () => numberPoint);
const histogram = histogramData("Histogram", () => histogramPoint);
const exponentialHistogram = histogramData("ExponentialHistogram", () => exponentialPoint);
const summary = points("Summary", () => summaryPoint);
const metric = define("Metric", [
  [1, "name", "string"],
  [2, "description", "string"],
  [3, "unit", "string"],
  [5, "gauge", "message", choice(() => gauge)],
  [7, "sum", "message", choice(() => sum)],
  [9, "histogram", "message", choice(() => histogram)],
  [10, "exponentialHistogram", "message", choice(() => exponentialHistogram)],
  [11, "summary", "message", choice(() => summary)],
  [12, "metadata", "message", attributesField],
]);

const valueType = define("ValueType", [
  [1, "typeStrindex", "varint"],
  [2, "unitStrindex", "varint"],
]);
export const sample: Message = define("Sample", [
  [1, "stackIndex", "varint"],
  [2, "attributeIndices", "varint", repeated],
  [3, "linkIndex", "varint"],
  [4, "values", "varint", repeated],
  [5, "timestampsUnixNano", "fixed64", repeated],
]);
const profile = define("Profile", [
  [1, "sampleType", "message", one(() => valueType)],
  [2, "samples", "message", many(() => sample)],
  [3, "timeUnixNano", "fixed64"],
  [4, "durationNano", "varint"],
  [5, "periodType", "message", one(() => valueType)],
  [6, "period", "varint"],
  [7, "profileId", "bytes", traceId],
  [8, "droppedAttributesCount", "varint"],
  [9, "originalPayloadFormat", "string"],
  [10, "originalPayload", "bytes"],
  [11, "attributeIndices", "varint", repeated],
]);
const mapping = define("Mapping", [
  [1, "memoryStart", "varint"],
  [2, "memoryLimit", "varint"],
  [3, "fileOffset", "varint"],
  [4, "filenameStrindex", "varint"],
  [5, "attributeIndices", "varint", repeated],
]);
const line = define("Line", [
  [1, "functionIndex", "varint"],
  [2, "line", "varint"],
  [3, "column", "varint"],
]);
const location = define("Location", [
  [1, "mappingIndex", "varint"],
  [2, "address", "varint"],
  [3, "lines", "message", many(() => line)],
  [4, "attributeIndices", "varint", repeated],
]);
const functionMessage = define("Function", [
  [1, "nameStrindex", "varint"],
  [2, "systemNameStrindex", "varint"],
  [3, "filenameStrindex", "varint"],
  [4, "startLine", "varint"],
]);
const profileLink = define("Link", [
  [1, "traceId", "bytes", traceId],
  [2, "spanId", "bytes", spanId],
]);
const keyValueAndUnit = define("KeyValueAndUnit", [
  [1, "keyStrindex", "varint"],
  [2, "value", "message", one(() => anyValue)],
  [3, "unitStrindex", "varint"],
]);
const stack = define("Stack", [[1, "locationIndices", "varint", repeated]]);
const dictionary = define("ProfilesDictionary", [
  [1, "mappingTable", "message", many(() => mapping)],
  [2, "locationTable", "message", many(() => location)],
  [3, "functionTable", "message", many(() => functionMessage)],
  [4, "linkTable", "message", many(() => profileLink)],
  [5, "stringTable", "string", repeated],
  [6, "attributeTable", "message", many(() => keyValueAndUnit)],
  [7, "stackTable", "message", many(() => stack)],
]);

/** Field 1000 once held the lists by instrumentation library; the Collector still moves them where none came anew. */
const deprecatedList = 1000;

function request(suffix: string, items: string, item: Message, more: readonly Definition[] = []): Message {
  const scoped = define(`Scope${suffix}`, [
    [1, "scope", "message", one(() => scope)],
    [2, items, "message", many(() => item)],
    [3, "schemaUrl", "string"],
  ]);
  const byResource = define(`Resource${suffix}`, [
    [1, "resource", "message", one(() => resource)],
    [2, `scope${suffix}`, "message", many(() => scoped)],
    [3, "schemaUrl", "string"],
    [deprecatedList, `deprecatedScope${suffix}`, "message", { ...many(() => scoped), movesTo: 2 }],
  ]);
  return define(`Export${suffix}ServiceRequest`, [
    [1, `resource${suffix}`, "message", many(() => byResource)],
    ...more,
  ]);
}

/** The request message of every signal, and through it every message of OTLP. */
export const requests: Readonly<Record<Signal, Message>> = {
  traces: request("Spans", "spans", span),
  metrics: request("Metrics", "metrics", metric),
  logs: request("Logs", "logRecords", logRecord),
  profiles: request("Profiles", "profiles", profile, [[2, "dictionary", "message", one(() => dictionary)]]),
};

/** The message types that are items: what `itemCount` counts. */
export const itemMessages: ReadonlySet<Message> = new Set([
  span,
  logRecord,
  numberPoint,
  histogramPoint,
  exponentialPoint,
  summaryPoint,
  sample,
]);
