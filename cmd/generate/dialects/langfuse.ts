import type { ModelCall, Operation } from "../operations.ts";
import { type Attributes, type SpanText, spanKind } from "../span.ts";
import { type Dialect, failed, ifAny, messagesJson } from "./dialect.ts";

/** Langfuse's SDK: model and usage stand in attributes of its own, the usage as JSON. */
export const langfuse: Dialect = {
  name: "langfuse",
  scope: { name: "langfuse-sdk", version: "3.8.1" },
  write,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
    case "embeddings":
      return modelCall(operation);
    case "retrieval":
      return observation(`retrieve-${operation.dataSource}`, "retriever", undefined, {});
    case "rerank":
      return observation("rerank", "span", undefined, { "rerank.model": operation.model.name });
    case "tool":
      return observation(operation.tool, "tool", operation.failure, {
        "langfuse.observation.input": operation.arguments,
        "langfuse.observation.output": operation.result,
      });
    case "agent":
      return observation(operation.agent, "agent", operation.failure, {
        "langfuse.session.id": operation.conversationId,
      });
    case "plan":
      return observation("plan", "span", operation.failure, {});
    case "workflow":
      return observation(operation.workflow, "chain", operation.failure, { "langfuse.trace.name": operation.workflow });
  }
}

function observation(name: string, type: string, failure: Parameters<typeof failed>[0], more: Attributes): SpanText {
  return {
    name,
    kind: spanKind.internal,
    attributes: {
      "langfuse.observation.type": type,
      "langfuse.environment": "production",
      "langfuse.observation.level": failure && "ERROR",
      ...more,
    },
    ...failed(failure),
  };
}

function modelCall(call: ModelCall): SpanText {
  const { model, usage } = call;
  const isChat = call.kind === "chat";
  return observation(isChat ? "chat-completion" : "embed", isChat ? "generation" : "embedding", call.failure, {
    "langfuse.observation.model.name": model.name,
    "langfuse.observation.model.parameters": isChat
      ? JSON.stringify({ max_tokens: call.maxTokens, temperature: call.temperature })
      : undefined,
    "langfuse.observation.usage_details":
      usage &&
      JSON.stringify({
        input: usage.inputTokens,
        output: isChat ? usage.outputTokens : undefined,
        total: usage.inputTokens + usage.outputTokens,
        cache_read_input_tokens: ifAny(usage.cachedTokens),
      }),
    "langfuse.session.id": isChat ? call.conversationId : undefined,
    "langfuse.observation.input": messagesJson(call.input),
    "langfuse.observation.output": messagesJson(call.output),
  });
}
