import { type ClientInfo, ConsumeError } from "../delivery.ts";
import type { Pdata } from "../pdata/index.ts";
import type { RecordLog } from "./log.ts";
import { storedClient } from "./record.ts";
import type { LogRecord } from "./segment.ts";
import type { QueueName, QueueOwner, QueueStore, StoredData, StoredRecord } from "./storage.ts";

/** When a sender may come back who found no space. */
const fullDelayMs = 1000;

/** The records that one exporter has to send, and who is sending them. */
export class LogQueue {
  readonly name: QueueName;
  readonly log: RecordLog;
  /** What it has when it opens may be more than it takes. */
  #bytes = 0;
  /** Without an owner. */
  #idle = new Set<LogRecord>();
  /** Records that an earlier run stored and nobody has owned yet. */
  readonly #earlier = new Set<LogRecord>();
  /** The last one owns the queue. When it closes before the one before it, that one owns it again. */
  readonly #owners: OwnedQueue[] = [];

  constructor(name: QueueName, log: RecordLog) {
    this.name = name;
    this.log = log;
  }

  /** Whether an exporter has opened it. */
  get isOwned(): boolean {
    return this.#owners.length > 0;
  }

  /** Records without an owner. */
  get idle(): ReadonlySet<LogRecord> {
    return this.#idle;
  }

  restore(record: LogRecord): void {
    this.#bytes += record.sizeBytes;
    this.#idle.add(record);
    this.#earlier.add(record);
  }

  /** Whether there is space for `bytes` more, which is taken then, until it is given back. */
  reserve(bytes: number): boolean {
    if (this.#bytes + bytes > this.log.maxQueueBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#bytes -= bytes;
  }

  open(owner: QueueOwner): QueueStore {
    const former = this.#owners.at(-1);
    const left = [...(former?.handOver() ?? this.#idle)];
    if (former === undefined) this.#idle = new Set();
    const opened = new OwnedQueue(this, owner, left, itemsOf(left.filter((record) => this.#earlier.delete(record))));
    this.#owners.push(opened);
    return opened;
  }

  /** Records for whoever owns the queue now, other than `from`; without an owner they wait for one. */
  pass(records: Iterable<LogRecord>, from: OwnedQueue): void {
    const current = this.#owners.at(-1);
    if (current !== undefined && current !== from) current.take(records);
    else for (const record of records) this.#idle.add(record);
  }

  isCurrent(opened: OwnedQueue): boolean {
    return this.#owners.at(-1) === opened;
  }

  closed(opened: OwnedQueue): void {
    const at = this.#owners.indexOf(opened);
    if (at >= 0) this.#owners.splice(at, 1);
  }
}

function itemsOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, { items }) => sum + items, 0);
}

/** A queue in the hands of one exporter instance. */
class OwnedQueue implements QueueStore {
  readonly left: readonly LogRecord[];
  readonly earlierItems: number;
  readonly #queue: LogQueue;
  readonly #owner: QueueOwner;
  readonly #records: Set<LogRecord>;
  #appending = 0;
  #onIdle: () => void = () => {};

  constructor(queue: LogQueue, owner: QueueOwner, left: readonly LogRecord[], earlierItems: number) {
    this.#queue = queue;
    this.#owner = owner;
    this.left = left;
    this.earlierItems = earlierItems;
    this.#records = new Set(this.left);
  }

  append(
    data: Pdata,
    client: ClientInfo | undefined,
    stored: (error: ConsumeError | undefined, record: StoredRecord | undefined) => void,
  ): void {
    const { sizeBytes } = data;
    if (!this.#queue.reserve(sizeBytes)) {
      setImmediate(() => stored(outOfSpace(), undefined));
      return;
    }
    this.#appending += 1;
    const kept = client?.metadata === undefined ? undefined : storedClient(client);
    this.#queue.log.append(this.#queue.name.id, data, kept, (error, record) => {
      this.#appending -= 1;
      if (record === undefined) this.#queue.giveBack(sizeBytes);
      if (record !== undefined && !this.#queue.isCurrent(this)) {
        this.#queue.pass([record], this);
        stored(undefined, undefined);
      } else {
        if (record !== undefined) this.#records.add(record);
        stored(error, record);
      }
      if (this.#appending === 0) this.#onIdle();
    });
  }

  async read(record: StoredRecord): Promise<StoredData> {
    return await this.#queue.log.read(record as LogRecord);
  }

  settle(record: StoredRecord): void {
    if (!this.#records.delete(record as LogRecord)) return;
    this.#queue.giveBack(record.sizeBytes);
    this.#queue.log.settle(record as LogRecord);
  }

  handOver(): readonly LogRecord[] {
    const given = this.#owner.handOver() as readonly LogRecord[];
    for (const record of given) this.#records.delete(record);
    return given;
  }

  take(records: Iterable<LogRecord>): void {
    const taken = [...records];
    for (const record of taken) this.#records.add(record);
    this.#owner.take(taken);
  }

  async close(): Promise<void> {
    if (this.#appending > 0) await new Promise<void>((resolve) => (this.#onIdle = resolve));
    const records = [...this.#records];
    this.#records.clear();
    this.#queue.closed(this);
    this.#queue.pass(records, this);
  }
}

/** The Collector's words for it. */
function outOfSpace(): ConsumeError {
  const message = "the storage extension has run out of available space";
  return new ConsumeError(message, { retryable: true, delayMs: fullDelayMs });
}
