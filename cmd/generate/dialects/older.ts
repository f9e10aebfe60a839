import type { ModelCall, Operation } from "../operations.ts";
import { asDouble, type SpanText, spanKind } from "../span.ts";
import { current } from "./current.ts";
import { type Dialect, failed, messagesJson } from "./dialect.ts";

/** GenAI semantic conventions before 1.37: other names for provider, token counts and texts; no retrieval, no workflow. */
export const older: Dialect = {
  name: "older",
  scope: { name: "opentelemetry.instrumentation.openai_v2", version: "2.0b0" },
  write,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
    case "embeddings":
      return modelCall(operation);
    case "retrieval":
      return {
        name: `chroma.query ${operation.dataSource}`,
        kind: spanKind.client,
        attributes: {
          "db.system": "chroma",
          "db.operation": "query",
          "db.collection.name": operation.dataSource,
          "db.chroma.query.n_results": operation.topK,
        },
      };
    case "rerank":
      return {
        name: `rerank ${operation.model.name}`,
        kind: spanKind.client,
        attributes: { "rerank.model": operation.model.name, "rerank.top_k": operation.topK },
      };
    case "plan":
    case "workflow":
      return {
        name: operation.kind === "plan" ? `plan ${operation.agent}` : operation.workflow,
        kind: spanKind.internal,
        attributes: {},
        ...failed(operation.failure),
      };
    case "agent":
      return current.write({ ...operation, total: undefined });
    case "tool":
      return current.write(operation);
  }
}

const systems = new Map([["vllm", "openai"]]);

function modelCall(call: ModelCall): SpanText {
  const { model, usage, failure } = call;
  const isChat = call.kind === "chat";
  return {
    name: `${call.kind} ${model.name}`,
    kind: spanKind.client,
    attributes: {
      "gen_ai.operation.name": call.kind,
      "gen_ai.system": systems.get(model.provider) ?? model.provider,
      "gen_ai.request.model": model.name,
      "server.address": model.serverAddress,
      "server.port": model.serverPort,
      "gen_ai.request.max_tokens": isChat ? call.maxTokens : undefined,
      "gen_ai.request.temperature": isChat ? asDouble(call.temperature) : undefined,
      "gen_ai.response.model": usage && model.responseName,
      "gen_ai.response.id": usage && isChat ? call.responseId : undefined,
      "gen_ai.response.finish_reasons": call.finish && [call.finish],
      "gen_ai.usage.prompt_tokens": usage?.inputTokens,
      "gen_ai.usage.completion_tokens": isChat ? usage?.outputTokens : undefined,
      "gen_ai.usage.cache_read_input_tokens": usage?.cachedTokens || undefined,
      "gen_ai.usage.details.reasoning_tokens": usage?.reasoningTokens || undefined,
      "gen_ai.prompt": isChat ? messagesJson(call.input) : undefined,
      "gen_ai.completion": messagesJson(call.output),
      "error.type": failure?.type,
    },
    ...failed(failure),
  };
}
