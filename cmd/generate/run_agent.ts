import { callModel } from "./model_call.ts";
import type { Failure, OperationOf } from "./operations.ts";
import { begin, finish, type Scene } from "./scene.ts";
import { type Model, models } from "./services.ts";
import { failureRates } from "./settings.ts";
import { texts, tokens } from "./shapes/requests.ts";
import type { Span } from "./span.ts";
import { drawTool, executeTool, type ToolUse } from "./tool_call.ts";

export interface AgentRun {
  readonly endSeconds: number;
  readonly failure: Failure | undefined;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly span: Span;
}

/** Above this many tokens an agent sums up what went before and goes on with the summary. */
const compactionTokens = 180_000;
/** Share of the calls that miss the prompt cache. */
const cacheMissShare = 0.02;
const mostSteps = 60;

/**
 * An agent at work: it calls the model and then the tools the model asked for, until the model has nothing to ask for.
 * What the model is given grows with every step.
 */
export function runAgent(scene: Scene, parent: Span, atSeconds: number, agent: string, meanSteps: number): AgentRun {
  const { random, settings, conversation, dialect } = scene;
  const describe = (total: OperationOf<"agent">["total"], failure: Failure | undefined) =>
    ({ kind: "agent", agent, conversationId: conversation.id, total, failure }) as const;
  const span = begin(scene, parent, describe(undefined, undefined), atSeconds);
  const loops = random.chance(failureRates.loop * settings.failures);
  const steps = loops ? random.integer(3, 20) : Math.min(mostSteps, random.geometric(meanSteps));
  const looped = loops ? drawTool(random) : undefined;
  if (looped !== undefined) span.facts.loop = { tool: looped.tool, repeats: steps };
  const state: Progress = { now: atSeconds + 0.001, inputTokens: 0, outputTokens: 0, failure: undefined };
  const context = new Context(scene);
  for (let step = 1; step <= steps && state.failure === undefined; step++) {
    takeStep(scene, span, state, context, step === steps && !loops, looped);
  }
  const endSeconds = state.now + 0.001;
  const { failure, inputTokens, outputTokens } = state;
  const total = dialect.sumsAgents === true && random.chance(0.5) ? { inputTokens, outputTokens } : undefined;
  finish(scene, span, describe(total, failure), endSeconds);
  if (total !== undefined) span.facts.usage = { role: "sum", model: "", ...total };
  return { endSeconds, failure, inputTokens, outputTokens, span };
}

interface Progress {
  now: number;
  inputTokens: number;
  outputTokens: number;
  failure: Failure | undefined;
}

/** What the agent's model is given: all that went before, and what has come since. */
class Context {
  readonly model: Model;
  #prefix: number;
  readonly #random: Scene["random"];

  constructor({ random, dialect }: Scene) {
    this.#random = random;
    this.model =
      dialect.name === "llamatelemetry" ? models.t4Named : models[random.weighted({ frontierAgent: 60, large: 40 })];
    this.#prefix = tokens(random, 10_000, 0.6, 1000, compactionTokens);
  }

  /** The tokens of the next call: all, and those that the cache has. */
  next(): { inputTokens: number; cachedTokens: number } {
    const appended = tokens(this.#random, 857, 1.428, 1, 60_000);
    const cachedTokens = this.#random.chance(cacheMissShare) ? 0 : this.#prefix;
    this.#prefix += appended;
    return { inputTokens: this.#prefix, cachedTokens };
  }

  answered(outputTokens: number): void {
    this.#prefix += outputTokens;
    if (this.#prefix > compactionTokens) this.#prefix = 20_000;
  }
}

/** One call of the model and the tools it asks for. */
function takeStep(
  scene: Scene,
  agent: Span,
  state: Progress,
  context: Context,
  isLast: boolean,
  looped: ToolUse | undefined,
): void {
  const { random, settings } = scene;
  const { inputTokens, cachedTokens } = context.next();
  const called = callModel(scene, agent, state.now, {
    kind: "chat",
    model: context.model,
    stream: random.chance(0.6),
    inputTokens,
    cachedTokens,
    outputTokens: tokens(random, 252, 1.476, 1, 8192),
    maxTokens: 8192,
    finish: isLast ? "stop" : "tool_call",
    messageCount: 2,
    input: texts(scene, inputTokens),
  });
  state.now = called.endSeconds + 0.001;
  state.inputTokens += called.inputTokens;
  state.outputTokens += called.outputTokens;
  state.failure = called.failure;
  context.answered(called.outputTokens);
  if (called.failure !== undefined || isLast) return;
  for (let left = looped === undefined ? 1 + random.poisson(0.2) : 1; left > 0; left--) {
    const fails = looped === undefined && random.chance(failureRates.tool * settings.failures);
    const outcome = !fails ? "well" : random.chance(failureRates.toolContained) ? "handled" : "fatal";
    state.now = executeTool(scene, agent, state.now, looped ?? drawTool(random), outcome) + 0.001;
    if (outcome !== "fatal") continue;
    state.failure = { type: "tool_error", message: "A tool failed.", exception: "AgentError" };
    return;
  }
}
