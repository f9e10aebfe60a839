import { formatDuration } from "../config/duration.ts";
import { type ClientInfo, ConsumeError } from "../delivery.ts";
import type { ExporterHost, Timer } from "../host.ts";
import { rpcCode } from "../net/status.ts";
import type { Pdata } from "../pdata/index.ts";
import type { RetrySettings } from "./settings.ts";

/** The longest delay of our own while draining: a destination that comes back before the deadline is not missed. */
const drainDelayMs = 1_000;

/** Least time between two lines about retries: with many consumers and a dead destination there are many a second. */
const retryLogMs = 1_000;

/** What one attempt at sending gets besides the data. */
export interface Attempt {
  /** Aborted when the attempt's time is up or nobody waits for it any more. */
  readonly signal: AbortSignal;
  /** Time for the attempt; 0 is no limit. It is enforced for it: only for telling the other side. */
  readonly timeoutMs: number;
  /** Who sent the data; absent when it was merged from several requests. */
  readonly client?: ClientInfo;
}

/** Sends a batch once. It throws, or rejects with, a ConsumeError; anything else thrown is a permanent failure. */
export type Push<T extends Pdata> = (data: T, attempt: Attempt) => Promise<void> | void;

/** Why data was not sent: the error for whoever gave it and a word for the books. */
export interface Failure {
  readonly error: ConsumeError;
  readonly reason: "not_retryable" | "retry_disabled" | "retries_exhausted" | "cancelled" | "shutdown";
}

export interface SendOptions {
  readonly client?: ClientInfo;
  /** Ends the waiting when it aborts: only for senders that wait for the result. */
  readonly signal?: AbortSignal;
}

export interface SenderSettings {
  readonly retry_on_failure: RetrySettings;
  /** Of one attempt, in milliseconds; 0 is none. */
  readonly timeout: number;
}

/** Sends batches, each until it is taken, refused for good, or out of time. */
export class Sender<T extends Pdata> {
  readonly settings: SenderSettings;
  readonly host: ExporterHost;
  readonly push: Push<T>;
  readonly #active = new Set<Sending<T>>();
  #deadlineMs = Number.POSITIVE_INFINITY;
  #nextRetryLogMs = Number.NEGATIVE_INFINITY;

  constructor(settings: SenderSettings, host: ExporterHost, push: Push<T>) {
    this.settings = settings;
    this.host = host;
    this.push = push;
  }

  /** `done` is called exactly once, maybe before this returns; without a failure when the data was taken. */
  send(data: T, options: SendOptions, done: (failure?: Failure) => void): void {
    const sending = new Sending(this, data, options, (failure) => {
      this.#active.delete(sending);
      done(failure);
    });
    this.#active.add(sending);
    if (options.signal?.aborted) sending.cancel();
    else sending.attempt();
  }

  /** The time, by the monotonic clock, after which no attempt may start. */
  get deadlineMs(): number {
    return this.#deadlineMs;
  }

