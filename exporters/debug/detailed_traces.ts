import type { Decoded } from "../../pipeline/pdata/index.ts";
import { attributeLines, field, resourceLines, scopeLines, textOf, word } from "./detailed_lines.ts";
import { timeText } from "./go_text.ts";
import { level, Numbering } from "./numbering.ts";
import { idText } from "./values.ts";

type Span = Decoded["traces"]["resourceSpans"][number]["scopeSpans"][number]["spans"][number];

const kinds = ["Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"];
const statusCodes = ["Unset", "Ok", "Error"];

/** Every field of every span, event and link. */
export function detailedTraces({ resourceSpans }: Decoded["traces"], numbering = new Numbering()): string {
  return textOf(
    resourceSpans.flatMap(({ resource, schemaUrl, scopeSpans }) => [
      ...numbering.next(level.resource, (index) => resourceLines("ResourceSpans", index, schemaUrl, resource)),
      ...scopeSpans.flatMap(({ schemaUrl: url, scope, spans }) => [
        ...numbering.next(level.scope, (index) => scopeLines("ScopeSpans", index, url, scope)),
        ...spans.flatMap((span) => numbering.next(level.item, (index) => spanLines(span, index))),
      ]),
    ]),
  );
}

function spanLines(span: Span, index: number): string[] {
  return [
    `Span #${index}`,
    field("Trace ID", idText(span.traceId)),
    field("Parent ID", idText(span.parentSpanId)),
    field("ID", idText(span.spanId)),
    field("Name", span.name),
    field("Kind", word(kinds, span.kind)),
    ...(span.traceState === "" ? [] : [field("TraceState", span.traceState)]),
    field("Start time", timeText(span.startTimeUnixNano)),
    field("End time", timeText(span.endTimeUnixNano)),
    field("Status code", word(statusCodes, span.status?.code ?? 0)),
    field("Status message", span.status?.message ?? ""),
    field("DroppedAttributesCount", span.droppedAttributesCount),
    field("DroppedEventsCount", span.droppedEventsCount),
    field("DroppedLinksCount", span.droppedLinksCount),
    ...attributeLines("Attributes", span.attributes),
    ...(span.events.length === 0 ? [] : ["Events:", ...span.events.flatMap(eventLines)]),
    ...(span.links.length === 0 ? [] : ["Links:", ...span.links.flatMap(linkLines)]),
  ];
}

function eventLines(event: Span["events"][number], index: number): string[] {
  return [
    `SpanEvent #${index}`,
    `     -> Name: ${event.name}`,
    `     -> Timestamp: ${timeText(event.timeUnixNano)}`,
    `     -> DroppedAttributesCount: ${event.droppedAttributesCount}`,
    ...attributeLines("     -> Attributes:", event.attributes),
  ];
}

function linkLines(link: Span["links"][number], index: number): string[] {
  return [
    `SpanLink #${index}`,
    `     -> Trace ID: ${idText(link.traceId)}`,
    `     -> ID: ${idText(link.spanId)}`,
    `     -> TraceState: ${link.traceState}`,
    `     -> DroppedAttributesCount: ${link.droppedAttributesCount}`,
    ...attributeLines("     -> Attributes:", link.attributes),
  ];
}
