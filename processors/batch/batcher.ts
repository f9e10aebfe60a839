import { Observable, type Subscriber } from "rxjs";
import type { Operator } from "../../pipeline/component.ts";
import { type ClientInfo, ConsumeError, type Delivery, neverAborted } from "../../pipeline/delivery.ts";
import type { ProcessorHost, Timer } from "../../pipeline/host.ts";
import { concat, type Logs, type Metrics, split, type Traces } from "../../pipeline/pdata/index.ts";
import type { BatchSettings } from "./index.ts";
import { type BatchMetrics, batchMetrics } from "./metrics.ts";

type Batchable = Traces | Metrics | Logs;

/** The first wait after a retryable refusal, when the refusal names none; doubled each time, up to the last. */
const firstRetryMs = 500;
const lastRetryMs = 30_000;

/** The longest wait of our own while the stream is ending: a destination that comes back before the deadline is not missed. */
const flushRetryMs = 1_000;

/** While a refused batch waits, this many batches' worth of items may collect behind it; more is refused. */
const batchesBehindRefusal = 4;

/**
 * Takes requests and answers them at once, sends what has collected when it is large or old enough.
 *
 * What it has acked is in its care: it counts against the byte budget, a batch refused for now is kept and sent again,
 * and while one is kept, new data is only taken up to a bound. It completes when everything has been taken downstream;
 * what is still held when the stream is torn down is dropped with reason `shutdown`.
 */
export function batch<T extends Batchable>(settings: BatchSettings, host: ProcessorHost): Operator<T> {
  return (source) =>
    new Observable((subscriber) => {
      const shards = new Shards<T>(settings, host, subscriber);
      const subscription = source.subscribe({
        next: (delivery) => shards.take(delivery),
        error: (error: unknown) => subscriber.error(error),
        complete: () => shards.complete(),
      });
      return () => {
        subscription.unsubscribe();
        shards.giveUp();
      };
    });
}

/** One batcher for each combination of the configured metadata values; just one when none are configured. */
class Shards<T extends Batchable> {
  readonly #settings: BatchSettings;
  readonly #host: ProcessorHost;
  readonly #subscriber: Subscriber<Delivery<T>>;
  readonly #metrics: BatchMetrics;
  readonly #shards = new Map<string, Shard<T>>();
  #completing = false;

  constructor(settings: BatchSettings, host: ProcessorHost, subscriber: Subscriber<Delivery<T>>) {
    this.#settings = settings;
    this.#host = host;
    this.#subscriber = subscriber;
    this.#metrics = batchMetrics(host, () => this.#shards.size);
  }

