import { attributeKeys, type Span, text } from "../pdata/index.ts";

/** The GenAI conventions, then the dialect of the notebooks, for pipelines without gen_ai_normalizer. */
const keys = attributeKeys({
  operation: "gen_ai.operation.name",
  requestModel: "gen_ai.request.model",
  responseModel: "gen_ai.response.model",
  inputTokens: "gen_ai.usage.input_tokens",
  outputTokens: "gen_ai.usage.output_tokens",
  notebookModel: "llm.model",
  notebookInputTokens: "llm.usage.input_tokens",
  notebookOutputTokens: "llm.usage.output_tokens",
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

const embeddings = text("embeddings");

const client = 3;
const internal = 1;
const unspecified = 0;

/**
 * Whether a span is a request to a model as its client sees it: of kind CLIENT, INTERNAL (a model in the same process)
 * or unspecified; with a `gen_ai.operation.name` that calls a model (chat, generate_content, text_completion,
 * embeddings or one of the sender's own), or without one but with a request or response model.
 */
export function isRequest(span: Span): boolean {
  const { kind } = span;
  if (kind !== client && kind !== internal && kind !== unspecified) return false;
  if (!span.has(keys.operation)) return span.has(keys.requestModel) || span.has(keys.responseModel);
  return !isOtherOperation(span);
}

/** Whether a span names an operation that is not a call of a model, such as `execute_tool` and `invoke_agent`. */
export function isOtherOperation(span: Span): boolean {
  if (!span.has(keys.operation)) return false;
  for (const operation of otherOperations) {
    if (span.is(keys.operation, operation)) return true;
  }
  return false;
}

/** What a request asks for, as one bit: text (chat, completion, an operation of the sender's own) or embeddings. */
export function requestKind(span: Span): 1 | 2 {
  return span.is(keys.operation, embeddings) ? 2 : 1;
}

/** What a span does: `chat`, `execute_tool`; undefined when it does not say. */
export function operationOf(span: Span): string | undefined {
  return span.string(keys.operation);
}

/** The model that was asked for, else the one that answered. */
export function modelOf(span: Span): string | undefined {
  return span.string(keys.requestModel) ?? span.string(keys.responseModel) ?? span.string(keys.notebookModel);
}

/** As the span says it, which need not be a count. */
export function inputTokensOf(span: Span): number | undefined {
  return span.number(keys.inputTokens) ?? span.number(keys.notebookInputTokens);
}

/** As the span says it, which need not be a count. */
export function outputTokensOf(span: Span): number | undefined {
  return span.number(keys.outputTokens) ?? span.number(keys.notebookOutputTokens);
}
