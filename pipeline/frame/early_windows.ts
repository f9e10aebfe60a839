import type { BookedHost } from "../host.ts";

/** Least time between two log lines about full windows. */
const logEveryMs = 60_000;

/** Counts windows that closed before their time because they were full: in own metrics, and once a minute in the log. */
export class EarlyWindows {
  readonly #host: BookedHost;
  readonly #windows: { add(value: number, labels: { readonly reason: string }): void };
  #total = 0;
  #loggedAtMs = Number.NEGATIVE_INFINITY;

  constructor(host: BookedHost) {
    this.#host = host;
    this.#windows = host.meter.counter(`otelcol_${host.kind}_aggregate_early_windows`, {
      description: "Windows that closed before their time: they held max_spans.",
      unit: "{window}",
    });
  }

  get total(): number {
    return this.#total;
  }

  /** One more, with `spans` spans. */
  closed(spans: number): void {
    this.#total++;
    this.#windows.add(1, { reason: "max_spans" });
    const { clock, logger } = this.#host;
    if (clock.monotonicMs() - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = clock.monotonicMs();
    logger.warn(
      { reason: "max_spans", spans, windows: this.#total },
      "A window was full and closed early; the rest of its time is a window of its own.",
    );
  }
}
