import type { Summary } from "./summary.ts";

/** A figure as plotly.js and Python's `plotly.io.from_json` read it: attributes valid in plotly.js 3.7 and 4.1 only. */
export interface PlotlyFigure {
  readonly data: readonly object[];
  readonly layout: object;
  readonly config: object;
}

/** Display options: nothing is offered for upload to a third party. */
export const config = { responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "" };

/** A time as an axis of type `date` takes it. */
export function isoTime(unixMs: number): string {
  return new Date(unixMs).toISOString();
}

/**
 * `layout.meta` of every figure: exact totals of the window, and what is drawn of it.
 *
 * `latency.p50_ms` and `p95_ms` are null without requests, exact up to `max_points` requests and within 0.72 % above.
 */
export function figureMeta(summary: Summary) {
  return {
    from: isoTime(summary.fromUnixMs),
    to: isoTime(summary.toUnixMs),
    bucket_ms: summary.buckets.bucketMs,
    requests: summary.requests,
    failed: summary.failed,
    input_tokens: summary.inputTokens,
    output_tokens: summary.outputTokens,
    total_tokens: summary.inputTokens + summary.outputTokens,
    latency: {
      p50_ms: summary.p50Ms ?? null,
      p95_ms: summary.p95Ms ?? null,
      max_ms: summary.requests === 0 ? null : summary.maxMs,
    },
    drawn: summary.sample.length,
    thinned: summary.thinned,
    displaced: summary.displaced,
  };
}

/** UTF-8 of a figure. */
export function figureJson(figure: PlotlyFigure): Buffer {
  return Buffer.from(JSON.stringify(figure));
}
