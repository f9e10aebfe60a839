import { attributeKeys, type Span, type Traces, text } from "../../pipeline/pdata/index.ts";
import type { RequestStore } from "./request_store.ts";

const keys = attributeKeys({
  operation: "gen_ai.operation.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
});

/** Operations of the GenAI conventions that are not a call of a model: their tokens, if any, are sums over such calls. */
const otherOperations = [
  "retrieval",
  "create_agent",
  "invoke_agent",
  "execute_tool",
  "invoke_workflow",
  "plan",
  "fetch_response",
  "search_memory",
  "create_memory",
  "update_memory",
  "upsert_memory",
  "delete_memory",
  "create_memory_store",
  "delete_memory_store",
].map(text);

const client = 3;
const internal = 1;
const unspecified = 0;
const errorStatus = 2;
const mostTokens = 0xffff_ffff;

/**
 * Whether a span is a request to a model as its client sees it: of kind CLIENT, INTERNAL (a model in the same process)
 * or unspecified; with a `gen_ai.operation.name` that calls a model (chat, generate_content, text_completion,
 * embeddings or one of the sender's own), or without one but with a request or response model.
 */
export function isRequest(span: Span): boolean {
  const { kind } = span;
  if (kind !== client && kind !== internal && kind !== unspecified) return false;
  if (!span.has(keys.operation)) return span.has(keys.requestModel) || span.has(keys.responseModel);
  for (const operation of otherOperations) {
    if (span.is(keys.operation, operation)) return false;
  }
  return true;
}

/**
 * Adds each request among the spans to `store`. A start in the future counts as now, so that a sender's wrong clock
 * neither hides a request nor keeps it for ever.
 */
export function readRequests(traces: Traces, nowUnixMs: number, store: RequestStore): void {
  for (const span of traces.spans()) {
    if (!isRequest(span)) continue;
    store.add(
      Math.min(span.startUnixMs, nowUnixMs),
      Math.max(0, span.durationNano / 1e6),
      tokens(span.number(keys.inputTokens)),
      tokens(span.number(keys.outputTokens)),
      span.statusCode === errorStatus,
      span.string(keys.requestModel) ?? span.string(keys.responseModel) ?? "",
    );
  }
}

function tokens(count: number | undefined): number {
  return count === undefined || !(count > 0) ? 0 : Math.min(mostTokens, Math.round(count));
}
