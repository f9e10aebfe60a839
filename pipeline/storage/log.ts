import type { Timer } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import { Compactor } from "./compactor.ts";
import type { Disk } from "./disk.ts";
import { LogQueue } from "./log_queue.ts";
import { type LogSettings, type LogSurroundings, LogWriter, type Stored } from "./log_writer.ts";
import { putAside, quarantineName } from "./quarantine.ts";
import { clientOf, type Envelope, type ReadRecord, readRecord } from "./record.ts";
import { type LeftRecord, recover } from "./recover.ts";
import { type LogRecord, type Segment, segmentName } from "./segment.ts";
import { DamagedError, type QueueName, type StoredData } from "./storage.ts";

/** How long what was settled may wait to be written down: after a crash it is sent again. */
const settleEveryMs = 50;
/** Sealed segments that are kept open for reading. */
const openReaders = 16;

/** Settings that may change while it is open. */
type Use = Omit<LogSettings, "segmentBytes">;

/**
 * An append-only log in a directory: batches, each with the queues that have to send it. A segment is removed when every
 * queue has settled all of its records; when most of one is settled, the rest is written anew and it is removed then.
 */
export class RecordLog {
  readonly #disk: Disk;
  /** What those who use it want; the last one decides. */
  readonly #uses: Use[];
  readonly #surroundings: LogSurroundings;
  readonly #queues = new Map<string, LogQueue>();
  readonly #segments = new Set<Segment>();
  readonly #unwritten = new Set<Segment>();
  readonly #removals = new Set<Promise<void>>();
  readonly #writer: LogWriter;
  readonly #compactor: Compactor;
  /** Whether the last attempt to write down what was settled failed: said once, not with each attempt. */
  #isFlushFailing = false;
  #settleTimer: Timer | undefined;
  #damaged = 0;

