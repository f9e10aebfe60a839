import { messageOf } from "../../pipeline/error_text.ts";
import type { Clock } from "../../pipeline/host.ts";
import { systemClock } from "../../pipeline/process/clock.ts";
import { Batch } from "./batch.ts";
import { type ClientSettings, connect, defaultEndpoint, type Protocol } from "./client.ts";
import { encodeSpans } from "./encode.ts";
import { Generator, type Parcel, type PlannedTrace } from "./generator.ts";
import { ClientMetrics } from "./metrics.ts";
import { Pause } from "./pause.ts";
import { Random } from "./random.ts";
import { Sender, type SendResult } from "./sender.ts";
import { defaultSettings, type GeneratorSettings } from "./settings.ts";
import { type Truth, TruthBooks } from "./truth.ts";

export type { Truth } from "./truth.ts";

/** What to generate, where to send it and when to stop; all that is not said has its default. */
export interface WorkloadOptions extends Partial<GeneratorSettings> {
  readonly protocol?: Protocol;
  readonly endpoint?: string;
  readonly compression?: "gzip" | "none";
  /** Whether the metrics of one application are sent as well, every 5 s. */
  readonly metrics?: boolean;
  /** Stop then, whatever has not ended by then. */
  readonly durationMs?: number | undefined;
  /** Begin no more traces once they have this many spans; go on until those begun have ended. */
  readonly maxSpans?: number | undefined;
  readonly maxInFlight?: number;
  /** How long a batch that is refused for now is offered again; at most 5 s until the first one was accepted. */
  readonly retryForMs?: number;
  readonly clock?: Clock;
}

export interface Progress {
  readonly elapsedSeconds: number;
  /** Spans handed over to be sent. */
  readonly sent: number;
  readonly accepted: number;
  readonly refused: number;
  /** Metric data points that were refused for good. */
  readonly refusedPoints: number;
  /** Requests that were repeated. */
  readonly retries: number;
  /** Seconds by which the schedule had to be put off because server or generator did not keep up. */
  readonly delayedSeconds: number;
  /** Why a batch was given up, the latest. */
  readonly error: string | undefined;
}

export interface Workload {
  /** Resolves when all is done: a limit was reached, nothing could be sent at all, or it was stopped. */
  readonly finished: Promise<void>;
  progress(): Progress;
  /** Sends what has ended, waits for the answers and tells what was accepted. Safe to call twice. */
  stop(): Promise<Truth>;
}

/** Starts to generate and send. Nothing is held beyond a few requests and the traces that have not ended. */
export function startWorkload(options: WorkloadOptions): Workload {
  const run = new Run(options);
  return {
    finished: run.finished,
    progress: () => run.progress(),
    async stop() {
      run.stop();
      await run.finished;
      return run.truth();
    },
  };
}

/** How long spans wait for others to be sent with. */
const flushSeconds = 0.2;
/** A schedule that is this far behind is put off instead of caught up with. */
const mostLagSeconds = 1;
/** How long answers are waited for at the end. */
const graceMs = 5_000;
const metricsSeconds = 5;

class Run {
  readonly finished: Promise<void>;
  readonly #options: WorkloadOptions;
  readonly #settings: GeneratorSettings;
  readonly #clock: Clock;
  readonly #pause: Pause;
  readonly #generator: Generator;
  readonly #books: TruthBooks;
  readonly #starts = new WeakMap<PlannedTrace, bigint>();
  readonly #metrics = new ClientMetrics();
  #metricsAt = metricsSeconds;
  #startMs: number;
  #startUnixMs: number;
  #sender: Sender | undefined;
  #batch = new Batch();
  #batchSince = 0;
  #delaySeconds = 0;
  #stopping = false;
  #sent = 0;
  #accepted = 0;
  #refused = 0;
  #refusedPoints = 0;
  #error: string | undefined;

  constructor(options: WorkloadOptions) {
    this.#options = options;
    this.#settings = { ...defaultSettings, ...options };
    this.#clock = options.clock ?? systemClock;
    this.#pause = new Pause(this.#clock);
    this.#generator = new Generator(this.#settings);
    this.#books = new TruthBooks(this.#settings.seed);
    this.#startMs = this.#clock.monotonicMs();
    this.#startUnixMs = this.#clock.nowMs();
    this.finished = this.#run();
  }

  stop(): void {
    this.#stopping = true;
    this.#pause.end();
    this.#sender?.hurry(graceMs);
  }

  truth(): Truth {
    return this.#books.truth();
  }

  progress(): Progress {
    return {
      elapsedSeconds: this.#elapsedSeconds() + this.#delaySeconds,
      sent: this.#sent,
      accepted: this.#accepted,
      refused: this.#refused,
      refusedPoints: this.#refusedPoints,
      retries: this.#sender?.retries ?? 0,
      delayedSeconds: this.#delaySeconds,
      error: this.#error,
    };
  }

  /** Seconds of the run's schedule. */
  #elapsedSeconds(): number {
    return (this.#clock.monotonicMs() - this.#startMs) / 1000 - this.#delaySeconds;
  }

