import type { Failure, ModelCall } from "./operations.ts";
import { begin, type Scene } from "./scene.ts";
import type { Model, Scope } from "./services.ts";
import { type ModelRequest, simulateCall } from "./simulate_call.ts";
import { asDouble, type Span, type SpanFacts, spanKind, spanStatus } from "./span.ts";

/** What came of a request, its repetitions included. */
export interface Called {
  readonly endSeconds: number;
  readonly failure: Failure | undefined;
  /** What the answers reported, all attempts together. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly span: Span;
  readonly answer: ModelCall;
}

const mostAttempts = 3;

/** Has a model called: one span for each attempt, with the engine's own below it where it is ours. */
export function callModel(scene: Scene, parent: Span, atSeconds: number, request: ModelRequest): Called {
  const { random, trace, dialect, app } = scene;
  let startSeconds = atSeconds;
  let inputTokens = 0;
  let outputTokens = 0;
  const origin = { service: app, scope: dialect.scope };
  let wrapper: Span | undefined;
  for (let attempt = 1; ; attempt++) {
    const call = simulateCall(scene, request, attempt);
    const wrapText = dialect.wrap?.(call);
    if (wrapText !== undefined) {
      wrapper ??= trace.start(parent, origin, wrapText, startSeconds - 0.0005, { operation: "wrapper" });
      wrapper.text = wrapText;
      wrapper.facts.usage = usageOf("sum", "", call);
      labelSecrets(wrapper, call);
    }
    const span = begin(scene, wrapper ?? parent, call, startSeconds, factsOf(call));
    const endSeconds = startSeconds + call.durationSeconds + 0.004;
    span.end(endSeconds);
    labelSecrets(span, call);
    traceEngine(scene, span, call, startSeconds, endSeconds);
    inputTokens += call.usage?.inputTokens ?? 0;
    outputTokens += call.usage?.outputTokens ?? 0;
    if (call.failure?.type !== "429" || attempt === mostAttempts) {
      wrapper?.end(endSeconds + 0.0005);
      const lastSeconds = wrapper === undefined ? endSeconds : endSeconds + 0.0005;
      return { endSeconds: lastSeconds, failure: call.failure, inputTokens, outputTokens, span, answer: call };
    }
    startSeconds = endSeconds + 2 ** (attempt - 1) * random.between(0.5, 1.5);
  }
}

function usageOf(role: "request" | "engine" | "sum", model: string, { usage }: ModelCall) {
  return { role, model, inputTokens: usage?.inputTokens ?? 0, outputTokens: usage?.outputTokens ?? 0 };
}

function factsOf(call: ModelCall): Partial<SpanFacts> {
  return {
    usage: usageOf("request", call.model.name, call),
    finish: call.finish,
    failure: call.failure?.type ?? (call.cancelled ? "cancelled" : undefined),
  };
}

/** Notes what of the planted personal data the span carries: not every dialect writes every text. */
function labelSecrets(span: Span, call: ModelCall): void {
  const planted = [...call.input, ...call.output].flatMap((each) => each.secrets);
  if (planted.length === 0) return;
  const texts = Object.values(span.text.attributes).filter((value) => typeof value === "string");
  const carried = planted.filter(({ value }) => texts.some((text) => text.includes(value)));
  if (carried.length > 0) span.facts.secrets = carried;
}

const engineScope: Scope = { name: "vllm.llm_engine", version: "0.11.0" };

/** The span that vLLM writes for a request it has taken in. */
function traceEngine(scene: Scene, parent: Span, call: ModelCall, startSeconds: number, endSeconds: number): void {
  const { engine } = call.model as Model;
  if (engine === undefined || call.kind !== "chat" || call.failure?.type === "400") return;
  const broken = call.failure?.type === "500";
  const span = scene.trace.start(
    parent,
    { service: engine, scope: engineScope },
    {
      name: "llm_request",
      kind: spanKind.server,
      attributes: engineAttributes(call),
      ...(broken && { status: spanStatus.error, statusMessage: "CUDA out of memory" }),
    },
    startSeconds + 0.002,
    {
      operation: "llm_request",
      usage: usageOf("engine", "", call),
      ...(broken && { failure: "500" }),
    },
  );
  span.end(endSeconds - 0.001);
}

function engineAttributes(call: ModelCall) {
  const { usage, firstTokenSeconds, queueSeconds, durationSeconds } = call;
  const decoded = firstTokenSeconds === undefined ? undefined : durationSeconds - firstTokenSeconds;
  return {
    "gen_ai.request.id": call.responseId,
    "gen_ai.response.model": call.model.responseName,
    "gen_ai.request.max_tokens": call.maxTokens,
    "gen_ai.request.temperature": asDouble(call.temperature),
    "gen_ai.request.n": 1,
    "gen_ai.usage.prompt_tokens": usage?.inputTokens,
    "gen_ai.usage.completion_tokens": usage?.outputTokens,
    "gen_ai.latency.time_in_queue": asDouble(queueSeconds),
    "gen_ai.latency.time_to_first_token": firstTokenSeconds === undefined ? undefined : asDouble(firstTokenSeconds),
    "gen_ai.latency.time_in_model_decode": decoded === undefined ? undefined : asDouble(decoded),
    "gen_ai.latency.e2e": asDouble(durationSeconds),
  };
}
