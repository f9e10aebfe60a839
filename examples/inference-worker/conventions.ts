import type { Attributes } from "@opentelemetry/api";
import type { ChatRequest, ChatResponse } from "./openai.ts";

/** What stays the same for every request of one worker. */
export interface Server {
  /** The value of `gen_ai.provider.name`: `llama_cpp`, `vllm`, `ollama`, `openai` or your own. */
  readonly provider: string;
  readonly address: string;
  readonly port: number;
}

/** Advised bucket boundaries, in the metric's own unit. OpenTelemetry GenAI conventions 1.41, `gen-ai-metrics.md`. */
export const buckets = {
  tokens: Array.from({ length: 14 }, (_, index) => 4 ** index),
  seconds: Array.from({ length: 14 }, (_, index) => 2 ** index / 100),
};

/** What a sampler may want to know: every attribute that is known before the request is sent. */
export function requestAttributes(request: ChatRequest, server: Server): Attributes {
  return defined({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": server.provider,
    "gen_ai.request.model": request.model,
    "gen_ai.request.max_tokens": request.maxTokens,
    "gen_ai.request.temperature": request.temperature,
    "gen_ai.request.top_p": request.topP,
    "gen_ai.request.seed": request.seed,
    "gen_ai.request.stop_sequences": request.stop === undefined ? undefined : [...request.stop],
    "gen_ai.request.choice.count": request.choices === 1 ? undefined : request.choices,
    "gen_ai.request.stream": request.stream === true ? true : undefined,
    "gen_ai.conversation.id": request.conversationId,
    "server.address": server.address,
    "server.port": server.port,
  });
}

/** What the server said. Token counts are the server's own: input includes cached tokens, output includes reasoning. */
export function responseAttributes(response: ChatResponse): Attributes {
  return defined({
    "gen_ai.response.id": response.id,
    "gen_ai.response.model": response.model,
    "gen_ai.response.finish_reasons": response.finishReasons.length > 0 ? [...response.finishReasons] : undefined,
    "gen_ai.response.time_to_first_chunk": response.secondsToFirstChunk,
    "gen_ai.usage.input_tokens": response.usage?.inputTokens,
    "gen_ai.usage.output_tokens": response.usage?.outputTokens,
    "gen_ai.usage.cache_read.input_tokens": response.usage?.cachedInputTokens,
    "gen_ai.usage.reasoning.output_tokens": response.usage?.reasoningTokens,
  });
}

/** The attributes of a metric's point: few values, so no ids and no sizes. */
export function pointAttributes(request: ChatRequest, server: Server, responseModel: string | undefined): Attributes {
  return defined({
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": server.provider,
    "gen_ai.request.model": request.model,
    "gen_ai.response.model": responseModel,
    "server.address": server.address,
    "server.port": server.port,
  });
}

/** Prompt and answer in the conventions' message shape, as JSON text; only for those who opted in. */
export function contentAttributes(request: ChatRequest, response: ChatResponse): Attributes {
  const input = request.messages.map(({ role, content }) => ({ role, parts: [{ type: "text", content }] }));
  const output = response.texts.map((content, index) =>
    defined({
      role: "assistant",
      parts: [{ type: "text", content }],
      finish_reason: response.finishReasons[index],
    }),
  );
  return { "gen_ai.input.messages": JSON.stringify(input), "gen_ai.output.messages": JSON.stringify(output) };
}

/** The object without its undefined values, which OpenTelemetry's types forbid. */
function defined<Value>(values: Record<string, Value | undefined>): Record<string, Value> {
  const entries = Object.entries(values).filter((entry): entry is [string, Value] => entry[1] !== undefined);
  return Object.fromEntries(entries);
}
