import type { ModelCall, Operation, OperationOf } from "../operations.ts";
import { asDouble, type SpanText, spanKind } from "../span.ts";
import { type Dialect, failed, ifAny, messagesJson, withParts } from "./dialect.ts";

/** OpenTelemetry GenAI semantic conventions 1.41. */
export const current: Dialect = {
  name: "current",
  scope: { name: "opentelemetry.instrumentation.openai_v2", version: "2.3b0" },
  write,
  sumsAgents: true,
};

function write(operation: Operation): SpanText {
  switch (operation.kind) {
    case "chat":
    case "embeddings":
      return modelCall(operation);
    case "retrieval":
      return retrieval(operation);
    case "rerank":
      return rerank(operation);
    case "tool":
      return tool(operation);
    case "agent":
    case "plan":
      return agent(operation);
    case "workflow":
      return workflow(operation);
  }
}

function modelCall(call: ModelCall): SpanText {
  const { model, usage, failure } = call;
  const isChat = call.kind === "chat";
  return {
    name: `${call.kind} ${model.name}`,
    kind: spanKind.client,
    attributes: {
      "gen_ai.operation.name": call.kind,
      "gen_ai.provider.name": model.provider,
      "gen_ai.request.model": model.name,
      "server.address": model.serverAddress,
      "server.port": model.serverPort,
      "gen_ai.request.max_tokens": isChat ? call.maxTokens : undefined,
      "gen_ai.request.temperature": isChat ? asDouble(call.temperature) : undefined,
      "gen_ai.request.stream": call.stream ? true : undefined,
      "gen_ai.response.model": usage && model.responseName,
      "gen_ai.response.id": usage && isChat ? call.responseId : undefined,
      "gen_ai.response.finish_reasons": call.finish && [call.finish],
      "gen_ai.response.time_to_first_chunk":
        call.stream && call.firstTokenSeconds !== undefined ? asDouble(call.firstTokenSeconds) : undefined,
      "gen_ai.usage.input_tokens": usage?.inputTokens,
      "gen_ai.usage.output_tokens": isChat ? usage?.outputTokens : undefined,
      "gen_ai.usage.cache_read.input_tokens": ifAny(usage?.cachedTokens),
      "gen_ai.usage.reasoning.output_tokens": ifAny(usage?.reasoningTokens),
      "gen_ai.embeddings.dimension.count": isChat ? undefined : 1024,
      "gen_ai.conversation.id": isChat ? call.conversationId : undefined,
      "gen_ai.input.messages": isChat ? messagesJson(call.input, withParts) : undefined,
      "gen_ai.output.messages": messagesJson(call.output, withParts),
      "error.type": failure?.type,
    },
    ...failed(failure),
  };
}

function retrieval({ dataSource, topK, documents }: OperationOf<"retrieval">): SpanText {
  return {
    name: `retrieval ${dataSource}`,
    kind: spanKind.client,
    attributes: {
      "gen_ai.operation.name": "retrieval",
      "gen_ai.data_source.id": dataSource,
      "gen_ai.request.top_k": asDouble(topK),
      "gen_ai.retrieval.documents": JSON.stringify(documents),
    },
  };
}

function rerank({ model, topK }: OperationOf<"rerank">): SpanText {
  return {
    name: `rerank ${model.name}`,
    kind: spanKind.client,
    attributes: {
      "gen_ai.operation.name": "retrieval",
      "gen_ai.provider.name": model.provider,
      "gen_ai.request.model": model.name,
      "gen_ai.request.top_k": asDouble(topK),
    },
  };
}

function tool(operation: OperationOf<"tool">): SpanText {
  return {
    name: `execute_tool ${operation.tool}`,
    kind: spanKind.internal,
    attributes: {
      "gen_ai.operation.name": "execute_tool",
      "gen_ai.tool.name": operation.tool,
      "gen_ai.tool.type": "function",
      "gen_ai.tool.call.id": operation.callId,
      "gen_ai.tool.call.arguments": operation.arguments,
      "gen_ai.tool.call.result": operation.result,
      "error.type": operation.failure?.type,
    },
    ...failed(operation.failure),
  };
}

function agent({ kind, agent, conversationId, total, failure }: OperationOf<"agent" | "plan">): SpanText {
  return {
    name: `${kind === "agent" ? "invoke_agent" : "plan"} ${agent}`,
    kind: spanKind.internal,
    attributes: {
      "gen_ai.operation.name": kind === "agent" ? "invoke_agent" : "plan",
      "gen_ai.agent.name": agent,
      "gen_ai.conversation.id": conversationId,
      "gen_ai.usage.input_tokens": total?.inputTokens,
      "gen_ai.usage.output_tokens": total?.outputTokens,
      "error.type": failure?.type,
    },
    ...failed(failure),
  };
}

function workflow({ workflow: name, failure }: OperationOf<"workflow">): SpanText {
  return {
    name: `invoke_workflow ${name}`,
    kind: spanKind.internal,
    attributes: {
      "gen_ai.operation.name": "invoke_workflow",
      "gen_ai.workflow.name": name,
      "error.type": failure?.type,
    },
    ...failed(failure),
  };
}
