import type { BookedHost } from "../host.ts";
import type { Skipped } from "./windows.ts";

/** Least time between two log lines about skipped spans. */
const logEveryMs = 60_000;

/** Counts spans that found no place in a window, or no group of their own: in own metrics, and once a minute in the log. */
export class SkippedSpans {
  /** What `SpanWindows.append` adds to. */
  readonly counts: Skipped = { late: 0, ahead: 0 };
  readonly #host: BookedHost;
  readonly #late: { add(value: number): void };
  readonly #others: { add(value: number, labels: { readonly reason: string }): void };
  readonly #overflow: { add(value: number): void };
  #lateTotal = 0;
  #unlogged: Skipped = { late: 0, ahead: 0 };
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(host: BookedHost) {
    this.#host = host;
    const prefix = `otelcol_${host.kind}_aggregate`;
    const unit = "{span}";
    this.#late = host.meter.counter(`${prefix}_late_spans`, {
      description: "Spans that came after their window had closed.",
      unit,
    });
    this.#others = host.meter.counter(`${prefix}_skipped_spans`, {
      description: "Spans that are in no window: they end in the future (ahead).",
      unit,
    });
    this.#overflow = host.meter.counter(`${prefix}_overflow_spans`, {
      description: "Spans in the overflow row, because their window had max_groups rows.",
      unit,
    });
  }

  get lateTotal(): number {
    return this.#lateTotal;
  }

  overflowed(spans: number): void {
    if (spans > 0) this.#overflow.add(spans);
  }

  /** Reports what `counts` has gathered and starts it again from zero. Returns the numbers by reason, those above 0. */
  report(): ReadonlyMap<string, number> {
    const { late, ahead } = this.counts;
    const byReason = new Map(Object.entries({ late, ahead }).filter(([, spans]) => spans > 0));
    if (byReason.size === 0) return byReason;
    if (late > 0) this.#late.add(late);
    if (ahead > 0) this.#others.add(ahead, { reason: "ahead" });
    this.#lateTotal += late;
    this.#unlogged.late += late;
    this.#unlogged.ahead += ahead;
    Object.assign(this.counts, { late: 0, ahead: 0 });
    this.#log();
    return byReason;
  }

  #log(): void {
    const nowMs = this.#host.clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < logEveryMs) return;
    this.#host.logger.warn({ ...this.#unlogged }, "Spans were left out of the aggregation windows.");
    this.#unlogged = { late: 0, ahead: 0 };
    this.#loggedAtMs = nowMs;
  }
}
