import type { Draft } from "../../pipeline/attributes_actions/draft.ts";
import { plainValue, type TypedValue } from "../../pipeline/attributes_actions/typed_value.ts";
import { attributeKeys, double, type Span } from "../../pipeline/pdata/index.ts";
import { numberOf, tokensOf } from "./coerce.ts";
import { renamer, type Source, type SourceSettings } from "./source.ts";
import { type MappingTable, operationNames, providerNames } from "./tables.ts";

const inputTokens = "gen_ai.usage.input_tokens";
const outputTokens = "gen_ai.usage.output_tokens";

/** What the instrumentation of llamatelemetry writes, in both its spellings: notebooks and library. */
const table: MappingTable = {
  mappings: {
    "llm.system": "gen_ai.provider.name",
    "llm.usage.input_tokens": inputTokens,
    "llm.input.tokens": inputTokens,
    "llm.usage.output_tokens": outputTokens,
    "llm.output.tokens": outputTokens,
    "llm.response.finish_reason": "gen_ai.response.finish_reasons",
    "llm.finish_reason": "gen_ai.response.finish_reasons",
    "llm.request.max_tokens": "gen_ai.request.max_tokens",
    "llm.max_tokens": "gen_ai.request.max_tokens",
    "llm.request.temperature": "gen_ai.request.temperature",
    "llm.temperature": "gen_ai.request.temperature",
    "llm.top_p": "gen_ai.request.top_p",
    "llm.top_k": "gen_ai.request.top_k",
    "llm.batch_size": "otelpipe.batch.size",
  },
  values: { "gen_ai.provider.name": providerNames },
  lowerCase: ["gen_ai.provider.name"],
  respelled: { "gen_ai.operation.name": operationNames },
};

/** Milliseconds that become seconds. */
const durations = {
  "llm.ttft_ms": "gen_ai.response.time_to_first_chunk",
  "llm.ttfb_ms": "gen_ai.response.time_to_first_chunk",
  "llama.ttfb_ms": "gen_ai.response.time_to_first_chunk",
  "llm.prompt_ms": "otelpipe.latency.prefill",
  "llm.generation_ms": "otelpipe.latency.decode",
  "llm.latency_ms": "otelpipe.latency.e2e",
} as const;

/** Operations by how a span's name begins. */
const operations = [
  ["llm.chat", "chat"],
  ["llm.completion", "text_completion"],
  ["llm.inference", "text_completion"],
  ["llm.embed", "embeddings"],
] as const;

/** Attributes by which other dialects are known: their `llm.*` is not this one's. */
const otherDialects = [
  "openinference.span.kind",
  "traceloop.span.kind",
  "langsmith.span.kind",
  "langfuse.observation.type",
];

/** Attributes one of which every span of this dialect has. */
const marks = ["llm.system", "llm.model", "llm.latency_ms", "llm.batch_size", "llamacpp.endpoint"];

const resourceKeys = attributeKeys({ model: "model.name", modelPath: "llama_cpp.model_path" });
const eventKeys = attributeKeys({ type: "exception.type" });

/**
 * Makes the source `llamatelemetry`: the `llm.*` attributes of its notebooks and its library. Beyond renaming it
 * - names the operation after the span (`llm.chat.…` is a chat) and the workflow after a batch span;
 * - takes a model called `unknown` from the resource;
 * - turns milliseconds into seconds, a missing side of the token count into total minus the other;
 * - gives failed spans an `error.type`;
 * - lists in `otelpipe.conflict` the token counts that came twice and differ, in `otelpipe.estimated` those guessed.
 */
export function llamatelemetrySource(settings: SourceSettings, draft: Draft): Source {
  const rename = renamer(table, settings, draft);
  const others = otherDialects.map((name) => draft.slot(name));
  const marked = marks.map((name) => draft.slot(name));
  const steps = [
    flagConflicts(draft),
    rename,
    convertDurations(settings, draft),
    completeTokens(draft),
    nameModel(settings, draft),
    nameOperation(draft),
    markStreaming(settings, draft),
    nameError(draft),
  ];
  return {
    name: "llamatelemetry",
    normalizeSpan(of, span) {
      if (others.some((slot) => of.has(slot))) return false;
      if (!marked.some((slot) => of.has(slot)) && !span.name.startsWith("llm.batch")) return false;
      let changed = false;
      for (const step of steps) changed = step(of, span) || changed;
      return changed;
    },
    normalizeEvent: rename,
  };
}

type Step = (draft: Draft, span: Span) => boolean;

/** Notes token counts whose present and former attribute disagree; the present one stays. */
function flagConflicts(draft: Draft): Step {
  const flag = draft.slot("otelpipe.conflict");
  const pairs = Object.entries(table.mappings)
    .filter(([, target]) => target === inputTokens || target === outputTokens)
    .map(([from, target]) => ({ from: draft.slot(from), to: draft.slot(target), target }));
  return (of) => {
    const differing = pairs.filter(({ from, to }) => {
      const [former, present] = [tokensAt(of, from), tokensAt(of, to)];
      return former !== undefined && present !== undefined && former !== present;
    });
    return addNames(
      of,
      flag,
      differing.map(({ target }) => target),
    );
  };
}

function tokensAt(draft: Draft, slot: number): number | undefined {
  const value = draft.read(slot);
  const tokens = value === undefined ? undefined : tokensOf(value);
  return tokens === undefined ? undefined : Number(tokens);
}

