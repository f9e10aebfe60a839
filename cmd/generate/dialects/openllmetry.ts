import type { Message, ModelCall, Operation } from "../operations.ts";
import { type Attributes, asDouble, type SpanText, spanKind, spanStatus } from "../span.ts";
import { type Dialect, failed, ifAny } from "./dialect.ts";

/** OpenLLMetry in its `llm.*` and `traceloop.*` spelling. */
export const openllmetry: Dialect = {
  name: "openllmetry",
  scope: { name: "opentelemetry.instrumentation.openai", version: "0.47.3" },
  write,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
    case "embeddings":
      return modelCall(operation);
    case "retrieval":
      return {
        name: "chroma.query",
        kind: spanKind.client,
        attributes: {
          "db.system": "chroma",
          "db.operation": "query",
          "db.vector.query.top_k": operation.topK,
        },
        events: operation.documents.map(({ id, score }) => ({
          name: "db.query.result",
          attributes: { "db.query.result.id": id, "db.query.result.distance": asDouble(1 - score) },
        })),
        status: spanStatus.ok,
      };
    case "rerank":
      return {
        name: "cohere.rerank",
        kind: spanKind.client,
        attributes: { "llm.request.type": "rerank", "llm.request.model": operation.model.name },
        status: spanStatus.ok,
      };
    case "tool":
      return entity("tool", operation.tool, operation.failure, {
        "traceloop.entity.input": operation.arguments,
        "traceloop.entity.output": operation.result,
      });
    case "agent":
      return entity("agent", operation.agent, operation.failure, {
        "traceloop.association.properties.session_id": operation.conversationId,
      });
    case "plan":
      return entity("task", "plan", operation.failure, {});
    case "workflow":
      return entity("workflow", operation.workflow, operation.failure, {
        "traceloop.workflow.name": operation.workflow,
      });
  }
}

function entity(kind: string, name: string, failure: Parameters<typeof failed>[0], more: Attributes): SpanText {
  return {
    name: `${name}.${kind}`,
    kind: spanKind.internal,
    attributes: { "traceloop.span.kind": kind, "traceloop.entity.name": name, ...more },
    ...failed(failure, spanStatus.unset),
  };
}

function modelCall(call: ModelCall): SpanText {
  const { model, usage } = call;
  const isChat = call.kind === "chat";
  return {
    name: isChat ? "openai.chat" : "openai.embeddings",
    kind: spanKind.client,
    attributes: {
      "llm.request.type": isChat ? "chat" : "embedding",
      "gen_ai.system": model.provider === "anthropic" ? "Anthropic" : "OpenAI",
      "llm.request.model": model.name,
      "llm.request.max_tokens": isChat ? call.maxTokens : undefined,
      "llm.request.temperature": isChat ? asDouble(call.temperature) : undefined,
      "llm.is_streaming": isChat ? call.stream : undefined,
      "llm.response.model": usage && model.responseName,
      "llm.response.finish_reason": call.finish,
      "llm.usage.prompt_tokens": usage?.inputTokens,
      "llm.usage.completion_tokens": isChat ? usage?.outputTokens : undefined,
      "llm.usage.total_tokens": usage && usage.inputTokens + usage.outputTokens,
      "gen_ai.usage.cache_read_input_tokens": ifAny(usage?.cachedTokens),
      "llm.usage.reasoning_tokens": ifAny(usage?.reasoningTokens),
      "traceloop.association.properties.session_id": isChat ? call.conversationId : undefined,
      ...indexed("gen_ai.prompt", call.input),
      ...indexed("gen_ai.completion", call.output),
    },
    ...failed(call.failure, spanStatus.ok),
  };
}

function indexed(prefix: string, messages: readonly Message[]): Attributes {
  const entries = messages.flatMap(({ role, content }, index) => [
    [`${prefix}.${index}.role`, role],
    [`${prefix}.${index}.content`, content],
  ]);
  return Object.fromEntries(entries) as Attributes;
}
