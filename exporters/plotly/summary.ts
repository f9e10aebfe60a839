import type { Pause } from "../../pipeline/frame/engine.ts";
import { binCount, binnedQuantile, latencyBin } from "./latency_bins.ts";
import { type Block, type RequestStore, tokensOnly } from "./request_store.ts";
import { noThinning, type Sample, SampleBuilder, type Thinning, thinningFor } from "./sample.ts";
import { addTo, type TimeBuckets, timeBuckets } from "./time_buckets.ts";

/** Everything the figures need of the requests in the window. Totals are exact, however many points are drawn. */
export interface Summary {
  readonly fromUnixMs: number;
  readonly toUnixMs: number;
  readonly requests: number;
  readonly failed: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Absent when there is no request. Exact, or to 0.72 % when `thinned`. */
  readonly p50Ms: number | undefined;
  readonly p95Ms: number | undefined;
  readonly maxMs: number;
  /** Requests that left before their time because the store was full, since the start. */
  readonly displaced: number;
  /** Most points of a trace. */
  readonly maxPoints: number;
  /** More requests than points. */
  readonly thinned: boolean;
  readonly sample: Sample;
  readonly buckets: TimeBuckets;
  readonly okBins: Uint32Array;
  readonly failedBins: Uint32Array;
  /** Bars of equal width instead of single durations, when thinned. */
  readonly bars: LatencyBars | undefined;
  modelName(model: number): string;
}

/** `counts[i]` durations in `[i * widthMs, (i + 1) * widthMs)`; the last bar takes all that is longer. */
export interface LatencyBars {
  readonly widthMs: number;
  readonly counts: Float64Array;
}

/** Blocks read between two pauses: some 30 000 requests, 2 ms. */
const blocksPerStep = 8;

/** Bars up to the 99th percentile, and in all. */
const barsToP99 = 40;
const barLimit = 60;

interface Snapshot {
  readonly block: Block;
  readonly length: number;
}

/** What is read: `isPast` leaves out what started after `toUnixMs`, which otherwise is the present and counts all there is. */
export interface Window {
  readonly toUnixMs: number;
  readonly windowMs: number;
  readonly maxPoints: number;
  readonly isPast?: boolean;
}

/** Reads the window `[toUnixMs - windowMs, toUnixMs]`, its start rounded down to a time bucket, in steps that all see the same requests. */
export function summarize(store: RequestStore, window: Window, pause: Pause): Promise<Summary> {
  return store.reading(() => readWindow(store, window, pause));
}

async function readWindow(store: RequestStore, window: Window, pause: Pause): Promise<Summary> {
  const buckets = timeBuckets(window.toUnixMs, window.windowMs);
  const snapshots = store.blocks.map((block) => ({ block, length: block.length }));
  const untilUnixMs = window.isPast === true ? window.toUnixMs : Number.POSITIVE_INFINITY;
  const { okBins, failedBins, maxMs } = await count(snapshots, buckets, untilUnixMs, pause);
  const requests = sum(buckets.requests);
  const failed = sum(buckets.failed);
  const thinned = requests > window.maxPoints;
  const thinning = thinned ? thinningFor(window.maxPoints, failed, okBins) : noThinning;
  const allBins = okBins.map((value, bin) => value + failedBins[bin]!);
  const bars = thinned ? emptyBars(binnedQuantile(allBins, requests, 0.99), maxMs) : undefined;
  const chosen = { fromUnixMs: buckets.fromUnixMs, untilUnixMs, thinning };
  const sample = await draw(snapshots, chosen, Math.min(requests, window.maxPoints), bars, pause);
  const quantile = thinned ? (q: number) => binnedQuantile(allBins, requests, q) : exactQuantiles(sample);
  return {
    fromUnixMs: buckets.fromUnixMs,
    toUnixMs: window.toUnixMs,
    requests,
    failed,
    inputTokens: sum(buckets.inputTokens),
    outputTokens: sum(buckets.outputTokens),
    p50Ms: requests === 0 ? undefined : quantile(0.5),
    p95Ms: requests === 0 ? undefined : quantile(0.95),
    maxMs,
    displaced: store.displaced,
    maxPoints: window.maxPoints,
    thinned,
    sample,
    buckets,
    okBins,
    failedBins,
    bars,
    modelName: (model) => store.modelName(model),
  };
}

