import { tokensOnly } from "./request_store.ts";

/** The window cut into equal times. `bucketMs` wide bars are drawn from `stepsPerBucket` steps each. */
export interface TimeBuckets {
  /** A multiple of `bucketMs`. */
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly bucketMs: number;
  readonly stepMs: number;
  /** By step, the last one unfinished. */
  readonly requests: Float64Array;
  readonly failed: Float64Array;
  readonly inputTokens: Float64Array;
  readonly outputTokens: Float64Array;
}

/** Steps in a bucket. */
export const stepsPerBucket = 10;

/** Most buckets in a window. */
const bucketLimit = 100;

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;

/** Widths that read well on a clock. */
const widths = [100, 200, 500, second, 2 * second, 5 * second, 10 * second, 15 * second, 30 * second].concat(
  [1, 2, 5, 10, 15, 30].map((minutes) => minutes * minute),
  [1, 2, 3, 6, 12, 24].map((hours) => hours * hour),
);

/** Empty buckets for the window that ends at `toUnixMs`: 10 s wide for 15 minutes, at most 100 and a piece. */
export function timeBuckets(toUnixMs: number, windowMs: number): TimeBuckets {
  const bucketMs =
    widths.find((width) => windowMs / width <= bucketLimit) ?? Math.ceil(windowMs / bucketLimit / hour) * hour;
  const fromUnixMs = Math.floor((toUnixMs - windowMs) / bucketMs) * bucketMs;
  const steps = (Math.floor((toUnixMs - fromUnixMs) / bucketMs) + 1) * stepsPerBucket;
  return {
    fromUnixMs,
    toUnixMs,
    bucketMs,
    stepMs: bucketMs / stepsPerBucket,
    requests: new Float64Array(steps),
    failed: new Float64Array(steps),
    inputTokens: new Float64Array(steps),
    outputTokens: new Float64Array(steps),
  };
}

/** Counts a request that started within the window, of a `tokensOnly` its tokens; one that started after its end counts at the end. */
export function addTo(
  buckets: TimeBuckets,
  startUnixMs: number,
  failed: number,
  inputTokens: number,
  outputTokens: number,
): void {
  const last = buckets.requests.length - 1;
  const step = Math.min(last, Math.floor((startUnixMs - buckets.fromUnixMs) / buckets.stepMs));
  if (failed !== tokensOnly) {
    buckets.requests[step]!++;
    buckets.failed[step]! += failed;
  }
  buckets.inputTokens[step]! += inputTokens;
  buckets.outputTokens[step]! += outputTokens;
}

/** The steps of each bucket added up. */
export function perBucket(steps: Float64Array): Float64Array {
  const buckets = new Float64Array(steps.length / stepsPerBucket);
  steps.forEach((value, step) => void (buckets[Math.floor(step / stepsPerBucket)]! += value));
  return buckets;
}

/** When each bucket begins. */
export function bucketStarts({ fromUnixMs, bucketMs, requests }: TimeBuckets): readonly number[] {
  return Array.from({ length: requests.length / stepsPerBucket }, (_, bucket) => fromUnixMs + bucket * bucketMs);
}
