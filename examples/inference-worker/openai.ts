import { type Answer, StreamedAnswer, wholeAnswer } from "./answer.ts";
import { asInferenceError, InferenceError, refusal } from "./inference_error.ts";
import { readEvents } from "./server_sent_events.ts";

/** One chat completion, in the words of this library; `requestBody` puts it into OpenAI's. */
export interface ChatRequest {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly maxTokens?: number;
  readonly temperature?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  /** How many answers to ask for; 1 unless said. */
  readonly choices?: number;
  /** Take the answer piece by piece. */
  readonly stream?: boolean;
  /** Joins requests of one conversation; kept on the span, not sent. */
  readonly conversationId?: string;
}

export interface ChatMessage {
  readonly role: "system" | "user" | "assistant";
  readonly content: string;
}

/** The server's answer; `usage` is missing when the server did not send it. */
export interface ChatResponse {
  readonly id?: string;
  readonly model?: string;
  /** One text and one finish reason for each choice. */
  readonly texts: readonly string[];
  readonly finishReasons: readonly string[];
  readonly usage?: Usage;
  /** Streaming only: from sending the request to the first chunk that carries output. */
  readonly secondsToFirstChunk?: number;
  /** Streaming only: the pause before each later chunk. */
  readonly secondsBetweenChunks: readonly number[];
}

/** Tokens as the server counted them. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  readonly reasoningTokens?: number;
}

/** How to send one request. */
export interface Transport {
  /** The server's base; `/v1/chat/completions` is appended. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Called for each piece of the first choice while it streams. */
  readonly onText?: ((text: string) => void) | undefined;
}

/**
 * Sends one chat completion and reads the answer, streamed or whole.
 *
 * @throws {InferenceError} for every failure: refused, cut short, cancelled, unreadable.
 */
export async function complete(request: ChatRequest, transport: Transport): Promise<ChatResponse> {
  const streamed = new StreamedAnswer(performance.now(), transport.onText);
  try {
    const response = await fetch(addressOf(transport.url, "/v1/chat/completions"), {
      method: "POST",
      headers: { "content-type": "application/json", ...transport.headers },
      body: JSON.stringify(requestBody(request)),
      ...(transport.signal === undefined ? {} : { signal: transport.signal }),
    });
    if (!response.ok) throw refusal(response.status, await response.text());
    if (request.stream !== true) return wholeAnswer((await response.json()) as Answer);
    await readStream(response, streamed);
    return streamed.response();
  } catch (error) {
    throw asInferenceError(error, request.stream === true ? streamed.response() : undefined);
  }
}

/** The address of `path` on the server, whether its base is given with or without `/v1`. */
export function addressOf(base: string, path: string): string {
  return `${base.replace(/\/+$/, "").replace(/\/v1$/, "")}${path}`;
}

function requestBody(request: ChatRequest): Record<string, unknown> {
  return {
    model: request.model,
    messages: request.messages,
    max_tokens: request.maxTokens,
    temperature: request.temperature,
    top_p: request.topP,
    seed: request.seed,
    stop: request.stop,
    n: request.choices,
    ...(request.stream === true ? { stream: true, stream_options: { include_usage: true } } : {}),
  };
}

async function readStream(response: Response, streamed: StreamedAnswer): Promise<void> {
  if (response.body === null) throw new InferenceError("the server's answer has no body", "invalid_response");
  let isDone = false;
  for await (const data of readEvents(response.body)) {
    if (data === "[DONE]") isDone = true;
    else streamed.take(JSON.parse(data) as Answer, performance.now());
  }
  if (!isDone && !streamed.isFinished) throw new InferenceError("the stream ended early", "incomplete_response");
}
