import { createHash } from "node:crypto";
import type { SpanDetail, SpanField } from "../../pipeline/board.ts";
import { isContent } from "../../pipeline/llm/content.ts";
import type { Attributes, Span, Value } from "../../pipeline/pdata/index.ts";
import { durationOf, kindOf, statusOf } from "./span_facts.ts";

/** Hexadecimal digits of a digest: enough to tell texts apart, too few to be a fingerprint of them all. */
const digestDigits = 16;

/** All of a span. What was said to and by models is masked, but for attributes with the key `reveal`. */
export function spanDetail(span: Span, reveal?: string): SpanDetail {
  return {
    traceId: span.traceId.hex(),
    spanId: span.spanId.hex(),
    parentSpanId: span.parentSpanId.isEmpty ? "" : span.parentSpanId.hex(),
    name: span.name,
    kind: kindOf(span),
    status: statusOf(span),
    statusMessage: span.statusMessage,
    startUnixMs: span.startUnixMs,
    durationMs: durationOf(span),
    attributes: fields(span, reveal),
    resource: fields(span.resource, reveal),
    events: events(span, reveal),
  };
}

function events(span: Span, reveal: string | undefined): SpanDetail["events"] {
  const all: SpanDetail["events"][number][] = [];
  for (const event of span.events()) {
    const offsetMs = Number(event.timeUnixNano - span.startUnixNano) / 1e6;
    all.push({ name: event.name, offsetMs, attributes: fields(event, reveal, event.name) });
  }
  return all;
}

function fields(owner: Attributes, reveal: string | undefined, eventName?: string): SpanField[] {
  return [...owner.entries()].map(([key, value]) => field(key, value, isContent(key, eventName), key === reveal));
}

function field(key: string, value: Value, isMasked: boolean, isRevealed: boolean): SpanField {
  const type = typeOf(value);
  const text = textOf(value);
  if (!isMasked) return { key, type, text };
  const digest = createHash("sha256").update(text).digest("hex").slice(0, digestDigits);
  const masked = { sizeBytes: Buffer.byteLength(text), digest };
  return isRevealed ? { key, type, masked, text } : { key, type, masked };
}

function typeOf(value: Value): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "array";
  if (Buffer.isBuffer(value)) return "bytes";
  switch (typeof value) {
    case "string":
      return "string";
    case "boolean":
      return "bool";
    case "bigint":
      return "int";
    case "number":
      return Number.isInteger(value) ? "int" : "double";
    default:
      return "map";
  }
}

function textOf(value: Value): string {
  if (typeof value === "string") return value;
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (value === null) return "";
  if (typeof value !== "object") return String(value);
  return JSON.stringify(plain(value));
}

/** The value in terms of JSON, which knows neither bytes nor 64-bit integers. */
function plain(value: Value): unknown {
  if (Buffer.isBuffer(value)) return value.toString("base64");
  if (typeof value === "bigint") return String(value);
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, plain(part as Value)]));
}
