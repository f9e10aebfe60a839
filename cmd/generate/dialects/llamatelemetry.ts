import type { ModelCall, Operation } from "../operations.ts";
import { type Attributes, asDouble, type SpanText, spanKind, spanStatus } from "../span.ts";
import { type Dialect, failed } from "./dialect.ts";

/** `llm.*` as llamatelemetry's notebooks write it: one CLIENT span for a chat, status always set. */
export const llamatelemetry: Dialect = {
  name: "llamatelemetry",
  scope: { name: "__main__", version: "" },
  write,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
      return chat(operation);
    case "embeddings":
      return embeddings(operation);
    case "retrieval":
      return plain(`knowledge.search ${operation.dataSource}`, { "search.top_k": operation.topK });
    case "rerank":
      return plain("knowledge.rerank", { "rerank.model": operation.model.name });
    case "tool":
      return {
        ...plain(`tool.${operation.tool}`, { "tool.arguments": operation.arguments }),
        ...failed(operation.failure, spanStatus.ok),
      };
    case "agent":
      return { ...plain(`agent.${operation.agent}`, {}), ...failed(operation.failure, spanStatus.ok) };
    case "plan":
      return { ...plain(`plan.${operation.agent}`, {}), ...failed(operation.failure, spanStatus.ok) };
    case "workflow":
      return { ...plain(operation.workflow, {}), ...failed(operation.failure, spanStatus.ok) };
  }
}

function plain(name: string, attributes: Attributes): SpanText {
  return { name, kind: spanKind.internal, attributes, status: spanStatus.ok };
}

function chat(call: ModelCall): SpanText {
  const { model, usage, failure } = call;
  const ending = failed(failure, spanStatus.ok);
  return {
    name: `llm.chat.${model.name}`,
    kind: spanKind.client,
    attributes: {
      "llm.system": "llama.cpp",
      "llm.model": model.name,
      "llm.request.max_tokens": call.maxTokens,
      "llm.request.temperature": asDouble(call.temperature),
      "llm.request.messages": call.messageCount,
      "llm.response.finish_reason": call.finish,
      "llm.response.length": usage && usage.outputTokens * 4,
      "llm.usage.input_tokens": usage?.inputTokens,
      "llm.usage.output_tokens": usage?.outputTokens,
    },
    ...ending,
    // The code sets the status and raises again; the SDK's context manager records the exception a second time.
    ...(failure && {
      statusMessage: `${failure.exception}: ${failure.message}`,
      events: [...(ending.events ?? []), ...(ending.events ?? [])],
    }),
  };
}

function embeddings(call: ModelCall): SpanText {
  const { model, usage } = call;
  return {
    name: "llm.embed",
    kind: spanKind.internal,
    attributes: {
      "llm.system": "llamatelemetry",
      "llm.model": model.name,
      "llamacpp.endpoint": "/v1/embeddings",
      "llm.latency_ms": asDouble(call.durationSeconds * 1000),
      "llm.input.tokens": usage?.inputTokens,
    },
    ...failed(call.failure),
  };
}
