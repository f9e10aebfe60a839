import type { ConsumeError } from "../../pipeline/delivery.ts";
import type { ConnectorHost, Timer } from "../../pipeline/host.ts";
import type { Metrics } from "../../pipeline/pdata/index.ts";

/** Closed windows that may wait while the pipelines behind refuse metrics. */
const maxWaiting = 100;

/** Pause before metrics are offered again, unless the refusal says otherwise. */
const retryDelayMs = 1000;

interface Waiting {
  readonly metrics: Metrics;
  readonly spanCount: number;
}

/**
 * Hands the metrics of closed windows on, in order. What is refused for now is offered again; what is refused for good,
 * or pushed out by more than 100 waiting windows, is dropped with its reason. Books count the spans behind the metrics.
 */
export class Outbox {
  readonly #host: ConnectorHost;
  readonly #waiting: Waiting[] = [];
  #offered: Waiting | undefined;
  #retry: Timer | undefined;
  #onEmpty: (() => void) | undefined;
  #stopped = false;

  constructor(host: ConnectorHost) {
    this.#host = host;
  }

  add(metrics: Metrics, spanCount: number): void {
    this.#waiting.push({ metrics, spanCount });
    this.#host.budget.take(metrics.sizeBytes);
    if (this.#stopped) this.#dropAll();
    if (this.#waiting.length > maxWaiting) this.#remove(this.#waiting[0] === this.#offered ? 1 : 0, "outbox_full");
    this.#offerNext();
  }

  /** Resolves when everything is handed on, or at `deadlineMs` of the monotonic clock, when the rest is dropped. */
  async drain(deadlineMs: number): Promise<void> {
    if (this.#waiting.length === 0) return;
    const { clock } = this.#host;
    let timer: Timer | undefined;
    await new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
      timer = clock.setTimer(resolve, Math.max(0, deadlineMs - clock.monotonicMs()));
    });
    if (timer !== undefined) clock.clearTimer(timer);
    this.stop();
  }

  /** Drops what is still waiting, and what comes later. Safe to call twice. */
  stop(): void {
    this.#stopped = true;
    this.#dropAll();
  }

  #dropAll(): void {
    if (this.#retry !== undefined) this.#host.clock.clearTimer(this.#retry);
    this.#retry = undefined;
    while (this.#waiting.length > 0) this.#remove(0, "shutdown");
  }

  #offerNext(): void {
    const [first] = this.#waiting;
    if (first === undefined) this.#onEmpty?.();
    if (first === undefined || this.#offered !== undefined || this.#retry !== undefined) return;
    this.#offered = first;
    const { metrics: outlet } = this.#host.outlets;
    if (outlet === undefined) throw new Error("a traces to metrics connector needs a metrics pipeline");
    outlet.offer(first.metrics, { client: { address: "", transport: "internal" } }, (error) =>
      this.#answered(first, error),
    );
  }

  #answered(offered: Waiting, error?: ConsumeError): void {
    this.#offered = undefined;
    if (this.#waiting[0] !== offered) return;
    if (error?.retryable === true) {
      this.#retry = this.#host.clock.setTimer(() => {
        this.#retry = undefined;
        this.#offerNext();
      }, error.delayMs ?? retryDelayMs);
      return;
    }
    if (error !== undefined) this.#host.logger.error({ error: error.message }, "The metrics of a window were refused.");
    this.#remove(0, error === undefined ? undefined : "metrics_refused");
    this.#offerNext();
  }

  /** Takes a window out: delivered, or dropped for `reason`. */
  #remove(place: number, reason: string | undefined): void {
    const [removed] = this.#waiting.splice(place, 1);
    if (removed === undefined) return;
    this.#host.budget.give(removed.metrics.sizeBytes);
    if (reason === undefined) this.#host.sent(removed.spanCount);
    else this.#host.drop(removed.spanCount, reason);
  }
}
