import type { ProcessorSettings } from "../../config/telemetry/exporter.ts";
import type { Clock, Timer } from "../../host.ts";

/**
 * Gathers own spans or log records and gives them on in batches, one after another: when there are `maxBatchSize`, or
 * `delayMs` after the first. What comes while `maxQueueSize` wait is dropped and told to `onDropped`.
 */
export class RecordBatches<T> {
  readonly #settings: ProcessorSettings;
  readonly #clock: Clock;
  readonly #send: (records: readonly T[]) => Promise<void>;
  readonly #onDropped: (records: number) => void;
  #waiting: T[] = [];
  #timer: Timer | undefined;
  /** What is being sent; it never rejects. */
  #sending: Promise<void> | undefined;

  /** `send` never rejects. */
  constructor(
    settings: ProcessorSettings,
    clock: Clock,
    send: (records: readonly T[]) => Promise<void>,
    onDropped: (records: number) => void,
  ) {
    this.#settings = settings;
    this.#clock = clock;
    this.#send = send;
    this.#onDropped = onDropped;
  }

  add(record: T): void {
    const { maxQueueSize, maxBatchSize, delayMs } = this.#settings;
    if (this.#waiting.length >= maxQueueSize) {
      this.#onDropped(1);
      return;
    }
    this.#waiting.push(record);
    if (this.#waiting.length >= maxBatchSize) void this.#sendAll(maxBatchSize);
    else this.#timer ??= this.#clock.setTimer(() => void this.#sendAll(1), delayMs);
  }

  /** Sends what waits and ends. */
  async stop(): Promise<void> {
    await this.#sendAll(1);
  }

  /** Sends batches while `least` records wait. */
  #sendAll(least: number): Promise<void> {
    if (least === 1) this.#stopTimer();
    this.#sending ??= this.#sendWhile(least).finally(() => {
      this.#sending = undefined;
    });
    if (least > 1) return this.#sending;
    // What is being sent may have been about full batches only.
    return this.#sending.then(() => (this.#waiting.length > 0 ? this.#sendAll(1) : undefined));
  }

  async #sendWhile(least: number): Promise<void> {
    while (this.#waiting.length >= least) {
      const batch = this.#waiting.splice(0, this.#settings.maxBatchSize);
      if (this.#waiting.length === 0) this.#stopTimer();
      await this.#send(batch);
    }
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }
}
