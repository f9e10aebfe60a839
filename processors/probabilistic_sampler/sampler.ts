import { always, type Bits56, greatest, never, passes, probabilityOf, thresholdOf } from "./bits56.ts";
import { bucketThreshold, keptBuckets } from "./hash.ts";

export type Mode = "hash_seed" | "equalizing" | "proportional";

export interface SamplerSettings {
  readonly percentage: number;
  readonly mode: Mode;
  readonly precision: number;
  readonly failClosed: boolean;
}

/** How a sampler judges, compiled from its settings. */
export interface Sampler {
  /** `never` is what 0 % makes of any mode: only a priority lets an item pass. */
  readonly mode: Mode | "never";
  readonly failClosed: boolean;
  /** The threshold of an item that arrives without one. */
  readonly threshold: Bits56;
  /** The threshold of an item that has passed `arriving` already. */
  resample(arriving: Bits56): Bits56;
}

/** Compiles a sampler. Percentages of 100 and more keep everything; in hash_seed mode what is under 1/16384 keeps nothing. */
export function makeSampler({ percentage, mode, precision, failClosed }: SamplerSettings): Sampler {
  const ratio = Math.max(Math.fround(Math.min(percentage, 100)) / 100, 2 ** -56);
  const fixed = (threshold: Bits56): Sampler => ({ mode, failClosed, threshold, resample: () => threshold });
  if (percentage === 0) return { ...fixed(never), mode: "never" };
  if (mode === "hash_seed") {
    const kept = keptBuckets(percentage);
    return kept === 0 ? { ...fixed(never), mode: "never" } : fixed(bucketThreshold(kept));
  }
  const threshold = thresholdOf(ratio, precision) ?? never;
  if (mode === "equalizing") {
    return { ...fixed(threshold), resample: (arriving) => (passes(arriving, threshold) ? arriving : threshold) };
  }
  return {
    ...fixed(threshold),
    resample: (arriving) => thresholdOf(probabilityOf(arriving) * ratio, precision) ?? never,
  };
}

/** What one span or log record brings to its judgement. */
export interface Candidate {
  /** Randomness of its trace id or attribute; undefined when there is none. */
  readonly own: { readonly bits: Bits56; readonly policy: string } | undefined;
  /** What earlier samplers left on it, or why that could not be read. */
  readonly arrived: { readonly randomness: Bits56 | undefined; readonly threshold: Bits56 | undefined } | Error;
  /** The threshold that a priority asks for instead. */
  readonly forced: Bits56 | undefined;
}

export interface Verdict {
  readonly keep: boolean;
  /** What the decision was based on, for the metric. */
  readonly policy: string;
  readonly problem: string | undefined;
  /** What a kept item shall say from now on; undefined: leave it as it is. */
  readonly marks: { readonly randomness: Bits56 | undefined; readonly threshold: Bits56 | undefined } | undefined;
}

/** Judges an item by what it brings. The rare ways are all here; callers may take short cuts for the plain ones. */
export function judge(sampler: Sampler, { own, arrived, forced }: Candidate): Verdict {
  const readable = arrived instanceof Error ? undefined : arrived;
  const hashing = sampler.mode === "hash_seed";
  const inUse = hashing && readable !== undefined ? problemOfUse(readable) : undefined;
  const source = sourceOf(sampler, own, readable?.randomness);
  const inconsistent =
    inUse === undefined &&
    source !== undefined &&
    readable?.threshold !== undefined &&
    !passes(source.bits, readable.threshold);
  const problem =
    (arrived instanceof Error ? arrived.message : inUse) ??
    (source === undefined ? "missing randomness" : undefined) ??
    (inconsistent ? "inconsistent arriving threshold: item should not have been sampled" : undefined);
  const arriving = inconsistent ? undefined : readable?.threshold;
  const threshold = forced ?? usual(sampler, problem, arriving);
  const keep = passes(source?.bits ?? greatest, threshold);
  const policy = forced !== undefined ? "sampling_priority" : (source?.policy ?? "missing_randomness");
  const raised = arriving !== undefined && !passes(threshold, arriving) ? arriving : threshold;
  const marks =
    keep && readable !== undefined && inUse === undefined
      ? { randomness: hashing ? own?.bits : undefined, threshold: raised }
      : undefined;
  return { keep, policy, problem, marks };
}

function usual(sampler: Sampler, problem: string | undefined, arriving: Bits56 | undefined): Bits56 {
  if (problem !== undefined) return sampler.failClosed ? never : always;
  return arriving === undefined ? sampler.threshold : sampler.resample(arriving);
}

function sourceOf(sampler: Sampler, own: Candidate["own"], explicit: Bits56 | undefined): Candidate["own"] {
  if (sampler.mode === "never") return { bits: greatest, policy: "sampling_priority" };
  if (sampler.mode === "hash_seed" || explicit === undefined) return own;
  return { bits: explicit, policy: "sampling_randomness" };
}

/** Hashing ignores what consistent samplers wrote, so a mix of both is refused. */
function problemOfUse(arrived: { readonly randomness: unknown; readonly threshold: unknown }): string | undefined {
  const advice = "equalizing or proportional mode recommended";
  if (arrived.randomness !== undefined) return `item has sampling randomness, ${advice}`;
  return arrived.threshold === undefined ? undefined : `item has sampling threshold, ${advice}`;
}
