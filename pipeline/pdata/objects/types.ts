/**
 * OTLP messages as plain objects: what `decode` gives and what `encode` takes (there all members are optional).
 * 64-bit integers are bigint, bytes and ids are Buffers (ids empty or of their exact length), enums are numbers.
 * Repeated members are always there. A message, an oneof member or an optional scalar that is not set is not there.
 */
export interface AnyValue {
  stringValue?: string;
  boolValue?: boolean;
  intValue?: bigint;
  doubleValue?: number;
  arrayValue?: { values: AnyValue[] };
  kvlistValue?: { values: KeyValue[] };
  bytesValue?: Buffer;
  stringValueStrindex?: number;
}

export interface KeyValue {
  key: string;
  value?: AnyValue;
  keyStrindex: number;
}

export interface Resource {
  attributes: KeyValue[];
  droppedAttributesCount: number;
  entityRefs: { schemaUrl: string; type: string; idKeys: string[]; descriptionKeys: string[] }[];
}

export interface InstrumentationScope {
  name: string;
  version: string;
  attributes: KeyValue[];
  droppedAttributesCount: number;
}

export interface SpanEvent {
  timeUnixNano: bigint;
  name: string;
  attributes: KeyValue[];
  droppedAttributesCount: number;
}

export interface SpanLink {
  traceId: Buffer;
  spanId: Buffer;
  traceState: string;
  attributes: KeyValue[];
  droppedAttributesCount: number;
  flags: number;
}

export interface Span {
  traceId: Buffer;
  spanId: Buffer;
  traceState: string;
  parentSpanId: Buffer;
  flags: number;
  name: string;
  kind: number;
  startTimeUnixNano: bigint;
  endTimeUnixNano: bigint;
  attributes: KeyValue[];
  droppedAttributesCount: number;
  events: SpanEvent[];
  droppedEventsCount: number;
  links: SpanLink[];
  droppedLinksCount: number;
  status?: { message: string; code: number };
}

export interface TracesRequest {
  resourceSpans: {
    resource?: Resource;
    scopeSpans: { scope?: InstrumentationScope; spans: Span[]; schemaUrl: string }[];
    schemaUrl: string;
  }[];
}

export interface LogRecord {
  timeUnixNano: bigint;
  observedTimeUnixNano: bigint;
  severityNumber: number;
  severityText: string;
  body?: AnyValue;
  attributes: KeyValue[];
  droppedAttributesCount: number;
  flags: number;
  traceId: Buffer;
  spanId: Buffer;
  eventName: string;
}

export interface LogsRequest {
  resourceLogs: {
    resource?: Resource;
    scopeLogs: { scope?: InstrumentationScope; logRecords: LogRecord[]; schemaUrl: string }[];
    schemaUrl: string;
  }[];
}

export interface Exemplar {
  filteredAttributes: KeyValue[];
  timeUnixNano: bigint;
  asDouble?: number;
  asInt?: bigint;
  traceId: Buffer;
  spanId: Buffer;
}

interface Point {
  attributes: KeyValue[];
  startTimeUnixNano: bigint;
  timeUnixNano: bigint;
  flags: number;
}

export interface NumberDataPoint extends Point {
  asDouble?: number;
  asInt?: bigint;
  exemplars: Exemplar[];
}

export interface HistogramDataPoint extends Point {
  count: bigint;
  sum?: number;
  bucketCounts: bigint[];
  explicitBounds: number[];
  exemplars: Exemplar[];
  min?: number;
  max?: number;
}

export interface ExponentialHistogramDataPoint extends Point {
  count: bigint;
  sum?: number;
  scale: number;
  zeroCount: bigint;
  positive?: { offset: number; bucketCounts: bigint[] };
  negative?: { offset: number; bucketCounts: bigint[] };
  exemplars: Exemplar[];
  min?: number;
  max?: number;
  zeroThreshold: number;
}

export interface SummaryDataPoint extends Point {
  count: bigint;
  sum: number;
  quantileValues: { quantile: number; value: number }[];
}

export interface Metric {
  name: string;
  description: string;
  unit: string;
  gauge?: { dataPoints: NumberDataPoint[] };
  sum?: { dataPoints: NumberDataPoint[]; aggregationTemporality: number; isMonotonic: boolean };
  histogram?: { dataPoints: HistogramDataPoint[]; aggregationTemporality: number };
  exponentialHistogram?: { dataPoints: ExponentialHistogramDataPoint[]; aggregationTemporality: number };
  summary?: { dataPoints: SummaryDataPoint[] };
  metadata: KeyValue[];
}

export interface MetricsRequest {
  resourceMetrics: {
    resource?: Resource;
    scopeMetrics: { scope?: InstrumentationScope; metrics: Metric[]; schemaUrl: string }[];
    schemaUrl: string;
  }[];
}

export interface ValueType {
  typeStrindex: number;
  unitStrindex: number;
}

export interface ProfileSample {
  stackIndex: number;
  attributeIndices: number[];
  linkIndex: number;
  values: bigint[];
  timestampsUnixNano: bigint[];
}

export interface Profile {
  sampleType?: ValueType;
  samples: ProfileSample[];
  timeUnixNano: bigint;
  durationNano: bigint;
  periodType?: ValueType;
  period: bigint;
  profileId: Buffer;
  droppedAttributesCount: number;
  originalPayloadFormat: string;
  originalPayload: Buffer;
  attributeIndices: number[];
}

export interface ProfilesDictionary {
  mappingTable: {
    memoryStart: bigint;
    memoryLimit: bigint;
    fileOffset: bigint;
    filenameStrindex: number;
    attributeIndices: number[];
  }[];
  locationTable: {
    mappingIndex: number;
    address: bigint;
    lines: { functionIndex: number; line: bigint; column: bigint }[];
    attributeIndices: number[];
  }[];
  functionTable: {
    nameStrindex: number;
    systemNameStrindex: number;
    filenameStrindex: number;
    startLine: bigint;
  }[];
  linkTable: { traceId: Buffer; spanId: Buffer }[];
  stringTable: string[];
  attributeTable: { keyStrindex: number; value?: AnyValue; unitStrindex: number }[];
  stackTable: { locationIndices: number[] }[];
}

export interface ProfilesRequest {
  resourceProfiles: {
    resource?: Resource;
    scopeProfiles: { scope?: InstrumentationScope; profiles: Profile[]; schemaUrl: string }[];
    schemaUrl: string;
  }[];
  dictionary?: ProfilesDictionary;
}

/** The export request of each signal, decoded. */
export interface Decoded {
  traces: TracesRequest;
  metrics: MetricsRequest;
  logs: LogsRequest;
  profiles: ProfilesRequest;
}

/** What `encode` takes for a `T`: any member may be missing, and numbers are written freely. */
export type DeepPartial<T> = T extends bigint
  ? bigint | number | string
  : T extends Uint8Array
    ? Uint8Array | string
    : T extends readonly (infer Item)[]
      ? readonly DeepPartial<Item>[]
      : T extends object
        ? { readonly [Name in keyof T]?: DeepPartial<T[Name]> | undefined }
        : T;
