import { Observable, type Subscriber } from "rxjs";
import type { Operator } from "../../pipeline/component.ts";
import { type ClientInfo, ConsumeError, type Delivery } from "../../pipeline/delivery.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";
import type { BatchSettings } from "./index.ts";
import { type BatchMetrics, batchMetrics } from "./metrics.ts";
import { type Batchable, Shard } from "./shard.ts";

/**
 * Takes requests and answers them at once, sends what has collected when it is large or old enough.
 *
 * What it has acked is in its care: it counts against the byte budget, a batch refused for now is kept and sent again,
 * and while one is kept, new data is only taken up to a bound. It completes when everything has been taken downstream;
 * what is still held when the stream is torn down is dropped with reason `shutdown`.
 *
 * In front of a queue on disk it acks a request only when that queue has all of it: what was answered for is then never in
 * memory only, and at the end senders are told to come back instead of a drop.
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