  async #run(): Promise<void> {
    const { protocol = "grpc", maxInFlight = 4, retryForMs = 30_000, compression = "gzip" } = this.#options;
    const { endpoint = defaultEndpoint(protocol) } = this.#options;
    const settings: ClientSettings = { protocol, endpoint, compression, clock: this.#clock };
    try {
      const random = new Random(this.#settings.seed, 0xffff_ffff);
      this.#sender = new Sender({
        client: await connect(settings),
        clock: this.#clock,
        random,
        maxInFlight,
        retryForMs,
      });
    } catch (error) {
      this.#error = messageOf(error);
      return;
    }
    let parcel = this.#next();
    // The first one took the warm-up with it.
    this.#startMs = this.#clock.monotonicMs();
    this.#startUnixMs = this.#clock.nowMs();
    for (; parcel !== undefined; parcel = this.#next()) {
      await this.#untilDue(parcel.dueSeconds);
      if (this.#stopping) break;
      await this.#add(parcel);
    }
    await this.#flush();
    await this.#sendMetrics();
    await this.#sender.finish();
  }

  #next(): Parcel | undefined {
    const { maxSpans = Number.POSITIVE_INFINITY, durationMs = Number.POSITIVE_INFINITY } = this.#options;
    const enough = this.#sent + this.#batch.spanCount + this.#generator.heldSpans >= maxSpans;
    const parcel = enough ? this.#generator.nextHeld() : this.#generator.next();
    return parcel === undefined || parcel.dueSeconds * 1000 > durationMs ? undefined : parcel;
  }

  /** Waits until a parcel is due; sends meanwhile what has waited long enough. */
  async #untilDue(dueSeconds: number): Promise<void> {
    while (!this.#stopping) {
      const now = this.#elapsedSeconds();
      const flushAt = this.#batch.spanCount > 0 ? this.#batchSince + flushSeconds : Number.POSITIVE_INFINITY;
      if (now >= flushAt) await this.#flush();
      else if (now >= this.#metricsAt) await this.#sendMetrics();
      else if (now >= dueSeconds) break;
      else await this.#pause.wait((Math.min(dueSeconds, flushAt, this.#metricsAt) - now) * 1000);
    }
    const lag = this.#elapsedSeconds() - dueSeconds;
    if (lag > mostLagSeconds) this.#delaySeconds += lag;
  }

  async #add(parcel: Parcel): Promise<void> {
    for (let at = 0; at < parcel.spans.length; ) {
      if (this.#batch.spanCount === 0) this.#batchSince = this.#elapsedSeconds();
      at = this.#batch.add(parcel, at);
      if (at < parcel.spans.length) await this.#flush();
    }
  }

  async #flush(): Promise<void> {
    const batch = this.#batch;
    if (batch.spanCount === 0) return;
    this.#batch = new Batch();
    this.#sent += batch.spanCount;
    const traces = encodeSpans(
      batch.portions.map(({ parcel: { trace }, spans }) => ({
        traceId: trace.id,
        startUnixNano: this.#startOf(trace),
        spans,
      })),
    );
    for (const { parcel, spans } of batch.portions) this.#metrics.add(parcel, spans);
    await this.#sender?.send(traces, (result) => this.#answered(batch, result));
    await this.#pause.wait(0);
  }

  async #sendMetrics(): Promise<void> {
    this.#metricsAt = this.#elapsedSeconds() + metricsSeconds;
    if (this.#options.metrics === false) return;
    const startUnixNano = BigInt(Math.round(this.#startUnixMs)) * 1_000_000n;
    const timeUnixNano = BigInt(Math.round(this.#clock.nowMs())) * 1_000_000n;
    const data = this.#metrics.export(startUnixNano, timeUnixNano);
    if (data === undefined) return;
    await this.#sender?.send(data, (result) => {
      const rejected = result.accepted ? result.rejected : data.itemCount;
      this.#refusedPoints += rejected;
      if (result.accepted) this.#books.addMetricPoints(data.itemCount - rejected);
      else this.#error = result.error.message;
    });
  }

  /** When a trace began: its first spans to be sent end now, and the rest keeps to that. */
  #startOf(trace: PlannedTrace): bigint {
    const known = this.#starts.get(trace);
    if (known !== undefined) return known;
    const beganSeconds = trace.startSeconds + this.#delaySeconds;
    const start = BigInt(Math.round(this.#startUnixMs)) * 1_000_000n + BigInt(Math.round(beganSeconds * 1e9));
    this.#starts.set(trace, start);
    return start;
  }

  #answered(batch: Batch, result: SendResult): void {
    if (!result.accepted) {
      this.#refused += batch.spanCount;
      this.#error = result.error.message;
      if (this.#accepted === 0) this.stop();
      return;
    }
    this.#accepted += batch.spanCount - result.rejected;
    this.#refused += result.rejected;
    this.#books.addRejected(result.rejected);
    for (const { parcel, spans, last } of batch.portions) {
      const { trace, duplicate } = parcel;
      this.#books.addSpans(trace, spans, { last: last && parcel.last, duplicate });
    }
  }
}
