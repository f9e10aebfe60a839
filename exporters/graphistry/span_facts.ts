import { inputTokensOf, modelOf, operationOf, outputTokensOf } from "../../pipeline/llm/request.ts";
import { attributeKeys, type Span } from "../../pipeline/pdata/index.ts";

export type Status = "OK" | "ERROR" | "UNSET";

/** Longest text in the graph, in characters; the details of a span have it whole. */
const longestText = 256;

/** What the graph says of a span. */
export interface SpanFacts {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits, unique within the trace. */
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly status: Status;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly durationMs: number;
  readonly service: string;
  /** As are all texts here, empty when the span does not say. */
  readonly model: string;
  readonly operation: string;
  readonly errorType: string;
  readonly inputTokens: number | undefined;
  readonly outputTokens: number | undefined;
}

const resourceKeys = attributeKeys({ service: "service.name" });

const keys = attributeKeys({ errorType: "error.type" });

const kinds = ["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"];
const statuses: readonly Status[] = ["UNSET", "OK", "ERROR"];

/** Reads a span at the cursor. */
export function readFacts(span: Span, traceId: string, spanId: string): SpanFacts {
  const { parentSpanId } = span;
  return {
    traceId,
    spanId,
    parentSpanId: parentSpanId.isEmpty ? "" : parentSpanId.hex(),
    name: cut(span.name),
    kind: kindOf(span),
    status: statusOf(span),
    startUnixMs: span.startUnixMs,
    endUnixMs: span.endUnixMs,
    durationMs: durationOf(span),
    service: cut(span.resource.string(resourceKeys.service)),
    model: cut(modelOf(span)),
    operation: cut(operationOf(span)),
    errorType: cut(span.string(keys.errorType)),
    inputTokens: inputTokensOf(span),
    outputTokens: outputTokensOf(span),
  };
}

/** A text for the graph, by a copy when it is too long: a part of a string would hold all of it. */
function cut(text = ""): string {
  return text.length <= longestText ? text : Buffer.from(`${text.slice(0, longestText - 1)}…`).toString();
}

/** The name of the span's kind. */
export function kindOf(span: Span): string {
  return kinds[span.kind] ?? "UNSPECIFIED";
}

/** The name of the span's status. */
export function statusOf(span: Span): Status {
  return statuses[span.statusCode] ?? "UNSET";
}

/** Milliseconds; 0 for a span that ends before it starts. */
export function durationOf(span: Span): number {
  return Math.max(0, span.durationNano / 1e6);
}
