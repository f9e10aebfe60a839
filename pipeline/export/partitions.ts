import type { ClientInfo } from "../delivery.ts";
import type { Clock } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import { type Batch, Batcher, type BatcherSettings, type Pieces } from "./batcher.ts";
import type { Entry } from "./queue.ts";

/** The most batches that are collected side by side; the one that got nothing for longest is sent when one more comes. */
const maximumPartitions = 10_000;
/** A partition that got nothing for this many flush timeouts is forgotten. */
const idleFlushes = 10;

interface Partition<T extends Pdata> {
  readonly batcher: Batcher<T>;
  usedMs: number;
}

/** What joins entries to batches: one batcher, or one for each combination of some client metadata. */
export interface Joiner<T extends Pdata> {
  readonly isEmpty: boolean;
  add(entry: Entry<T>): void;
  /** Sends everything that is held. */
  flush(): void;
}

/**
 * Batches what has equal values of `keys` (lower case) together and nothing else. A batch carries these values, and only
 * these, as its client's metadata. A missing key and an empty value differ.
 *
 * @see Collector: `exporterhelper/internal/queuebatch/{multi_batcher,metadata_partitioner}.go`.
 */
export class Partitions<T extends Pdata> implements Joiner<T> {
  readonly #settings: BatcherSettings;
  readonly #keys: readonly string[];
  readonly #clock: Clock;
  readonly #emit: (batch: Batch<T> | Pieces<T>) => void;
  /** The one that was used last comes last. */
  readonly #partitions = new Map<string, Partition<T>>();

  constructor(
    settings: BatcherSettings,
    keys: readonly string[],
    clock: Clock,
    emit: (batch: Batch<T> | Pieces<T>) => void,
  ) {
    this.#settings = settings;
    this.#keys = keys;
    this.#clock = clock;
    this.#emit = emit;
  }

  get isEmpty(): boolean {
    for (const { batcher } of this.#partitions.values()) if (!batcher.isEmpty) return false;
    return true;
  }

  /** How many there are. */
  get size(): number {
    return this.#partitions.size;
  }

  add(entry: Entry<T>): void {
    const metadata = metadataOf(entry.client, this.#keys);
    const key = JSON.stringify([...metadata]);
    const partition = this.#partitions.get(key) ?? this.#create(metadata);
    this.#partitions.delete(key);
    this.#partitions.set(key, partition);
    partition.usedMs = this.#clock.monotonicMs();
    this.#forgetOld();
    partition.batcher.add(entry);
  }

  flush(): void {
    for (const { batcher } of this.#partitions.values()) batcher.flush();
  }

  #create(metadata: ReadonlyMap<string, readonly string[]>): Partition<T> {
    const client: ClientInfo = { address: "", transport: "internal", ...(metadata.size > 0 && { metadata }) };
    return { batcher: new Batcher<T>(this.#settings, this.#clock, this.#emit, client), usedMs: 0 };
  }

  #forgetOld(): void {
    const idleSinceMs = this.#clock.monotonicMs() - idleFlushes * this.#settings.flush_timeout;
    for (const [key, { batcher, usedMs }] of this.#partitions) {
      if (this.#partitions.size <= maximumPartitions && (usedMs > idleSinceMs || !batcher.isEmpty)) break;
      this.#partitions.delete(key);
      batcher.flush();
    }
  }
}

const noMetadata: ReadonlyMap<string, readonly string[]> = new Map();

function metadataOf(client: ClientInfo | undefined, keys: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const { metadata } = client ?? {};
  if (metadata === undefined) return noMetadata;
  return new Map(
    keys.flatMap((key) => {
      const values = metadata.get(key);
      return values === undefined ? [] : [[key, values] as const];
    }),
  );
}
