import type { Message, ModelCall, Operation } from "../operations.ts";
import { type Attributes, asDouble, type SpanText, spanKind, spanStatus } from "../span.ts";
import { type Dialect, failed, ifAny } from "./dialect.ts";

/** OpenInference, the conventions of Arize Phoenix. */
export const openinference: Dialect = {
  name: "openinference",
  scope: { name: "openinference.instrumentation.langchain", version: "0.1.52" },
  write,
  sumsAgents: true,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
      return chat(operation);
    case "embeddings":
      return text("OpenAIEmbeddings", "EMBEDDING", operation.failure, {
        "embedding.model_name": operation.model.name,
        "llm.token_count.prompt": operation.usage?.inputTokens,
        "llm.token_count.total": operation.usage?.inputTokens,
      });
    case "retrieval":
      return text("VectorStoreRetriever", "RETRIEVER", undefined, documents(operation.documents));
    case "rerank":
      return text("CrossEncoderReranker", "RERANKER", undefined, {
        "reranker.model_name": operation.model.name,
        "reranker.top_k": operation.topK,
      });
    case "tool":
      return text(operation.tool, "TOOL", operation.failure, {
        "tool.name": operation.tool,
        "tool_call.id": operation.callId,
        "input.value": operation.arguments,
        "input.mime_type": "application/json",
        "output.value": operation.result,
      });
    case "agent":
      return text("AgentExecutor", "AGENT", operation.failure, {
        "agent.name": operation.agent,
        "session.id": operation.conversationId,
        "llm.token_count.prompt": operation.total?.inputTokens,
        "llm.token_count.completion": operation.total?.outputTokens,
      });
    case "plan":
      return text("plan", "CHAIN", operation.failure, {});
    case "workflow":
      return text(operation.workflow, "CHAIN", operation.failure, {});
  }
}

function text(name: string, kind: string, failure: Parameters<typeof failed>[0], more: Attributes): SpanText {
  return {
    name,
    kind: spanKind.internal,
    attributes: { "openinference.span.kind": kind, ...more },
    ...failed(failure, spanStatus.ok),
  };
}

function documents(found: readonly { readonly id: string; readonly score: number }[]): Attributes {
  const entries = found.flatMap(({ id, score }, index) => [
    [`retrieval.documents.${index}.document.id`, id],
    [`retrieval.documents.${index}.document.score`, asDouble(score)],
  ]);
  return Object.fromEntries(entries) as Attributes;
}

function chat(call: ModelCall): SpanText {
  const { model, usage } = call;
  return text("ChatOpenAI", "LLM", call.failure, {
    "llm.model_name": model.name,
    "llm.provider": model.provider,
    "llm.system": model.provider === "anthropic" ? "anthropic" : "openai",
    "llm.invocation_parameters": JSON.stringify({
      model: model.name,
      temperature: call.temperature,
      max_tokens: call.maxTokens,
      stream: call.stream,
    }),
    "llm.token_count.prompt": usage?.inputTokens,
    "llm.token_count.completion": usage?.outputTokens,
    "llm.token_count.total": usage && usage.inputTokens + usage.outputTokens,
    "llm.token_count.prompt_details.cache_read": ifAny(usage?.cachedTokens),
    "llm.token_count.completion_details.reasoning": ifAny(usage?.reasoningTokens),
    "llm.finish_reason": call.finish,
    "session.id": call.conversationId,
    ...indexed("llm.input_messages", call.input),
    ...indexed("llm.output_messages", call.output),
  });
}

function indexed(prefix: string, messages: readonly Message[]): Attributes {
  const entries = messages.flatMap(({ role, content }, index) => [
    [`${prefix}.${index}.message.role`, role],
    [`${prefix}.${index}.message.content`, content],
  ]);
  return Object.fromEntries(entries) as Attributes;
}
