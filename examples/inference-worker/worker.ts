import {
  type Attributes,
  context,
  type Histogram,
  type MeterProvider,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
} from "@opentelemetry/api";
import {
  buckets,
  contentAttributes,
  pointAttributes,
  requestAttributes,
  responseAttributes,
  type Server,
} from "./conventions.ts";
import { InferenceError } from "./inference_error.ts";
import { type ChatRequest, type ChatResponse, complete } from "./openai.ts";

/** What a worker needs; the providers are OpenTelemetry's, set up by the caller. */
export interface WorkerSettings {
  /** Base URL of an OpenAI-compatible server, such as `http://127.0.0.1:8090`. */
  readonly serverUrl: string;
  /** `gen_ai.provider.name`, such as `llama_cpp`, `vllm` or `ollama`. */
  readonly provider: string;
  readonly tracerProvider: TracerProvider;
  readonly meterProvider: MeterProvider;
  /** Puts prompts and answers on spans. They may hold personal data: off unless asked for. */
  readonly captureContent?: boolean;
  /** Sent as a bearer token. */
  readonly apiKey?: string;
}

/** What a single call may add. */
export interface ChatOptions {
  /** Cancels the request, also in the middle of a stream. */
  readonly signal?: AbortSignal;
  /** Called for each piece of a streamed answer. */
  readonly onText?: (text: string) => void;
  /** Receives the request's span as soon as it has started, to note its ids. */
  readonly onSpan?: (span: Span) => void;
}

const nothingYet: ChatResponse = { texts: [], finishReasons: [], secondsBetweenChunks: [] };
const scope = { name: "otelpipe-inference-worker", version: "1.0.0" };

/**
 * A client for OpenAI-compatible inference servers that tells OpenTelemetry about every request: a CLIENT span
 * `chat {model}` under the active span, and the GenAI client metrics. `runWorkflow` and `runAgent` give it parents.
 *
 * @see OpenTelemetry GenAI conventions 1.41: `gen-ai-spans.md`, `gen-ai-agent-spans.md`, `gen-ai-metrics.md`.
 */
export class InferenceWorker {
  readonly #settings: WorkerSettings;
  readonly #server: Server;
  readonly #tracer: Tracer;
  readonly #metrics: ClientMetrics;

