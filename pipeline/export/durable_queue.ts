import { ConsumeError } from "../delivery.ts";
import type { ByteBudget, ExporterHost } from "../host.ts";
import { type Pdata, receive, type Signal } from "../pdata/index.ts";
import { DamagedError, isStorage, type QueueOwner, type QueueStore, type StoredRecord } from "../storage/storage.ts";
import { Fifo } from "./fifo.ts";
import { type Caller, type Entry, fullDelayMs, type SendingQueue } from "./queue.ts";
import type { QueueSettings } from "./settings.ts";
import { SpaceWaiters } from "./space_waiters.ts";

/** The data of this much is kept in memory as well, so that an exporter that keeps up reads nothing from disk. */
const memoryBytes = 32 * 1024 * 1024;
/** Records that are read ahead of an exporter that does not. */
const readAhead = 16;
const readAheadBytes = 4 * 1024 * 1024;

/** A record that waits, and its data while that is in memory. */
interface Held<T extends Pdata> {
  readonly record: StoredRecord;
  readonly size: number;
  loaded?: Pick<Entry<T>, "data" | "client">;
  /** Why it is passed over: its bytes are damaged, or the disk does not give them now and may after the next start. */
  unreadable?: "damaged" | "for now";
}

export interface DurableQueueSurroundings {
  readonly signal: Signal;
  readonly budget: ByteBudget;
  /** Counts items whose record cannot be read. */
  readonly unreadable: (items: number, error: unknown) => void;
}

/**
 * Opens the queue of an exporter in the storage that its settings name, with what earlier runs left in it.
 *
 * @throws {Error} when the storage is not running, or is none.
 */
export async function openDurableQueue<T extends Pdata>(
  settings: QueueSettings & { readonly storage: string },
  host: ExporterHost,
): Promise<DurableQueue<T>> {
  const { id, signal, budget, logger } = host;
  const storage = host.extension(settings.storage, isStorage);
  const unreadable = (items: number, error: unknown) => {
    if (error instanceof DamagedError) host.failed(items, "damaged");
    else logger.error({ error, items }, "A record of the queue cannot be read now; it is kept for the next start.");
  };
  const queue = new DurableQueue<T>(settings, { signal, budget, unreadable });
  const items = queue.open(await storage.openQueue({ id, signal }, queue));
  if (items > 0) {
    host.restored(items);
    logger.info({ items, requests: queue.waiting }, "Sending what an earlier run left in the queue.");
  }
  return queue;
}

/**
 * A queue in a storage. An entry is answered for once the storage has it, and forgotten when it is settled: what was being
 * sent when the process ended is sent again by the next one.
 */
export class DurableQueue<T extends Pdata> implements SendingQueue<T>, QueueOwner {
  readonly isDurable = true;
  readonly capacity: number;
  onReady: () => void = () => {};
  readonly #settings: Pick<QueueSettings, "queue_size" | "block_on_overflow" | "sizer">;
  readonly #surroundings: DurableQueueSurroundings;
  #store: QueueStore | undefined;
  #waiting = new Fifo<Held<T>>();
  readonly #taken = new Map<Entry<T>, StoredRecord>();
  readonly #waiters = new SpaceWaiters<T>();
  #usedSize = 0;
  #memoryBytes = 0;
  #storing = 0;
  #isReading = false;
  #isClosed = false;
  /** Whether another owner has what comes next. */
  #isHandedOver = false;

  constructor(settings: QueueSettings, surroundings: DurableQueueSurroundings) {
    this.capacity = settings.queue_size;
    this.#settings = settings;
    this.#surroundings = surroundings;
  }

  /** Takes over what earlier runs and a former owner left. Returns how many items of earlier runs there are. */
  open(store: QueueStore): number {
    this.#store = store;
    this.#hold(store.left);
    return store.earlierItems;
  }

