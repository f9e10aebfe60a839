import { message } from "./content.ts";
import type { Failure, Message, ModelCall } from "./operations.ts";
import { Random } from "./random.ts";
import type { Scene } from "./scene.ts";
import type { Model } from "./services.ts";
import { failureRates, lengthStopRate } from "./settings.ts";

/** What an application asks of a model. */
export interface ModelRequest {
  readonly kind: "chat" | "embeddings";
  readonly model: Model;
  readonly stream: boolean;
  readonly inputTokens: number;
  readonly cachedTokens: number;
  /** What the model would answer if nothing came between. */
  readonly outputTokens: number;
  readonly maxTokens: number;
  readonly finish: "stop" | "length" | "tool_call";
  readonly messageCount: number;
  readonly input: readonly Message[];
}

/** How long a client waits for an answer. */
const clientTimeoutSeconds = 60;

const failures = {
  rateLimit: failure("429", "Error code: 429 - Rate limit reached for requests", "openai.RateLimitError"),
  timeout: failure("timeout", "Request timed out.", "openai.APITimeoutError"),
  server: failure("500", "Error code: 500 - CUDA out of memory", "openai.InternalServerError"),
  overflow: failure(
    "400",
    "Error code: 400 - the request exceeds the available context size",
    "openai.BadRequestError",
  ),
  cancelled: failure("cancelled", "The request was cancelled by the client.", "asyncio.CancelledError"),
} as const;

function failure(type: string, message: string, exception: string): Failure {
  return { type, message, exception };
}

type Outcome = keyof typeof failures | "contentFilter" | "zeroTokens" | "well";

/** One attempt. @param attempt from 1. */
export function simulateCall(scene: Scene, request: ModelRequest, attempt: number): ModelCall {
  const { random, content } = scene;
  const outcome = request.kind === "chat" ? chatOutcome(scene, request, attempt) : "well";
  const timing = timingOf(scene, request);
  const common = {
    kind: request.kind,
    model: request.model,
    stream: request.stream,
    maxTokens: request.maxTokens,
    temperature: 0.7,
    queueSeconds: timing.queueSeconds,
    responseId: `chatcmpl-${random.hex(24)}`,
    conversationId: scene.conversation.id,
    messageCount: request.messageCount,
    cancelled: false,
    input: content === "none" ? [] : request.input,
    output: [],
  } as const satisfies Partial<ModelCall>;
  switch (outcome) {
    case "rateLimit":
      return { ...common, durationSeconds: random.between(0.05, 0.3), failure: failures.rateLimit };
    case "overflow":
      return { ...common, durationSeconds: random.between(0.01, 0.1), failure: failures.overflow };
    case "server":
      return {
        ...common,
        durationSeconds: random.between(0.05, 1) + timing.firstTokenSeconds,
        failure: failures.server,
      };
    case "timeout":
      return { ...common, durationSeconds: clientTimeoutSeconds, failure: failures.timeout };
    case "cancelled":
      return cancelled(scene, request, common, timing);
    case "contentFilter":
    case "zeroTokens":
    case "well":
      return answered(scene, request, common, timing, outcome);
  }
}

function chatOutcome(
  { settings, random, app, arrivalSeconds }: Scene,
  { model, stream }: ModelRequest,
  attempt: number,
): Outcome {
  const happens = (rate: number) => random.chance(rate * settings.failures);
  const rateLimit = attempt === 1 ? failureRates.rateLimit : failureRates.rateLimitAgain;
  if (model.engine === undefined && model.prefillRate === undefined && happens(rateLimit)) return "rateLimit";
  if (happens(failureRates.timeout)) return "timeout";
  if (happens(failureRates.serverError)) return "server";
  if (isOut(settings.seed, model, arrivalSeconds) && happens(failureRates.outageCall)) return "server";
  if (happens(failureRates.contextOverflow)) return "overflow";
  if (stream && happens(failureRates.cancel)) return "cancelled";
  if (happens(failureRates.contentFilter)) return "contentFilter";
  if (app.name === settings.badService && happens(failureRates.zeroTokens)) return "zeroTokens";
  return "well";
}