  constructor(settings: WorkerSettings) {
    const { hostname, port, protocol } = new URL(settings.serverUrl);
    this.#settings = settings;
    this.#server = {
      provider: settings.provider,
      address: hostname.replace(/^\[|\]$/g, ""),
      port: port === "" ? (protocol === "https:" ? 443 : 80) : Number(port),
    };
    this.#tracer = settings.tracerProvider.getTracer(scope.name, scope.version);
    this.#metrics = clientMetrics(settings.meterProvider);
  }

  /** Runs `work` in a span `invoke_workflow {name}`; the name should be one of few. */
  async runWorkflow<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    const attributes = { "gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": name };
    return await this.#inSpan(`invoke_workflow ${name}`, SpanKind.INTERNAL, attributes, work);
  }

  /** Runs `work` in a span `invoke_agent {name}`, for an agent that lives in this process. */
  async runAgent<Result>(name: string, work: () => Promise<Result>, conversationId?: string): Promise<Result> {
    const attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.provider.name": this.#server.provider,
      "gen_ai.agent.name": name,
      ...(conversationId === undefined ? {} : { "gen_ai.conversation.id": conversationId }),
    };
    return await this.#inSpan(`invoke_agent ${name}`, SpanKind.INTERNAL, attributes, work);
  }

  /**
   * Sends one chat completion, streamed when `request.stream` says so.
   *
   * @throws {InferenceError} after the failure was recorded on the span and in the duration metric.
   */
  async chat(request: ChatRequest, options: ChatOptions = {}): Promise<ChatResponse> {
    const began = performance.now();
    const attributes = requestAttributes(request, this.#server);
    return await this.#inSpan(`chat ${request.model}`, SpanKind.CLIENT, attributes, async (span) => {
      options.onSpan?.(span);
      try {
        const response = await complete(request, {
          url: this.#settings.serverUrl,
          headers: this.#headers(),
          signal: options.signal,
          onText: options.onText,
        });
        this.#describe(span, request, response);
        this.#measure(request, began, response);
        return response;
      } catch (error) {
        this.#describe(span, request, (error instanceof InferenceError && error.partial) || nothingYet);
        this.#measureFailure(request, began, errorType(error));
        throw error;
      }
    });
  }

  /** Carries the trace to the server: those that trace themselves continue it. */
  #headers(): Record<string, string> {
    const headers: Record<string, string> = {};
    propagation.inject(context.active(), headers);
    if (this.#settings.apiKey !== undefined) headers["authorization"] = `Bearer ${this.#settings.apiKey}`;
    return headers;
  }

  #describe(span: Span, request: ChatRequest, response: ChatResponse): void {
    span.setAttributes(responseAttributes(response));
    if (this.#settings.captureContent === true) span.setAttributes(contentAttributes(request, response));
  }

  #measure(request: ChatRequest, began: number, response: ChatResponse): void {
    const attributes = pointAttributes(request, this.#server, response.model);
    const { usage, secondsToFirstChunk, secondsBetweenChunks } = response;
    this.#metrics.duration.record((performance.now() - began) / 1000, attributes);
    if (secondsToFirstChunk !== undefined) this.#metrics.firstChunk.record(secondsToFirstChunk, attributes);
    for (const seconds of secondsBetweenChunks) this.#metrics.laterChunk.record(seconds, attributes);
    if (usage === undefined) return;
    this.#metrics.tokens.record(usage.inputTokens, { ...attributes, "gen_ai.token.type": "input" });
    this.#metrics.tokens.record(usage.outputTokens, { ...attributes, "gen_ai.token.type": "output" });
  }

  #measureFailure(request: ChatRequest, began: number, type: string): void {
    const attributes = { ...pointAttributes(request, this.#server, undefined), "error.type": type };
    this.#metrics.duration.record((performance.now() - began) / 1000, attributes);
  }

  async #inSpan<Result>(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    work: (span: Span) => Promise<Result>,
  ): Promise<Result> {
    return await this.#tracer.startActiveSpan(name, { kind, attributes }, async (span) => {
      try {
        return await work(span);
      } catch (error) {
        recordFailure(span, error);
        throw error;
      } finally {
        span.end();
      }
    });
  }
}

interface ClientMetrics {
  readonly tokens: Histogram;
  readonly duration: Histogram;
  readonly firstChunk: Histogram;
  readonly laterChunk: Histogram;
}

function clientMetrics(provider: MeterProvider): ClientMetrics {
  const meter = provider.getMeter(scope.name, scope.version);
  const seconds = { unit: "s", advice: { explicitBucketBoundaries: buckets.seconds } };
  return {
    tokens: meter.createHistogram("gen_ai.client.token.usage", {
      description: "Tokens used by one request.",
      unit: "{token}",
      advice: { explicitBucketBoundaries: buckets.tokens },
    }),
    duration: meter.createHistogram("gen_ai.client.operation.duration", {
      description: "How long one request took.",
      ...seconds,
    }),
    firstChunk: meter.createHistogram("gen_ai.client.operation.time_to_first_chunk", {
      description: "From sending a request to the first chunk of its answer.",
      ...seconds,
    }),
    laterChunk: meter.createHistogram("gen_ai.client.operation.time_per_output_chunk", {
      description: "The pause before each later chunk of an answer.",
      ...seconds,
    }),
  };
}

function recordFailure(span: Span, error: unknown): void {
  const failure = error instanceof Error ? error : new Error(String(error));
  span.recordException(failure);
  span.setAttribute("error.type", errorType(error));
  span.setStatus({ code: SpanStatusCode.ERROR, message: failure.message });
}

function errorType(error: unknown): string {
  if (error instanceof InferenceError) return error.errorType;
  return error instanceof Error ? error.name : "_OTHER";
}
