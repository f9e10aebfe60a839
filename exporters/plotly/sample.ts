/** The requests that are drawn, in columns, in order of start; all of them, or a thinned choice. */
export interface Sample {
  readonly length: number;
  readonly startUnixMs: Float64Array;
  readonly durationMs: Float64Array;
  readonly inputTokens: Float64Array;
  readonly outputTokens: Float64Array;
  readonly failed: Uint8Array;
  /** Numbers of the store's models. */
  readonly model: Uint16Array;
}

/** Which requests are drawn: every n-th of the failed ones and of the others, and every slow one. */
export interface Thinning {
  readonly failedStride: number;
  readonly otherStride: number;
  /** The latency bin from which on a request counts as slow. */
  readonly slowFromBin: number;
}

/** Nothing is left out. */
export const noThinning: Thinning = { failedStride: 1, otherStride: 1, slowFromBin: 0 };

/**
 * How to draw at most `limit` of `total` requests: failed ones first, up to half of the points; then the slowest of the
 * others, up to a quarter; the rest evenly over time.
 *
 * @param okBins latency histogram of the requests that did not fail.
 */
export function thinningFor(limit: number, failed: number, okBins: Uint32Array): Thinning {
  const failedStride = stride(failed, Math.floor(limit / 2));
  let left = limit - kept(failed, failedStride);
  const slowLimit = Math.floor(limit / 4);
  let slow = 0;
  let slowFromBin = okBins.length;
  while (slowFromBin > 0 && slow + okBins[slowFromBin - 1]! <= slowLimit) slow += okBins[--slowFromBin]!;
  left -= slow;
  const others = okBins.reduce((sum, count) => sum + count, 0) - slow;
  return { failedStride, otherStride: stride(others, left), slowFromBin };
}

function stride(count: number, limit: number): number {
  return Math.max(1, Math.ceil(count / Math.max(1, limit)));
}

function kept(count: number, everyNth: number): number {
  return Math.ceil(count / everyNth);
}

/** Gathers drawn requests, then puts them in order of start. */
export class SampleBuilder {
  readonly #startUnixMs: Float64Array;
  readonly #durationMs: Float64Array;
  readonly #inputTokens: Float64Array;
  readonly #outputTokens: Float64Array;
  readonly #failed: Uint8Array;
  readonly #model: Uint16Array;
  #length = 0;

  constructor(capacity: number) {
    this.#startUnixMs = new Float64Array(capacity);
    this.#durationMs = new Float64Array(capacity);
    this.#inputTokens = new Float64Array(capacity);
    this.#outputTokens = new Float64Array(capacity);
    this.#failed = new Uint8Array(capacity);
    this.#model = new Uint16Array(capacity);
  }

  add(
    startUnixMs: number,
    durationMs: number,
    inputTokens: number,
    outputTokens: number,
    failed: number,
    model: number,
  ): void {
    const row = this.#length++;
    this.#startUnixMs[row] = startUnixMs;
    this.#durationMs[row] = durationMs;
    this.#inputTokens[row] = inputTokens;
    this.#outputTokens[row] = outputTokens;
    this.#failed[row] = failed;
    this.#model[row] = model;
  }

  finish(): Sample {
    const starts = this.#startUnixMs;
    const order = Uint32Array.from({ length: this.#length }, (_, row) => row).sort(
      (a, b) => starts[a]! - starts[b]! || a - b,
    );
    return {
      length: order.length,
      startUnixMs: Float64Array.from(order, (row) => starts[row]!),
      durationMs: Float64Array.from(order, (row) => this.#durationMs[row]!),
      inputTokens: Float64Array.from(order, (row) => this.#inputTokens[row]!),
      outputTokens: Float64Array.from(order, (row) => this.#outputTokens[row]!),
      failed: Uint8Array.from(order, (row) => this.#failed[row]!),
      model: Uint16Array.from(order, (row) => this.#model[row]!),
    };
  }
}
