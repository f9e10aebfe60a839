import type { ModelCall, Operation } from "../operations.ts";
import { type Attributes, asDouble, type SpanText, spanKind } from "../span.ts";
import { type Dialect, failed, messagesJson } from "./dialect.ts";

/** Vercel AI SDK: an outer span for the function called, an inner one (`.do…`) for the model; both carry the usage. */
export const vercel: Dialect = {
  name: "vercel",
  scope: { name: "ai", version: "4.3.16" },
  write,
  wrap(call) {
    const id = operationId(call);
    return {
      name: id,
      kind: spanKind.internal,
      attributes: { ...common(id, call), "ai.prompt": messagesJson(call.input) },
      ...failed(call.failure),
    };
  },
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
    case "embeddings":
      return modelCall(operation);
    case "tool":
      return {
        name: "ai.toolCall",
        kind: spanKind.internal,
        attributes: {
          "operation.name": "ai.toolCall",
          "ai.operationId": "ai.toolCall",
          "ai.toolCall.name": operation.tool,
          "ai.toolCall.id": operation.callId,
          "ai.toolCall.args": operation.arguments,
          "ai.toolCall.result": operation.result,
        },
        ...failed(operation.failure),
      };
    case "retrieval":
      return plain(`search ${operation.dataSource}`, spanKind.client, { "search.top_k": operation.topK });
    case "rerank":
      return plain("rerank", spanKind.client, { "rerank.model": operation.model.name });
    case "agent":
      return {
        ...plain(operation.agent, spanKind.internal, {
          "resource.name": operation.agent,
          "ai.telemetry.functionId": operation.agent,
          "ai.telemetry.metadata.sessionId": operation.conversationId,
        }),
        ...failed(operation.failure),
      };
    case "plan":
      return { ...plain("plan", spanKind.internal, {}), ...failed(operation.failure) };
    case "workflow":
      return { ...plain(operation.workflow, spanKind.internal, {}), ...failed(operation.failure) };
  }
}

function plain(name: string, kind: number, attributes: Attributes): SpanText {
  return { name, kind, attributes };
}

function operationId(call: ModelCall): string {
  if (call.kind === "embeddings") return "ai.embed";
  return call.stream ? "ai.streamText" : "ai.generateText";
}

function common(id: string, call: ModelCall): Attributes {
  const { model, usage } = call;
  const isChat = call.kind === "chat";
  return {
    "operation.name": id,
    "ai.operationId": id,
    "ai.model.provider": `${model.provider === "anthropic" ? "anthropic" : "openai"}.chat`,
    "ai.model.id": model.name,
    "ai.settings.maxRetries": 2,
    "ai.settings.maxTokens": isChat ? call.maxTokens : undefined,
    "ai.telemetry.metadata.sessionId": isChat ? call.conversationId : undefined,
    "ai.usage.promptTokens": isChat ? usage?.inputTokens : undefined,
    "ai.usage.completionTokens": isChat ? usage?.outputTokens : undefined,
    "ai.usage.tokens": isChat ? undefined : usage?.inputTokens,
    "ai.response.finishReason": finishReason(call),
    "ai.response.text": call.output.map(({ content }) => content).join("\n") || undefined,
  };
}

function finishReason({ finish }: ModelCall): string | undefined {
  return finish?.replace("_", "-").replace("tool-call", "tool-calls");
}

function modelCall(call: ModelCall): SpanText {
  const { model, usage } = call;
  const isChat = call.kind === "chat";
  const id = isChat ? `${operationId(call)}.${call.stream ? "doStream" : "doGenerate"}` : "ai.embed.doEmbed";
  const streamed = call.stream && call.firstTokenSeconds !== undefined;
  return {
    name: id,
    kind: spanKind.internal,
    attributes: {
      ...common(id, call),
      "ai.response.id": usage && isChat ? call.responseId : undefined,
      "ai.response.model": usage && model.responseName,
      "ai.response.msToFirstChunk": streamed ? asDouble((call.firstTokenSeconds ?? 0) * 1000) : undefined,
      "ai.prompt.messages": messagesJson(call.input),
      ...(isChat && genAi(call)),
    },
    ...failed(call.failure),
  };
}

/** The conventions' own names, which the SDK writes for text generation as well. */
function genAi(call: ModelCall): Attributes {
  const { model, usage } = call;
  return {
    "gen_ai.system": `${model.provider === "anthropic" ? "anthropic" : "openai"}.chat`,
    "gen_ai.request.model": model.name,
    "gen_ai.request.max_tokens": call.maxTokens,
    "gen_ai.request.temperature": asDouble(call.temperature),
    "gen_ai.response.finish_reasons": call.finish && [finishReason(call) ?? ""],
    "gen_ai.response.id": usage && call.responseId,
    "gen_ai.response.model": usage && model.responseName,
    "gen_ai.usage.input_tokens": usage?.inputTokens,
    "gen_ai.usage.output_tokens": usage?.outputTokens,
  };
}
