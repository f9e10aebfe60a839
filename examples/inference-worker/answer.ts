import { refusal } from "./inference_error.ts";
import type { ChatResponse, Usage } from "./openai.ts";

/** OpenAI's JSON, as it goes over the wire. */
export interface Answer {
  readonly id?: string;
  readonly model?: string;
  readonly error?: unknown;
  readonly choices?: readonly Choice[];
  readonly usage?: {
    readonly prompt_tokens?: number;
    readonly completion_tokens?: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number } | null;
    readonly completion_tokens_details?: { readonly reasoning_tokens?: number } | null;
  } | null;
}

interface Choice {
  readonly index?: number;
  readonly finish_reason?: string | null;
  readonly message?: Content;
  readonly delta?: Content;
}

interface Content {
  readonly content?: string | null;
  readonly reasoning_content?: string | null;
  readonly tool_calls?: readonly unknown[] | null;
}

/** @throws {InferenceError} when the answer is an error in spite of its status. */
export function wholeAnswer(answer: Answer): ChatResponse {
  if (answer.error !== undefined) throw refusal(200, JSON.stringify(answer));
  const choices = answer.choices ?? [];
  return {
    ...identity(answer),
    texts: choices.map((choice) => choice.message?.content ?? ""),
    finishReasons: choices.flatMap((choice) => choice.finish_reason ?? []),
    secondsBetweenChunks: [],
  };
}

/** Puts a streamed answer together, chunk by chunk, and notes when each came. */
export class StreamedAnswer {
  readonly #began: number;
  readonly #onText: ((text: string) => void) | undefined;
  readonly #texts: string[] = [];
  readonly #finishReasons: string[] = [];
  readonly #arrivals: number[] = [];
  #identity: Pick<ChatResponse, "id" | "model" | "usage"> = {};

  /** `began` is when the request was sent, on `performance.now()`'s clock. */
  constructor(began: number, onText: ((text: string) => void) | undefined) {
    this.#began = began;
    this.#onText = onText;
  }

  /** True once a choice has ended by itself. */
  get isFinished(): boolean {
    return this.#finishReasons.length > 0;
  }

  /** @throws {InferenceError} when the chunk is the server's word that it failed. */
  take(chunk: Answer, at: number): void {
    if (chunk.error !== undefined) throw refusal(200, JSON.stringify(chunk));
    this.#identity = { ...this.#identity, ...identity(chunk) };
    const choices = chunk.choices ?? [];
    if (choices.some((choice) => carriesOutput(choice.delta))) this.#arrivals.push(at);
    for (const { index = 0, delta, finish_reason } of choices) {
      this.#texts[index] = (this.#texts[index] ?? "") + (delta?.content ?? "");
      if (finish_reason) this.#finishReasons[index] = finish_reason;
      if (index === 0 && delta?.content) this.#onText?.(delta.content);
    }
  }

  response(): ChatResponse {
    const pauses = this.#arrivals.map((at, index) => (at - (this.#arrivals[index - 1] ?? this.#began)) / 1000);
    const [first, ...later] = pauses;
    return {
      ...this.#identity,
      texts: this.#texts.map((text) => text ?? ""),
      finishReasons: this.#finishReasons.filter((reason) => reason !== undefined),
      secondsBetweenChunks: later,
      ...(first === undefined ? {} : { secondsToFirstChunk: first }),
    };
  }
}

/** A chunk that only names the role is not output yet. */
function carriesOutput(delta: Content | undefined): boolean {
  return Boolean(delta?.content || delta?.reasoning_content || delta?.tool_calls?.length);
}

function identity({ id, model, usage }: Answer): Pick<ChatResponse, "id" | "model" | "usage"> {
  return {
    ...(id === undefined ? {} : { id }),
    ...(model === undefined ? {} : { model }),
    ...(usage === undefined || usage === null ? {} : { usage: usageOf(usage) }),
  };
}

function usageOf(usage: NonNullable<Answer["usage"]>): Usage {
  const cached = usage.prompt_tokens_details?.cached_tokens;
  const reasoning = usage.completion_tokens_details?.reasoning_tokens;
  return {
    inputTokens: usage.prompt_tokens ?? 0,
    outputTokens: usage.completion_tokens ?? 0,
    ...(cached === undefined ? {} : { cachedInputTokens: cached }),
    ...(reasoning === undefined ? {} : { reasoningTokens: reasoning }),
  };
}
