import { receive, type Traces } from "../../pipeline/pdata/index.ts";
import type { Scope, Service } from "./services.ts";
import type { Attributes, AttributeValue, Span } from "./span.ts";
import { WireWriter } from "./wire_writer.ts";

/** Spans of one trace and when that trace began. */
export interface DatedSpans {
  readonly traceId: Buffer;
  readonly startUnixNano: bigint;
  readonly spans: readonly Span[];
}

type DatedSpan = readonly [part: DatedSpans, span: Span];

/**
 * Writes spans as OTLP, grouped by service and scope as their senders would.
 *
 * Everything is written backwards (see `WireWriter`): the last field of a message first.
 * @see OTLP `trace.proto`, `resource.proto`, `common.proto` for the field numbers.
 */
export function encodeSpans(parts: readonly DatedSpans[]): Traces {
  const writer = new WireWriter();
  for (const [service, scopes] of [...grouped(parts)].reverse()) {
    const end = writer.length;
    for (const [scope, spans] of [...scopes].reverse()) writeScope(writer, scope, spans);
    const resourceEnd = writer.length;
    writeAttributes(writer, 1, service.resource);
    writer.endMessage(1, resourceEnd);
    writer.endMessage(1, end);
  }
  return receive("traces", writer.take());
}

function grouped(parts: readonly DatedSpans[]): Map<Service, Map<Scope, DatedSpan[]>> {
  const services = new Map<Service, Map<Scope, DatedSpan[]>>();
  for (const part of parts) {
    for (const span of part.spans) {
      const scopes = services.get(span.service) ?? new Map<Scope, DatedSpan[]>();
      services.set(span.service, scopes);
      const spans = scopes.get(span.scope) ?? [];
      scopes.set(span.scope, spans);
      spans.push([part, span]);
    }
  }
  return services;
}

function writeScope(writer: WireWriter, { name, version }: Scope, spans: readonly DatedSpan[]): void {
  const end = writer.length;
  for (let index = spans.length - 1; index >= 0; index--) writeSpan(writer, ...spans[index]!);
  const scopeEnd = writer.length;
  if (version !== "") writer.text(2, version);
  writer.text(1, name);
  writer.endMessage(1, scopeEnd);
  writer.endMessage(2, end);
}

function writeSpan(writer: WireWriter, { traceId, startUnixNano }: DatedSpans, span: Span): void {
  const { text } = span;
  const end = writer.length;
  writeStatus(writer, span.status, text.statusMessage ?? "");
  for (const linked of [...span.links].reverse()) {
    const linkEnd = writer.length;
    writer.bytes(2, linked.id);
    writer.bytes(1, traceId);
    writer.endMessage(13, linkEnd);
  }
  for (const { name, attributes } of [...(text.events ?? [])].reverse()) {
    const eventEnd = writer.length;
    writeAttributes(writer, 3, attributes);
    writer.text(2, name);
    writer.fixed64(1, startUnixNano + BigInt(span.endNs));
    writer.endMessage(11, eventEnd);
  }
  writeAttributes(writer, 9, text.attributes);
  writer.fixed64(8, startUnixNano + BigInt(span.endNs));
  writer.fixed64(7, startUnixNano + BigInt(span.startNs));
  writer.unsigned(6, text.kind);
  writer.text(5, text.name);
  if (span.parentId.length > 0) writer.bytes(4, span.parentId);
  writer.bytes(2, span.id);
  writer.bytes(1, traceId);
  writer.endMessage(2, end);
}

function writeStatus(writer: WireWriter, code: number, message: string): void {
  if (code === 0 && message === "") return;
  const end = writer.length;
  if (code !== 0) writer.unsigned(3, code);
  if (message !== "") writer.text(2, message);
  writer.endMessage(15, end);
}

/** Writes the attributes that are defined, in their order. */
function writeAttributes(writer: WireWriter, field: number, attributes: Attributes): void {
  const keys = Object.keys(attributes);
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index]!;
    const value = attributes[key];
    if (value === undefined) continue;
    const end = writer.length;
    writeValue(writer, value);
    writer.endMessage(2, end);
    writer.text(1, key);
    writer.endMessage(field, end);
  }
}

function writeValue(writer: WireWriter, value: Exclude<AttributeValue, undefined>): void {
  if (typeof value === "string") writer.text(1, value);
  else if (typeof value === "boolean") writer.unsigned(2, value ? 1 : 0);
  else if (typeof value === "number") {
    if (Number.isInteger(value)) writer.unsigned(3, value);
    else writer.double(4, value);
  } else if ("doubleValue" in value) writer.double(4, value.doubleValue);
  else writeList(writer, value);
}

function writeList(writer: WireWriter, texts: readonly string[]): void {
  const end = writer.length;
  for (const text of [...texts].reverse()) {
    const valueEnd = writer.length;
    writer.text(1, text);
    writer.endMessage(1, valueEnd);
  }
  writer.endMessage(5, end);
}