const outageSeconds = 30;

/** Whether the model is ill at that time: known from the seed alone, so that all its calls agree. */
function isOut(seed: number, model: Model, atSeconds: number): boolean {
  const window = Math.floor(atSeconds / outageSeconds);
  const name = [...model.name].reduce((sum, letter) => Math.imul(sum, 31) + letter.charCodeAt(0), 7);
  return new Random(seed, Math.imul(name, 0x9e3779b1) + window).chance(failureRates.outage);
}

interface Timing {
  readonly queueSeconds: number;
  readonly firstTokenSeconds: number;
  readonly tokenSeconds: number;
}

function timingOf({ random, arrivalSeconds }: Scene, { kind, model, inputTokens, cachedTokens }: ModelRequest): Timing {
  if (kind === "embeddings") {
    return { queueSeconds: 0, firstTokenSeconds: random.between(0.02, 0.08), tokenSeconds: 0 };
  }
  const tokenSeconds = random.logNormal(model.secondsPerToken, 0.25);
  if (model.prefillRate === undefined) {
    return { queueSeconds: 0, firstTokenSeconds: random.logNormal(0.8, 0.6), tokenSeconds };
  }
  const queueSeconds = waitFor(random, arrivalSeconds);
  const prefillSeconds = (inputTokens - cachedTokens) / model.prefillRate;
  return { queueSeconds, firstTokenSeconds: queueSeconds + prefillSeconds + tokenSeconds, tokenSeconds };
}

/** Time in an engine's queue: its load swings over ten minutes; there is none while it is low. */
function waitFor(random: Random, atSeconds: number): number {
  const load = 0.45 + 0.3 * Math.sin((2 * Math.PI * atSeconds) / 600);
  return load < 0.5 ? 0 : random.exponential((load / (1 - load)) * 0.3);
}

type Common = Omit<ModelCall, "durationSeconds">;

function answered(
  { random, content }: Scene,
  request: ModelRequest,
  common: Common,
  timing: Timing,
  outcome: "well" | "contentFilter" | "zeroTokens",
): ModelCall {
  const isChat = request.kind === "chat";
  const isLong = isChat && outcome === "well" && request.finish === "stop" && random.chance(lengthStopRate);
  const outputTokens = !isChat || outcome === "zeroTokens" ? 0 : request.outputTokens;
  const characters = content === "whole" ? outputTokens * 4 : Math.min(outputTokens * 4, 120);
  return {
    ...common,
    maxTokens: isLong ? outputTokens : request.maxTokens,
    durationSeconds: timing.firstTokenSeconds + Math.max(0, outputTokens - 1) * timing.tokenSeconds,
    firstTokenSeconds: timing.firstTokenSeconds,
    usage: { ...inputOf(request), outputTokens, reasoningTokens: 0 },
    ...(isChat && { finish: outcome === "contentFilter" ? "content_filter" : isLong ? "length" : request.finish }),
    output: isChat && content !== "none" && outputTokens > 0 ? [message(random, "assistant", characters)] : [],
  };
}

function inputOf({ inputTokens, cachedTokens }: ModelRequest) {
  return { inputTokens, cachedTokens };
}

/** The client went away while the answer streamed. Half of the instrumentations call that an error. */
function cancelled({ random }: Scene, request: ModelRequest, common: Common, timing: Timing): ModelCall {
  const outputTokens = random.integer(1, request.outputTokens);
  return {
    ...common,
    cancelled: true,
    durationSeconds: timing.firstTokenSeconds + (outputTokens - 1) * timing.tokenSeconds,
    firstTokenSeconds: timing.firstTokenSeconds,
    usage: { ...inputOf(request), outputTokens, reasoningTokens: 0 },
    finish: "abort",
    ...(random.chance(0.5) && { failure: failures.cancelled }),
  };
}