  /** Shutdown is near: what waits for its next attempt gets it now, and waits again only while there is time. */
  hurry(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    for (const sending of [...this.#active]) sending.hurry();
  }

  /** Shutdown, with a queue that keeps what is not sent: an attempt may end, none begins. */
  stopRetrying(): void {
    this.#deadlineMs = this.host.clock.monotonicMs();
    for (const sending of [...this.#active]) sending.stopRetrying();
  }

  /** Says that a batch waits for its next attempt, once a second at most. */
  logRetry(error: ConsumeError, delayMs: number): void {
    const { clock, logger } = this.host;
    const nowMs = clock.monotonicMs();
    if (nowMs < this.#nextRetryLogMs) return;
    this.#nextRetryLogMs = nowMs + retryLogMs;
    const fields = { error: error.message, interval: formatDuration(delayMs) };
    logger.info(fields, "Exporting failed. Will retry the request after interval.");
  }

  /** Gives up on everything that is being sent. */
  abort(): void {
    for (const sending of [...this.#active]) sending.end("shutdown", "shutdown");
  }
}

/** One batch on its way, from its first attempt to its end. */
class Sending<T extends Pdata> {
  readonly #sender: Sender<T>;
  readonly #data: T;
  readonly #options: SendOptions;
  readonly #done: (failure?: Failure) => void;
  readonly #giveUpMs: number;
  /** Ends it because nobody waits for it any more. */
  readonly cancel = () => this.end("request is cancelled or timed out", "cancelled");
  #intervalMs: number;
  #retries = 0;
  #lastError: ConsumeError | undefined;
  #waiting: Timer | undefined;
  #timeout: Timer | undefined;
  #aborter: AbortController | undefined;
  #ended = false;

  constructor(sender: Sender<T>, data: T, options: SendOptions, done: (failure?: Failure) => void) {
    this.#sender = sender;
    this.#data = data;
    this.#options = options;
    this.#done = done;
    const { initial_interval, max_elapsed_time } = sender.settings.retry_on_failure;
    this.#intervalMs = initial_interval;
    const startMs = sender.host.clock.monotonicMs();
    this.#giveUpMs = max_elapsed_time > 0 ? startMs + max_elapsed_time : Number.POSITIVE_INFINITY;
    options.signal?.addEventListener("abort", this.cancel);
  }

  attempt(): void {
    const { host, settings, push } = this.#sender;
    const aborter = new AbortController();
    this.#aborter = aborter;
    this.#waiting = undefined;
    const settle = (thrown?: unknown, failed = false) => {
      if (this.#ended || this.#aborter !== aborter) return;
      this.#aborter = undefined;
      if (this.#timeout !== undefined) host.clock.clearTimer(this.#timeout);
      this.#timeout = undefined;
      if (failed) this.#failed(ConsumeError.from(thrown));
      else this.#finish();
    };
    if (settings.timeout > 0) {
      this.#timeout = host.clock.setTimer(() => {
        settle(timeoutError(settings.timeout), true);
        aborter.abort();
      }, settings.timeout);
    }
    const { client } = this.#options;
    if (settings.retry_on_failure.enabled) client?.trace?.event("Sending request.", { retry_num: this.#retries++ });
    const attempt = { signal: aborter.signal, timeoutMs: settings.timeout, ...(client !== undefined && { client }) };
    try {
      const result = push(this.#data, attempt);
      if (result === undefined) settle();
      else
        result.then(
          () => settle(),
          (thrown: unknown) => settle(thrown, true),
        );
    } catch (thrown) {
      settle(thrown, true);
    }
  }

  #failed(error: ConsumeError): void {
    this.#lastError = error;
    const { host, settings, deadlineMs } = this.#sender;
    if (!settings.retry_on_failure.enabled) {
      this.#finish({ error, reason: error.retryable ? "retry_disabled" : "not_retryable" });
      return;
    }
    if (!error.retryable) {
      this.end("not retryable error", "not_retryable");
      return;
    }
    const ownDelayMs = Math.min(
      this.#nextDelayMs(),
      Number.isFinite(deadlineMs) ? drainDelayMs : Number.POSITIVE_INFINITY,
    );
    const delayMs = Math.max(ownDelayMs, error.delayMs ?? 0);
    const nextMs = host.clock.monotonicMs() + delayMs;
    if (nextMs > this.#giveUpMs) this.end("no more retries left", "retries_exhausted");
    else if (nextMs >= deadlineMs) this.end("shutdown", "shutdown");
    else {
      this.#sender.logRetry(error, delayMs);
      const event = { interval: formatDuration(delayMs), error: error.message };
      this.#options.client?.trace?.event("Exporting failed. Will retry the request after interval.", event);
      this.#waiting = host.clock.setTimer(() => this.attempt(), delayMs);
    }
  }

  /** A random delay around the interval, which then grows. @see `backoff.ExponentialBackOff` of the Collector. */
  #nextDelayMs(): number {
    const { randomization_factor, multiplier, max_interval } = this.#sender.settings.retry_on_failure;
    const interval = this.#intervalMs;
    this.#intervalMs = Math.min(interval * multiplier, max_interval);
    const spread = randomization_factor * interval;
    return spread === 0 ? interval : interval - spread + this.#sender.host.random() * 2 * spread;
  }

  hurry(): void {
    if (this.#waiting === undefined) return;
    this.#sender.host.clock.clearTimer(this.#waiting);
    this.attempt();
  }

  stopRetrying(): void {
    if (this.#waiting !== undefined) this.end("shutdown", "shutdown");
  }

  /** Ends it unsent, with the last error after `why`. */
  end(why: string, reason: Failure["reason"]): void {
    const last = this.#lastError;
    const error = new ConsumeError(last === undefined ? why : `${why}: ${last.message}`, {
      retryable: reason !== "not_retryable",
      ...(last?.delayMs !== undefined && { delayMs: last.delayMs }),
      ...(last?.grpcStatus !== undefined && { grpcStatus: last.grpcStatus }),
      cause: last,
    });
    this.#finish({ error, reason });
  }

  #finish(failure?: Failure): void {
    if (this.#ended) return;
    this.#ended = true;
    const { clock } = this.#sender.host;
    if (this.#waiting !== undefined) clock.clearTimer(this.#waiting);
    if (this.#timeout !== undefined) clock.clearTimer(this.#timeout);
    this.#options.signal?.removeEventListener("abort", this.cancel);
    this.#aborter?.abort();
    this.#done(failure);
  }
}

function timeoutError(timeoutMs: number): ConsumeError {
  const message = `context deadline exceeded: no answer within ${formatDuration(timeoutMs)}`;
  return new ConsumeError(message, { retryable: true, grpcStatus: rpcCode.deadlineExceeded });
}
