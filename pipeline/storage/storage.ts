import type { ClientInfo, ConsumeError } from "../delivery.ts";
import type { Pdata, Signal } from "../pdata/index.ts";

/** Whose queue it is: one per exporter id and signal. */
export interface QueueName {
  readonly id: string;
  readonly signal: Signal;
}

/** A record of one queue that is on disk and not settled. Compared by identity. */
export interface StoredRecord {
  /** Spans, log records, data points or profile samples. */
  readonly items: number;
  /** Of the data, as OTLP. */
  readonly sizeBytes: number;
  /** When it was stored, in milliseconds since the Unix epoch. */
  readonly storedMs: number;
}

/** What a record held. */
export interface StoredData {
  /** One `Export…ServiceRequest`. */
  readonly bytes: Buffer;
  readonly client: ClientInfo | undefined;
}

/** What the owner of a queue lets others ask of it. */
export interface QueueOwner {
  /**
   * A new owner has come, as on a reload: this one takes nothing more. It returns the records it had not begun to send;
   * the rest stay with it until it settles or closes.
   */
  handOver(): readonly StoredRecord[];
  /** Records that another owner gives up. After `handOver` that is the new one, which has gone: this one owns the queue again. */
  take(records: readonly StoredRecord[]): void;
}

/** One exporter's part of a storage. */
export interface QueueStore {
  /** What is there to send, the oldest first: records of earlier runs, and of a former owner. */
  readonly left: readonly StoredRecord[];
  /** Items of `left` that an earlier run of otelpipe stored, and that nobody has had in this one. */
  readonly earlierItems: number;
  /**
   * Stores a batch. `stored` is called exactly once and later: with the record when it is as safe as the storage promises,
   * or with a retryable error. The data is not copied: nobody may write into it until then.
   */
  append(
    data: Pdata,
    client: ClientInfo | undefined,
    stored: (error: ConsumeError | undefined, record: StoredRecord | undefined) => void,
  ): void;
  /**
   * Reads a record back.
   *
   * @throws {DamagedError} when the bytes are not those that were stored; they have been put aside and the record is gone.
   */
  read(record: StoredRecord): Promise<StoredData>;
  /** Forgets a record: it was delivered, or dropped for good. After a crash it may be there once more. */
  settle(record: StoredRecord): void;
  /** Gives up the ownership; what was not settled is there for the next owner. */
  close(): Promise<void>;
}

/** A text that is replaced as a whole, such as how far files were read. */
export interface Checkpoint {
  /** What was written last; undefined when nothing was. */
  read(): Promise<string | undefined>;
  /** Resolves when the text is as safe as the storage promises; until then the one before it is there. */
  write(text: string): Promise<void>;
}

/** What an extension is that keeps queues. */
export interface Storage {
  /** @throws {Error} when the storage is not started. */
  openQueue(name: QueueName, owner: QueueOwner): Promise<QueueStore>;
}

/** What an extension is that keeps checkpoints. */
export interface CheckpointStorage {
  /** The checkpoint of that name, which one component uses at a time. @throws {Error} when the storage is not started. */
  openCheckpoint(name: string): Promise<Checkpoint>;
}

/** A record whose bytes have changed since they were stored. */
export class DamagedError extends Error {
  override readonly name = "DamagedError";
}

export function isCheckpointStorage(candidate: unknown): candidate is CheckpointStorage {
  return typeof candidate === "object" && candidate !== null && "openCheckpoint" in candidate;
}

export function isStorage(candidate: unknown): candidate is Storage {
  return typeof candidate === "object" && candidate !== null && "openQueue" in candidate;
}