async function count(snapshots: readonly Snapshot[], buckets: TimeBuckets, untilUnixMs: number, pause: Pause) {
  const okBins = new Uint32Array(binCount);
  const failedBins = new Uint32Array(binCount);
  let maxMs = 0;
  await forEachBlock(snapshots, pause, ({ block, length }) => {
    for (let row = 0; row < length; row++) {
      const startUnixMs = block.startUnixMs[row]!;
      if (startUnixMs < buckets.fromUnixMs || startUnixMs > untilUnixMs) continue;
      const durationMs = block.durationMs[row]!;
      const failed = block.failed[row]!;
      addTo(buckets, startUnixMs, failed, block.inputTokens[row]!, block.outputTokens[row]!);
      if (failed === tokensOnly) continue;
      const bins = failed === 1 ? failedBins : okBins;
      bins[latencyBin(durationMs)]!++;
      if (durationMs > maxMs) maxMs = durationMs;
    }
  });
  return { okBins, failedBins, maxMs };
}

async function draw(
  snapshots: readonly Snapshot[],
  {
    fromUnixMs,
    untilUnixMs,
    thinning,
  }: { readonly fromUnixMs: number; readonly untilUnixMs: number; readonly thinning: Thinning },
  capacity: number,
  bars: LatencyBars | undefined,
  pause: Pause,
): Promise<Sample> {
  const builder = new SampleBuilder(capacity);
  let failedSeen = 0;
  let othersSeen = 0;
  await forEachBlock(snapshots, pause, ({ block, length }) => {
    for (let row = 0; row < length; row++) {
      const startUnixMs = block.startUnixMs[row]!;
      if (startUnixMs < fromUnixMs || startUnixMs > untilUnixMs) continue;
      const durationMs = block.durationMs[row]!;
      const failed = block.failed[row]!;
      if (failed === tokensOnly) continue;
      if (bars !== undefined) bars.counts[Math.min(bars.counts.length - 1, Math.floor(durationMs / bars.widthMs))]!++;
      if (failed === 1) {
        if (failedSeen++ % thinning.failedStride !== 0) continue;
      } else if (latencyBin(durationMs) < thinning.slowFromBin && othersSeen++ % thinning.otherStride !== 0) continue;
      builder.add(
        startUnixMs,
        durationMs,
        block.inputTokens[row]!,
        block.outputTokens[row]!,
        failed,
        block.model[row]!,
      );
    }
  });
  return builder.finish();
}

async function forEachBlock(
  snapshots: readonly Snapshot[],
  pause: Pause,
  read: (snapshot: Snapshot) => void,
): Promise<void> {
  for (let place = 0; place < snapshots.length; place++) {
    if (place > 0 && place % blocksPerStep === 0) await pause();
    read(snapshots[place]!);
  }
}

function emptyBars(p99Ms: number, maxMs: number): LatencyBars {
  const widthMs = niceWidth(p99Ms / barsToP99);
  return { widthMs, counts: new Float64Array(Math.min(barLimit, Math.floor(maxMs / widthMs) + 1)) };
}

/** The first of 1, 2, 5, 10... that is at least `width`. */
function niceWidth(width: number): number {
  const decade = 10 ** Math.floor(Math.log10(width));
  return decade * ([1, 2, 5, 10].find((step) => step * decade >= width) ?? 10);
}

function exactQuantiles({ durationMs }: Sample): (q: number) => number {
  const sorted = durationMs.slice().sort();
  return (q) => {
    const place = (sorted.length - 1) * q;
    const low = sorted[Math.floor(place)]!;
    const high = sorted[Math.ceil(place)]!;
    return low + (high - low) * (place - Math.floor(place));
  };
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0);
}