  take(delivery: Delivery<T>): void {
    const metadata = selectMetadata(delivery.client, this.#settings.metadata_keys);
    const key = metadata.size === 0 ? "" : JSON.stringify([...metadata]);
    let shard = this.#shards.get(key);
    if (shard === undefined) {
      const limit = this.#settings.metadata_cardinality_limit;
      if (this.#settings.metadata_keys.length > 0 && limit > 0 && this.#shards.size >= limit) {
        const error = new ConsumeError("too many batcher metadata-value combinations", { retryable: false });
        this.#host.refuse(delivery, error);
        return;
      }
      shard = new Shard(this.#settings, this.#host, this.#subscriber, this.#metrics, metadata, () => this.#settled());
      this.#shards.set(key, shard);
    }
    shard.take(delivery);
  }

  complete(): void {
    this.#completing = true;
    for (const shard of this.#shards.values()) shard.flush();
    this.#settled();
  }

  giveUp(): void {
    for (const shard of this.#shards.values()) shard.giveUp();
  }

  #settled(): void {
    if (!this.#completing) return;
    for (const shard of this.#shards.values()) if (!shard.isEmpty) return;
    this.#subscriber.complete();
  }
}

class Shard<T extends Batchable> {
  readonly #settings: BatchSettings;
  readonly #host: ProcessorHost;
  readonly #subscriber: Subscriber<Delivery<T>>;
  readonly #metrics: BatchMetrics;
  readonly #client: ClientInfo;
  readonly #onSettled: () => void;
  #pending: T[] = [];
  #pendingItems = 0;
  /** Batches refused for now, in order. While there are any, nothing else is sent. */
  readonly #refused: T[] = [];
  #inFlight = 0;
  #retryMs = firstRetryMs;
  #timer: Timer | undefined;
  #retryTimer: Timer | undefined;
  #flushing = false;
  #stopped = false;

  constructor(
    settings: BatchSettings,
    host: ProcessorHost,
    subscriber: Subscriber<Delivery<T>>,
    metrics: BatchMetrics,
    metadata: ReadonlyMap<string, readonly string[]>,
    onSettled: () => void,
  ) {
    this.#settings = settings;
    this.#host = host;
    this.#subscriber = subscriber;
    this.#metrics = metrics;
    this.#client = { address: "", transport: "internal", ...(metadata.size > 0 && { metadata }) };
    this.#onSettled = onSettled;
  }

  get isEmpty(): boolean {
    return this.#pendingItems === 0 && this.#refused.length === 0 && this.#inFlight === 0;
  }

  take(delivery: Delivery<T>): void {
    const { data } = delivery;
    const bound =
      batchesBehindRefusal * Math.max(this.#settings.send_batch_size, this.#settings.send_batch_max_size, 1);
    if (this.#refused.length > 0 && this.#pendingItems + data.itemCount > bound) {
      const error = new ConsumeError("batch is full: what comes next is not taking data", {
        retryable: true,
        delayMs: this.#retryMs,
      });
      this.#host.refuse(delivery, error);
      return;
    }
    this.#host.budget.take(data.memoryBytes);
    this.#pending.push(data);
    this.#pendingItems += data.itemCount;
    delivery.ack();
    this.#sendWhatIsDue();
  }

  /** Sends everything, whatever its size and however long a refused batch was to wait: the stream is ending. */
  flush(): void {
    this.#flushing = true;
    this.#retryRefused();
  }

  /** Counts what is held as dropped; later answers to batches in flight count as well. */
  giveUp(): void {
    this.#stopped = true;
    this.#clearTimer();
    this.#clearRetryTimer();
    for (const data of [...this.#refused.splice(0), ...this.#pending.splice(0)]) this.#lose(data, "shutdown");
    this.#pendingItems = 0;
  }

  get #isImmediate(): boolean {
    return this.#flushing || this.#settings.timeout === 0 || this.#settings.send_batch_size === 0;
  }

  #sendWhatIsDue(): void {
    const threshold = this.#isImmediate ? 1 : this.#settings.send_batch_size;
    let sent = false;
    while (this.#pendingItems >= threshold && this.#refused.length === 0) {
      if (!this.#flushing) this.#metrics.sizeTriggered();
      this.#send();
      sent = true;
    }
    if (sent || this.#isImmediate) this.#clearTimer();
    if (this.#pendingItems > 0 && !this.#isImmediate) this.#startTimer();
  }

  #startTimer(): void {
    this.#timer ??= this.#host.clock.setTimer(() => {
      this.#timer = undefined;
      if (this.#pendingItems === 0 || this.#refused.length > 0) return;
      this.#metrics.timeoutTriggered();
      this.#send();
      if (this.#pendingItems > 0) this.#startTimer();
    }, this.#settings.timeout);
  }

  #clearTimer(): void {
    if (this.#timer !== undefined) this.#host.clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** Sends one batch: everything that has collected, or the first `send_batch_max_size` items of it. */
  #send(): void {
    const all = concat<T>(this.#pending);
    const { send_batch_max_size: maxItems } = this.#settings;
    const [first, ...rest]: T[] = maxItems > 0 ? split<T>(all, { items: maxItems }) : [all];
    if (first === undefined) return;
    this.#pending = rest;
    this.#pendingItems -= first.itemCount;
    // Splitting repeats resource and scope heads, so the bytes are accounted for anew.
    if (rest.length > 0) {
      const held = [first, ...rest].reduce((sum, data) => sum + data.memoryBytes, 0);
      this.#host.budget.take(held - all.memoryBytes);
    }
    this.#emit(first);
  }

  #emit(data: T): void {
    this.#inFlight += 1;
    this.#metrics.sent(data.itemCount);
    this.#subscriber.next({
      data,
      client: this.#client,
      signal: neverAborted,
      ack: () => {
        this.#inFlight -= 1;
        this.#retryMs = firstRetryMs;
        this.#host.budget.give(data.memoryBytes);
        this.#onSettled();
      },
      nack: (error) => {
        this.#inFlight -= 1;
        if (this.#stopped) this.#lose(data, "shutdown");
        else if (error.retryable) this.#keep(data, error);
        else this.#discard(data, error);
      },
    });
  }

  #keep(data: T, error: ConsumeError): void {
    this.#refused.push(data);
    if (this.#retryTimer !== undefined) return;
    const ownDelayMs = this.#flushing ? Math.min(this.#retryMs, flushRetryMs) : this.#retryMs;
    const delayMs = Math.max(ownDelayMs, error.delayMs ?? 0);
    this.#retryMs = Math.min(this.#retryMs * 2, lastRetryMs);
    this.#host.logger.warn(
      { error: error.message, retry_ms: delayMs },
      "Batch was refused for now; will send it again.",
    );
    this.#retryTimer = this.#host.clock.setTimer(() => this.#retryRefused(), delayMs);
  }

  #retryRefused(): void {
    this.#clearRetryTimer();
    for (const refused of this.#refused.splice(0)) this.#emit(refused);
    this.#sendWhatIsDue();
  }

  #clearRetryTimer(): void {
    if (this.#retryTimer !== undefined) this.#host.clock.clearTimer(this.#retryTimer);
    this.#retryTimer = undefined;
  }

  #discard(data: T, error: ConsumeError): void {
    this.#host.logger.warn({ error: error.message, dropped_items: data.itemCount }, "Sender failed");
    this.#lose(data, "refused_downstream");
    this.#onSettled();
  }

  #lose(data: T, reason: string): void {
    this.#host.drop(data.itemCount, reason);
    this.#host.budget.give(data.memoryBytes);
  }
}

const noMetadata: ReadonlyMap<string, readonly string[]> = new Map();

function selectMetadata(client: ClientInfo, keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  if (keys.length === 0) return noMetadata;
  const selected = new Map<string, readonly string[]>();
  for (const key of keys) {
    const values = client.metadata?.get(key.toLowerCase());
    if (values !== undefined) selected.set(key.toLowerCase(), values);
  }
  return selected;
}