  get usedSize(): number {
    return this.#usedSize;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** Entries that the storage does not have yet. */
  get storing(): number {
    return this.#storing;
  }

  put(entry: Entry<T>, caller: Caller, stored: (error?: ConsumeError) => void): void {
    if (this.#store === undefined) {
      stored(new ConsumeError("the exporter is not started", { retryable: true }));
    } else if (this.#fits(entry.size) && this.#waiters.isEmpty) {
      this.#append(entry, stored);
    } else if (this.#settings.block_on_overflow && !this.#takesNothing && !caller.signal.aborted) {
      this.#waiters.add(entry, caller, stored);
    } else {
      stored(new ConsumeError("sending queue is full", { retryable: true, delayMs: fullDelayMs }));
    }
  }

  next(): Entry<T> | undefined {
    if (this.#takesNothing) return undefined;
    this.#passUnreadable();
    const held = this.#waiting.peek();
    if (held?.loaded === undefined) {
      if (held !== undefined) void this.#read();
      return undefined;
    }
    this.#waiting.shift();
    const entry = { ...held.loaded, size: held.size };
    this.#taken.set(entry, held.record);
    return entry;
  }

  settle(entry: Entry<T>): void {
    const record = this.#forget(entry);
    if (record !== undefined) this.#store?.settle(record);
    this.#letIn();
  }

  keep(entry: Entry<T>): void {
    this.#forget(entry);
  }

  close(): void {
    this.#isClosed = true;
    this.#waiters.refuse();
  }

  /** Gives the storage back what was not settled. */
  async stop(): Promise<void> {
    this.close();
    this.handOver();
    const store = this.#store;
    this.#store = undefined;
    await store?.close();
  }

  handOver(): readonly StoredRecord[] {
    this.#isHandedOver = true;
    this.#waiters.refuse();
    const records: StoredRecord[] = [];
    for (let held = this.#waiting.shift(); held !== undefined; held = this.#waiting.shift()) {
      records.push(held.record);
      this.#usedSize -= held.size;
      if (held.loaded !== undefined) this.#unload(held.loaded.data);
    }
    return records;
  }

  take(records: readonly StoredRecord[]): void {
    this.#isHandedOver = false;
    this.#hold(records);
    this.onReady();
  }

  get #takesNothing(): boolean {
    return this.#isClosed || this.#isHandedOver;
  }

  #fits(size: number): boolean {
    return this.#usedSize + size <= this.capacity;
  }

  #append(entry: Entry<T>, stored: (error?: ConsumeError) => void): void {
    this.#usedSize += entry.size;
    this.#storing += 1;
    this.#store?.append(entry.data, entry.client, (error, record) => {
      this.#storing -= 1;
      if (error !== undefined || record === undefined) {
        // Without an error and without a record another owner has it by now.
        this.#usedSize -= entry.size;
        stored(error);
        this.#letIn();
        this.onReady();
        return;
      }
      const { data, client, size } = entry;
      const held: Held<T> = { record, size };
      if (this.#memoryBytes < memoryBytes && !this.#takesNothing) this.#load(held, data, client);
      this.#waiting.push(held);
      stored();
      this.onReady();
    });
  }

  #letIn(): void {
    this.#waiters.letIn(
      ({ size }) => this.#fits(size),
      (entry, stored) => this.#append(entry, stored),
    );
  }

  #hold(records: readonly StoredRecord[]): void {
    for (const record of records) {
      const size = this.#sizeOf(record);
      this.#usedSize += size;
      this.#waiting.push({ record, size });
    }
  }

  /** Reads what comes next, in its order, and says so. */
  async #read(): Promise<void> {
    const store = this.#store;
    if (this.#isReading || store === undefined) return;
    this.#isReading = true;
    const next = Array.from({ length: readAhead }, (_, index) => this.#waiting.peek(index));
    let bytes = 0;
    for (const held of next) {
      if (held === undefined || held.loaded !== undefined || held.unreadable !== undefined || bytes > readAheadBytes)
        break;
      bytes += held.record.sizeBytes;
      await this.#readOne(store, held);
    }
    this.#isReading = false;
    this.onReady();
  }

  async #readOne(store: QueueStore, held: Held<T>): Promise<void> {
    try {
      const { bytes, client } = await store.read(held.record);
      const data = receive(this.#surroundings.signal, bytes) as Pdata as T;
      if (!this.#takesNothing) this.#load(held, data, client);
    } catch (error) {
      held.unreadable = error instanceof DamagedError ? "damaged" : "for now";
      this.#surroundings.unreadable(held.record.items, error);
    }
  }

  /** Passes over records at the front that cannot be read. */
  #passUnreadable(): void {
    for (let held = this.#waiting.peek(); held?.unreadable !== undefined; held = this.#waiting.peek()) {
      this.#waiting.shift();
      this.#usedSize -= held.size;
      if (held.unreadable === "damaged") this.#store?.settle(held.record);
    }
    this.#letIn();
  }

  #load(held: Held<T>, data: T, client: Entry<T>["client"]): void {
    held.loaded = { data, ...(client !== undefined && { client }) };
    this.#memoryBytes += data.memoryBytes;
    this.#surroundings.budget.take(data.memoryBytes);
  }

  #unload(data: T): void {
    this.#memoryBytes -= data.memoryBytes;
    this.#surroundings.budget.give(data.memoryBytes);
  }

  /** A taken entry is not in the queue's account any more. Its record, unless it was forgotten before. */
  #forget(entry: Entry<T>): StoredRecord | undefined {
    const record = this.#taken.get(entry);
    if (record === undefined) return undefined;
    this.#taken.delete(entry);
    this.#usedSize -= entry.size;
    this.#unload(entry.data);
    return record;
  }

  #sizeOf({ items, sizeBytes }: StoredRecord): number {
    const { sizer } = this.#settings;
    return sizer === "requests" ? 1 : sizer === "items" ? items : sizeBytes;
  }
}
