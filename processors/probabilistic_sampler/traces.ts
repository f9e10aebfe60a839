import { attributeKeys, editSpans, randomness, type SpanEditor, type Traces } from "../../pipeline/pdata/index.ts";
import { always, type Bits56, fromHex, never, thresholdText, toBigInt, toHex } from "./bits56.ts";
import { bucketCount, bucketsOf, hashRandomness } from "./hash.ts";
import { judge, type Sampler } from "./sampler.ts";
import type { Tally } from "./tally.ts";
import { formatTraceState, parseTraceState, type TraceState } from "./tracestate.ts";

const keys = attributeKeys({ priority: "sampling.priority" });

/**
 * Samples spans by their trace ids and writes into the tracestate of those kept with which threshold that was done.
 * The attribute `sampling.priority` overrides: zero drops the span, more than zero keeps it.
 */
export function traceSampler(sampler: Sampler, hashSeed: number): (data: Traces, tally: Tally) => Traces {
  const readTraceState = remembered(parseOrError);
  const plain = plainSampler(sampler, hashSeed);

  function sampleByRules(span: SpanEditor, forced: Bits56 | undefined, tally: Tally): void {
    const text = span.traceState;
    const arrived = readTraceState(text);
    const verdict = judge(sampler, {
      own: ownRandomness(span, sampler, hashSeed),
      arrived:
        arrived instanceof Error ? arrived : { randomness: arrived.randomness?.bits, threshold: arrived.threshold },
      forced,
    });
    tally.add(verdict.policy, verdict.keep, verdict.problem);
    if (!verdict.keep) span.drop();
    if (verdict.marks === undefined || arrived instanceof Error) return;
    const marked = formatTraceState(arrived, verdict.marks.randomness, verdict.marks.threshold);
    if (marked !== text) span.setTraceState(marked);
  }

  return (data, tally) =>
    editSpans(data, (span) => {
      const forced = priorityThreshold(span);
      if (forced === undefined && plain?.(span, tally) === true) return;
      sampleByRules(span, forced, tally);
    });
}

/** Decides what nearly all spans are: a trace id, no tracestate. Says whether it did. */
function plainSampler(sampler: Sampler, hashSeed: number): ((span: SpanEditor, tally: Tally) => boolean) | undefined {
  const { mode, threshold } = sampler;
  const th = thresholdText(threshold);
  if (mode === "never") return undefined;
  if (mode === "hash_seed") {
    const kept = bucketsOf(threshold);
    return (span, tally) => {
      if (span.traceState !== "" || span.traceId.isEmpty) return false;
      const hash = span.traceId.fnv1a(hashSeed);
      const keep = (hash & (bucketCount - 1)) < kept;
      tally.add("trace_id_hash", keep, undefined);
      if (keep) span.setTraceState(`ot=rv:${toHex(hashRandomness(hash))};th:${th}`);
      else span.drop();
      return true;
    };
  }
  const mark = `ot=th:${th}`;
  const limit = randomness(toBigInt(threshold));
  return (span, tally) => {
    if (span.traceState !== "" || span.traceId.isEmpty) return false;
    const keep = span.traceId.atLeast(limit);
    tally.add("trace_id_w3c", keep, undefined);
    if (keep) span.setTraceState(mark);
    else span.drop();
    return true;
  };
}

function ownRandomness(span: SpanEditor, sampler: Sampler, hashSeed: number) {
  if (span.traceId.isEmpty) return undefined;
  return sampler.mode === "hash_seed"
    ? { bits: hashRandomness(span.traceId.fnv1a(hashSeed)), policy: "trace_id_hash" }
    : { bits: idRandomness(span.traceId.hex()), policy: "trace_id_w3c" };
}

/** The last 56 bits of a trace id of 32 hex digits. */
export function idRandomness(traceId: string): Bits56 {
  return fromHex(traceId.slice(-14)) ?? always;
}

/** `sampling.priority` as a number or a text that is one: 0 drops, more keeps, anything else does not matter. */
function priorityThreshold(span: SpanEditor): Bits56 | undefined {
  const value = span.value(keys.priority);
  if (value === undefined || value === null || typeof value === "object" || typeof value === "boolean")
    return undefined;
  const priority =
    typeof value === "string" ? (value.trim() === value && value !== "" ? Number(value) : Number.NaN) : Number(value);
  if (priority === 0) return never;
  return priority > 0 ? always : undefined;
}

function parseOrError(text: string): TraceState | Error {
  try {
    return parseTraceState(text);
  } catch (error) {
    return error as Error;
  }
}

/** The spans of a trace follow each other with the same tracestate: the last answer is kept. */
function remembered<T>(read: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly result: T } | undefined;
  return (text) => {
    if (last?.text !== text) last = { text, result: read(text) };
    return last.result;
  };
}
