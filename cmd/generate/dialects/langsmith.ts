import type { ModelCall, Operation } from "../operations.ts";
import { type Attributes, asDouble, type SpanText, spanKind, spanStatus } from "../span.ts";
import { type Dialect, failed, messagesJson } from "./dialect.ts";

/** LangSmith's OpenTelemetry export. */
export const langsmith: Dialect = {
  name: "langsmith",
  scope: { name: "langsmith", version: "0.3.45" },
  write,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
    case "embeddings":
      return modelCall(operation);
    case "retrieval":
      return run(operation.dataSource, "retriever", undefined, { "retriever.k": operation.topK });
    case "rerank":
      return run("rerank", "chain", undefined, { "rerank.model": operation.model.name });
    case "tool":
      return run(operation.tool, "tool", operation.failure, {
        "gen_ai.tool.name": operation.tool,
        tool_arguments: operation.arguments,
      });
    case "agent":
      return run(operation.agent, "chain", operation.failure, {
        "langsmith.trace.session_id": operation.conversationId,
      });
    case "plan":
      return run("plan", "chain", operation.failure, {});
    case "workflow":
      return run(operation.workflow, "chain", operation.failure, { "langsmith.trace.name": operation.workflow });
  }
}

function run(name: string, kind: string, failure: Parameters<typeof failed>[0], more: Attributes): SpanText {
  return {
    name,
    kind: spanKind.internal,
    attributes: { "langsmith.span.kind": kind, ...more },
    ...failed(failure, spanStatus.ok),
  };
}

function modelCall(call: ModelCall): SpanText {
  const { model, usage } = call;
  const isChat = call.kind === "chat";
  return run(isChat ? "ChatOpenAI" : "OpenAIEmbeddings", isChat ? "llm" : "embedding", call.failure, {
    "gen_ai.system": model.provider,
    "gen_ai.request.model": model.name,
    "langsmith.metadata.ls_provider": model.provider,
    "langsmith.metadata.ls_model_name": model.name,
    "gen_ai.request.max_tokens": isChat ? call.maxTokens : undefined,
    "gen_ai.request.temperature": isChat ? asDouble(call.temperature) : undefined,
    "gen_ai.usage.prompt_tokens": usage?.inputTokens,
    "gen_ai.usage.completion_tokens": isChat ? usage?.outputTokens : undefined,
    "gen_ai.usage.total_tokens": usage && usage.inputTokens + usage.outputTokens,
    "gen_ai.response.finish_reasons": call.finish && [call.finish],
    "langsmith.trace.session_id": isChat ? call.conversationId : undefined,
    "gen_ai.prompt": messagesJson(call.input),
    "gen_ai.completion": messagesJson(call.output),
  });
}
