/**
 * Telemetry as OTLP bytes with lazy views: batches, cursors over their items, filters, edits, splitting and merging,
 * OTLP/JSON and plain objects. Nothing else of `pipeline/pdata` is imported from outside.
 */
export { type AttributesEditor, attribute } from "./attribute_edits.ts";
export type { Attributes } from "./attributes.ts";
export type { Chunk, EncodedBody } from "./chunk.ts";
export { editResources, editScopes } from "./edit_groups.ts";
export { editPoints } from "./edit_points.ts";
export { editRecords, type LogRecordEditor } from "./edit_records.ts";
export { editSpans, type SpanEditor } from "./edit_spans.ts";
export { filterPoints, filterRecords, filterSpans } from "./filter.ts";
export type { Scope } from "./group_views.ts";
export { randomness } from "./id.ts";
export { fromJson, toJson, toJsonInSteps } from "./json/index.ts";
export { attributeKeys, type Key } from "./keys.ts";
export { type Decoded, type DeepPartial, decode, encode } from "./objects/index.ts";
export { partition } from "./partition.ts";
export { copiesOf, fromParts, memoryOfParts, type Parts, toParts } from "./parts.ts";
export { Logs, Metrics, type Pdata, type PdataOf, Profiles, release, Traces, withEncoded } from "./pdata.ts";
export type { DataPoint } from "./point.ts";
export { receive, receiveShort } from "./receive.ts";
export type { LogRecord } from "./record.ts";
export { type Signal, signals } from "./signal.ts";
export type { Span } from "./span.ts";
export { Cutter, concat, split } from "./split.ts";
export { text } from "./text.ts";
export { type DoubleValue, double, type Value } from "./value.ts";
export { WireError } from "./wire_error.ts";