/** Adds names to a list attribute that are not in it. */
function addNames(draft: Draft, slot: number, names: readonly string[]): boolean {
  const present = draft.read(slot);
  const listed = Array.isArray(present) ? present.filter((entry) => typeof entry === "string") : [];
  const missing = [...new Set(names)].filter((name) => !listed.includes(name));
  if (missing.length === 0) return false;
  draft.set(slot, [...listed, ...missing]);
  return true;
}

function convertDurations(settings: SourceSettings, draft: Draft): Step {
  const rules = Object.entries(durations).map(([from, to]) => ({ from: draft.slot(from), to: draft.slot(to) }));
  return (of) => {
    let changed = false;
    for (const { from, to } of rules) {
      const value = of.read(from);
      const milliseconds = value === undefined ? undefined : numberOf(value);
      if (milliseconds === undefined || !(milliseconds >= 0) || (of.has(to) && !settings.overwrite)) continue;
      of.set(to, double(milliseconds / 1000));
      if (settings.removeOriginals) of.delete(from);
      changed = true;
    }
    return changed;
  };
}

/** Derives one side from the total and the other; as a last resort takes the count of words for the input. */
function completeTokens(draft: Draft): Step {
  const input = draft.slot(inputTokens);
  const output = draft.slot(outputTokens);
  const total = draft.slot("llm.total_tokens");
  const words = draft.slot("llm.input.tokens_approx");
  const flag = draft.slot("otelpipe.estimated");
  return (of) => {
    const sum = tokensAt(of, total);
    if (sum !== undefined && of.has(input) !== of.has(output)) {
      const [known, missing] = of.has(input) ? [input, output] : [output, input];
      const rest = sum - (tokensAt(of, known) ?? Number.POSITIVE_INFINITY);
      if (rest >= 0) {
        of.set(missing, rest);
        return true;
      }
    }
    const guess = of.has(input) ? undefined : tokensAt(of, words);
    if (guess === undefined) return false;
    of.set(input, guess);
    addNames(of, flag, [inputTokens]);
    return true;
  };
}

const noModel = new Set(["", "unknown", "None"]);

function nameModel(settings: SourceSettings, draft: Draft): Step {
  const from = draft.slot("llm.model");
  const to = draft.slot("gen_ai.request.model");
  return (of, span) => {
    const given = of.read(from);
    if (typeof given !== "string" || (of.has(to) && !settings.overwrite)) return false;
    of.set(to, noModel.has(given) ? (resourceModel(span) ?? "unknown") : given);
    if (settings.removeOriginals) of.delete(from);
    return true;
  };
}

function resourceModel({ resource }: Span): string | undefined {
  const path = resource.string(resourceKeys.modelPath)?.split(/[/\\]/).at(-1);
  return resource.string(resourceKeys.model) || path || undefined;
}

function nameOperation(draft: Draft): Step {
  const operation = draft.slot("gen_ai.operation.name");
  const workflow = draft.slot("gen_ai.workflow.name");
  return (of, { name }) => {
    if (name.startsWith("llm.batch")) return setOnce(of, workflow, name);
    const meant = operations.find(([prefix]) => name === prefix || name.startsWith(`${prefix}.`))?.[1];
    return meant !== undefined && setOnce(of, operation, meant);
  };
}

function setOnce(draft: Draft, slot: number, value: TypedValue): boolean {
  if (draft.has(slot)) return false;
  draft.set(slot, value);
  return true;
}

/** The conventions say only that a request streams, never that it does not. */
function markStreaming(settings: SourceSettings, draft: Draft): Step {
  const from = draft.slot("llm.stream");
  const to = draft.slot("gen_ai.request.stream");
  return (of) => {
    const streams = of.read(from);
    if (typeof streams !== "boolean") return false;
    if (streams && !of.has(to)) of.set(to, true);
    else if (!settings.removeOriginals) return false;
    if (settings.removeOriginals) of.delete(from);
    return true;
  };
}

const errorStatus = 2;

/** Errors by the words of the library's `llm.error`. */
const errorClasses = [
  [/time(d)?\s*-?out/i, "timeout"],
  [/rate.?limit|too many requests|\b429\b/i, "rate_limit"],
  [/context (length|size|window)|exceed_context/i, "context_length"],
  [/connect|refused|reset by peer|unreachable/i, "connection"],
  [/cancel/i, "cancelled"],
] as const;

function nameError(draft: Draft): Step {
  const to = draft.slot("error.type");
  const text = draft.slot("llm.error");
  return (of, span) => {
    const message = of.read(text);
    if (span.statusCode !== errorStatus && message === undefined) return false;
    return setOnce(of, to, exceptionType(span) ?? errorClass(message) ?? "_OTHER");
  };
}

/** The type that the last exception event names. */
function exceptionType(span: Span): string | undefined {
  let type: string | undefined;
  for (const event of span.eventCount === 0 ? [] : span.events()) {
    if (event.name === "exception") type = event.string(eventKeys.type) || type;
  }
  return type;
}

function errorClass(message: TypedValue | undefined): string | undefined {
  const text = message === undefined ? undefined : plainValue(message);
  if (typeof text !== "string") return undefined;
  return errorClasses.find(([words]) => words.test(text))?.[1] ?? /\b[45]\d\d\b/.exec(text)?.[0];
}
