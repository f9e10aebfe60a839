import { type Decoded, type DeepPartial, encode, type Traces } from "../../pipeline/pdata/index.ts";
import type { Attributes, AttributeValue, Span } from "./span.ts";

/** Spans of one trace and when that trace began. */
export interface DatedSpans {
  readonly traceId: Buffer;
  readonly startUnixNano: bigint;
  readonly spans: readonly Span[];
}

type WireSpan = DeepPartial<Decoded["traces"]["resourceSpans"][number]["scopeSpans"][number]["spans"][number]>;
type KeyValue = { readonly key: string; readonly value: AnyValue };
type AnyValue =
  | { readonly stringValue: string }
  | { readonly boolValue: boolean }
  | { readonly intValue: number }
  | { readonly doubleValue: number }
  | { readonly arrayValue: { readonly values: readonly AnyValue[] } };

/** Writes spans as OTLP, grouped by service and scope as their senders would. */
export function encodeSpans(parts: readonly DatedSpans[]): Traces {
  const services = new Map<Span["service"], Map<Span["scope"], WireSpan[]>>();
  for (const { traceId, startUnixNano, spans } of parts) {
    for (const span of spans) {
      const scopes = services.get(span.service) ?? new Map<Span["scope"], WireSpan[]>();
      services.set(span.service, scopes);
      const list = scopes.get(span.scope) ?? [];
      scopes.set(span.scope, list);
      list.push(wireSpan(traceId, startUnixNano, span));
    }
  }
  return encode("traces", {
    resourceSpans: [...services].map(([service, scopes]) => ({
      resource: { attributes: keyValues(service.resource) },
      scopeSpans: [...scopes].map(([scope, spans]) => ({ scope: { ...scope }, spans })),
    })),
  });
}

function wireSpan(traceId: Buffer, startUnixNano: bigint, span: Span): WireSpan {
  const { text } = span;
  return {
    traceId,
    spanId: span.id,
    parentSpanId: span.parentId,
    name: text.name,
    kind: text.kind,
    startTimeUnixNano: startUnixNano + BigInt(span.startNs),
    endTimeUnixNano: startUnixNano + BigInt(span.endNs),
    attributes: keyValues(text.attributes),
    events: (text.events ?? []).map(({ name, attributes, atSeconds }) => ({
      name,
      timeUnixNano: startUnixNano + BigInt(atSeconds === undefined ? span.endNs : Math.round(atSeconds * 1e9)),
      attributes: keyValues(attributes),
    })),
    links: span.links.map(({ id }) => ({ traceId, spanId: id })),
    ...((span.status !== 0 || text.statusMessage !== undefined) && {
      status: { code: span.status, message: text.statusMessage ?? "" },
    }),
  };
}

/** Attributes as OTLP has them; the undefined ones are left out. */
export function keyValues(attributes: Attributes): KeyValue[] {
  const pairs: KeyValue[] = [];
  for (const key in attributes) {
    const value = attributes[key];
    if (value !== undefined) pairs.push({ key, value: anyValue(value) });
  }
  return pairs;
}

function anyValue(value: Exclude<AttributeValue, undefined>): AnyValue {
  if (typeof value === "string") return { stringValue: value };
  if (typeof value === "boolean") return { boolValue: value };
  if (typeof value === "number") return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
  if ("doubleValue" in value) return value;
  return { arrayValue: { values: value.map((each) => ({ stringValue: each })) } };
}