  private constructor(disk: Disk, settings: LogSettings, surroundings: LogSurroundings, nextId: number) {
    this.#disk = disk;
    this.#uses = [settings];
    this.#surroundings = surroundings;
    const owner = {
      made: (segment: Segment) => void this.#segments.add(segment),
      sealed: async (segment: Segment) => await this.#removeWhenDone(segment),
    };
    const wantsFsync = () => this.#fsync;
    const { segmentBytes } = settings;
    const present = {
      segmentBytes,
      get fsync() {
        return wantsFsync();
      },
    };
    this.#writer = new LogWriter(disk, present, surroundings, { nextId, owner });
    this.#compactor = new Compactor(this.#segments, this.#writer, {
      segmentBytes,
      clock: surroundings.clock,
      logger: surroundings.logger,
      owner: {
        removeWhenDone: async (segment) => await this.#removeWhenDone(segment),
        settled: (segment) => this.#noteSettled(segment),
      },
    });
  }

  /** Opens the log of a directory with all that earlier runs left. @throws when the directory cannot be read. */
  static async open(disk: Disk, settings: LogSettings, surroundings: LogSurroundings): Promise<RecordLog> {
    const { segments, left, nextId, quarantined } = await recover(disk, surroundings.logger);
    const log = new RecordLog(disk, settings, surroundings, nextId);
    log.#damaged = quarantined;
    for (const segment of segments) log.#segments.add(segment);
    // What was written anew is behind what came after it.
    for (const one of left.toSorted((a, b) => a.record.storedMs - b.record.storedMs)) log.#restore(one);
    for (const segment of segments) await log.#removeWhenDone(segment);
    return log;
  }

  #restore({ segment, record, targets }: LeftRecord): void {
    const { envelope, offset, length, dataLength: sizeBytes, storedMs } = record;
    const { signal, items, queues } = envelope;
    for (const target of targets) {
      const restored = segment.add({ segment, offset, length, target, items, sizeBytes, storedMs });
      this.queue({ id: queues[target] ?? "", signal }).restore(restored);
    }
  }

  /** Has these settings apply from now on, until what this returns is called. */
  use(settings: Use): () => void {
    this.#uses.push(settings);
    return () => {
      const at = this.#uses.indexOf(settings);
      if (at >= 0) this.#uses.splice(at, 1);
    };
  }

  /** The most bytes of data that a queue takes. */
  get maxQueueBytes(): number {
    return this.#uses.at(-1)?.maxQueueBytes ?? Number.POSITIVE_INFINITY;
  }

  get #fsync(): boolean {
    return this.#uses.at(-1)?.fsync ?? true;
  }

  /** The queue of an exporter; made when there is none yet. */
  queue(name: QueueName): LogQueue {
    const key = `${name.signal}:${name.id}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) {
      queue = new LogQueue(name, this);
      this.#queues.set(key, queue);
    }
    return queue;
  }

  /** The queues that exist, opened or not. */
  get queues(): readonly LogQueue[] {
    return [...this.#queues.values()];
  }

  /** What its segments take on disk, settled records included. */
  get sizeBytes(): number {
    let sum = 0;
    for (const { size } of this.#segments) sum += size;
    return sum;
  }

  get segmentCount(): number {
    return this.#segments.size;
  }

  /** Damaged records that were found, at the start or later. */
  get damagedRecords(): number {
    return this.#damaged;
  }

  /** Stores what `work` stores so that it survives a power loss, whatever the settings say. */
  async synced(work: () => Promise<void>): Promise<void> {
    await this.#writer.synced(work);
  }

  /** See `QueueStore.append`. */
  append(queueId: string, data: Pdata, client: Envelope["client"], stored: Stored): void {
    this.#writer.append(queueId, data, client, stored);
  }

  /** See `QueueStore.read`. */
  async read(record: LogRecord): Promise<StoredData> {
    const { envelope, data } = await this.#readRecord(record);
    return { bytes: data, client: envelope.client && clientOf(envelope.client) };
  }

  async #readRecord(record: LogRecord): Promise<ReadRecord> {
    const { segment, offset, length } = record;
    const bytes = await segment.read(offset, length).catch((error: unknown) => {
      if (record.segment === segment) throw error;
      return Buffer.alloc(0);
    });
    void this.#closeReaders();
    const found = readRecord(bytes, 0, segment.salt);
    if (found !== undefined && found.head.length === length) return found;
    // It was written anew in the meantime.
    if (record.segment !== segment) return await this.#readRecord(record);
    const kept = quarantineName(segment.id, offset);
    const { logger } = this.#surroundings;
    await putAside(this.#disk, kept, bytes, logger);
    this.#damaged += 1;
    const fields = { file: segmentName(segment.id), offset, bytes: length, kept };
    logger.error(fields, "A record of the queue is damaged and was put aside.");
    throw new DamagedError(`the record at ${offset} of ${segmentName(segment.id)} is damaged`);
  }

  /** See `QueueStore.settle`. */
  settle(record: LogRecord): void {
    const { segment } = record;
    segment.settle(record);
    if (segment.isEmpty && segment.isSealed) {
      const removal = this.#removeWhenDone(segment).finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
      return;
    }
    this.#noteSettled(segment);
  }

  #noteSettled(segment: Segment): void {
    this.#unwritten.add(segment);
    this.#settleTimer ??= this.#surroundings.clock.setTimer(() => {
      this.#settleTimer = undefined;
      void this.#flushSettled(false);
      this.#compactor.check();
    }, settleEveryMs);
  }

  /** Writes what is waiting to be written and closes the files. Nothing may be appended any more. */
  async close(): Promise<void> {
    await this.#compactor.close();
    if (this.#settleTimer !== undefined) this.#surroundings.clock.clearTimer(this.#settleTimer);
    this.#settleTimer = undefined;
    await this.#writer.close();
    await Promise.all(this.#removals);
    await this.#flushSettled(this.#fsync);
    for (const segment of this.#segments) await segment.closeReader();
  }

  async #removeWhenDone(segment: Segment): Promise<void> {
    if (!segment.isEmpty || !segment.isSealed || !this.#segments.delete(segment)) return;
    this.#unwritten.delete(segment);
    await segment.remove().catch((error: unknown) => {
      this.#surroundings.logger.warn({ file: segmentName(segment.id), error }, "Removing a file of the queue failed.");
    });
  }

  async #flushSettled(sync: boolean): Promise<void> {
    const segments = [...this.#unwritten];
    this.#unwritten.clear();
    for (const segment of segments) {
      if (!this.#segments.has(segment)) continue;
      await segment.flushSettled(sync).then(
        () => void (this.#isFlushFailing = false),
        (error: unknown) => this.#flushFailed(segment, error),
      );
    }
  }

  #flushFailed(segment: Segment, error: unknown): void {
    this.#unwritten.add(segment);
    if (this.#isFlushFailing) return;
    this.#isFlushFailing = true;
    const fields = { file: segmentName(segment.id), error };
    const what = "Writing down what was delivered fails; a crash now would send it again.";
    this.#surroundings.logger.warn(fields, what);
  }

  async #closeReaders(): Promise<void> {
    const idle = [...this.#segments].filter((segment) => segment.isIdle);
    for (const segment of idle.slice(0, Math.max(0, idle.length - openReaders))) await segment.closeReader();
  }
}
