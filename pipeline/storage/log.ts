import { ConsumeError } from "../delivery.ts";
import type { Clock, Logger, Timer } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { LogQueue, type LogRecord } from "./log_queue.ts";
import { putAside, quarantineName } from "./quarantine.ts";
import { clientOf, type Envelope, readRecord, recordStart, segmentHead, segmentHeadLength } from "./record.ts";
import { recover } from "./recover.ts";
import { Segment, segmentName } from "./segment.ts";
import { DamagedError, type QueueName, type StoredData } from "./storage.ts";

export interface LogSettings {
  /** Whether a record counts as stored only once it survives a power loss. */
  readonly fsync: boolean;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
}

export interface LogSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 8 random bytes, other ones each time. */
  salt(): Buffer;
}

/** The most bytes that are written, and made safe, at once. */
const groupBytes = 8 * 1024 * 1024;
/** How long what was settled may wait to be written down: after a crash it is sent again. */
const settleEveryMs = 50;
/** Sealed segments that are kept open for reading. */
const openReaders = 16;
/** When a sender may come back who found the disk full or broken. */
const brokenDelayMs = 1000;

/** One batch on its way to the disk; several queues may want it. */
interface Pending {
  readonly data: Pdata;
  readonly envelope: Omit<Envelope, "queues"> & { readonly queues: string[] };
  readonly stored: ((error: ConsumeError | undefined, record: LogRecord | undefined) => void)[];
}

/**
 * An append-only log in a directory: batches, each with the queues that have to send it. What arrives while one group is
 * written is written as the next one, with one `writev` and one `fdatasync`. A batch that several queues store in the same
 * turn is written once. A segment is removed when every queue has settled all of its records.
 */
export class RecordLog {
  readonly #disk: Disk;
  readonly #settings: LogSettings;
  /** Work that needs syncing even where the settings do not ask for it. */
  #syncedWork = 0;
  readonly #surroundings: LogSurroundings;
  readonly #queues = new Map<string, LogQueue>();
  readonly #segments = new Set<Segment>();
  readonly #unwritten = new Set<Segment>();
  readonly #removals = new Set<Promise<void>>();
  #nextId = 1;
  #active: { readonly segment: Segment; readonly file: DiskFile } | undefined;
  #pending: Pending[] = [];
  #shared = new Map<Pdata, Pending>();
  #committing: Promise<void> | undefined;
  #settleTimer: Timer | undefined;
  #damaged = 0;

  private constructor(disk: Disk, settings: LogSettings, surroundings: LogSurroundings) {
    this.#disk = disk;
    this.#settings = settings;
    this.#surroundings = surroundings;
  }

  /** Opens the log of a directory with all that earlier runs left. @throws when the directory cannot be read. */
  static async open(disk: Disk, settings: LogSettings, surroundings: LogSurroundings): Promise<RecordLog> {
    const log = new RecordLog(disk, settings, surroundings);
    const { segments, left, nextId, quarantined } = await recover(disk, surroundings.logger);
    log.#nextId = nextId;
    log.#damaged = quarantined;
    for (const segment of segments) log.#segments.add(segment);
    for (const { segment, record, targets } of left) {
      const { envelope, offset, length, dataLength, storedMs } = record;
      for (const target of targets) {
        const id = envelope.queues[target] ?? "";
        const { signal, items } = envelope;
        log.queue({ id, signal }).restore({ segment, offset, length, target, items, sizeBytes: dataLength, storedMs });
      }
    }
    for (const segment of segments) await log.#removeWhenDone(segment);
    return log;
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
    this.#syncedWork += 1;
    try {
      await work();
      await this.#disk.sync();
    } finally {
      this.#syncedWork -= 1;
    }
  }

  get #isSyncing(): boolean {
    return this.#settings.fsync || this.#syncedWork > 0;
  }

  /** See `QueueStore.append`. */
  append(queueId: string, data: Pdata, client: Envelope["client"], stored: Pending["stored"][number]): void {
    const shared = this.#shared.get(data);
    if (shared !== undefined && !shared.envelope.queues.includes(queueId)) {
      shared.envelope.queues.push(queueId);
      shared.stored.push(stored);
      return;
    }
    const { signal, itemCount: items } = data;
    const pending: Pending = {
      data,
      envelope: { signal, items, queues: [queueId], ...(client !== undefined && { client }) },
      stored: [stored],
    };
    this.#pending.push(pending);
    this.#shared.set(data, pending);
    this.#committing ??= this.#commitAll();
  }

  /** See `QueueStore.read`. */
  async read({ segment, offset, length }: LogRecord): Promise<StoredData> {
    const bytes = await segment.read(offset, length);
    void this.#closeReaders();
    const found = readRecord(bytes, 0, segment.salt);
    if (found !== undefined && found.head.length === length) {
      const { client } = found.envelope;
      return { bytes: found.data, client: client && clientOf(client) };
    }
    const kept = quarantineName(segment.id, offset);
    const { logger } = this.#surroundings;
    await putAside(this.#disk, kept, bytes, logger);
    this.#damaged += 1;
    const fields = { file: segmentName(segment.id), offset, bytes: length, kept };
    logger.error(fields, "A record of the queue is damaged and was put aside.");
    throw new DamagedError(`the record at ${offset} of ${segmentName(segment.id)} is damaged`);
  }

  /** See `QueueStore.settle`. */
  settle({ segment, offset, target }: LogRecord): void {
    segment.settle({ offset, target });
    if (segment.isEmpty && segment.isSealed) {
      const removal = this.#removeWhenDone(segment).finally(() => this.#removals.delete(removal));
      this.#removals.add(removal);
      return;
    }
    this.#unwritten.add(segment);
    this.#settleTimer ??= this.#surroundings.clock.setTimer(() => {
      this.#settleTimer = undefined;
      void this.#flushSettled(false);
    }, settleEveryMs);
  }

  /** Writes what is waiting to be written and closes the files. Nothing may be appended any more. */
  async close(): Promise<void> {
    await this.#committing;
    if (this.#settleTimer !== undefined) this.#surroundings.clock.clearTimer(this.#settleTimer);
    this.#settleTimer = undefined;
    await this.#seal();
    await Promise.all(this.#removals);
    await this.#flushSettled(this.#settings.fsync);
    for (const segment of this.#segments) await segment.closeReader();
  }

  async #commitAll(): Promise<void> {
    // What comes in the same turn of the event loop, from many requests, becomes one group.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#pending.length > 0) {
      const group = this.#nextGroup();
      await this.#commit(group).catch((error: unknown) => {
        const failure = notStored(error);
        for (const { stored } of group) for (const each of stored) each(failure, undefined);
      });
    }
    this.#committing = undefined;
  }

  #nextGroup(): readonly Pending[] {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.#pending) {
      if (count > 0 && bytes + data.sizeBytes > groupBytes) break;
      bytes += data.sizeBytes;
      count += 1;
    }
    const group = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    for (const { data } of group) this.#shared.delete(data);
    return group;
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const { segment, file } = await this.#writable();
    const storedMs = this.#surroundings.clock.nowMs();
    const pieces: Buffer[] = [];
    let at = segment.size;
    const places = group.map(({ data, envelope }) => {
      const bodies = data.chunks.map(({ bytes }) => bytes);
      const start = recordStart(segment.salt, envelope, bodies, storedMs);
      pieces.push(start, ...bodies);
      const place = { offset: at, length: start.length + data.sizeBytes };
      at += place.length;
      return place;
    });
    await this.#write(file, segment, pieces);
    segment.size = at;
    for (const [index, { data, stored }] of group.entries()) {
      const { offset, length } = places[index] ?? { offset: 0, length: 0 };
      const { itemCount: items, sizeBytes } = data;
      for (const [target, each] of stored.entries()) {
        segment.live += 1;
        each(undefined, { segment, offset, length, target, items, sizeBytes, storedMs });
      }
    }
    if (segment.size >= this.#settings.segmentBytes) await this.#seal();
  }

  /**
   * After a failure nothing of the group may stay in the way of the next one. After a failed sync the system may have
   * thrown the bytes away and say yes the next time, so that file is not written any more.
   */
  async #write(file: DiskFile, segment: Segment, pieces: readonly Buffer[]): Promise<void> {
    let isWritten = false;
    try {
      await file.write(pieces, segment.size);
      isWritten = true;
      if (this.#isSyncing) await file.sync();
    } catch (error) {
      const isCut = await file.truncate(segment.size).then(
        () => true,
        () => false,
      );
      if (isWritten || !isCut) await this.#seal();
      throw error;
    }
  }

  /** The segment to write to; a new one when there is none. */
  async #writable(): Promise<{ readonly segment: Segment; readonly file: DiskFile }> {
    if (this.#active !== undefined) return this.#active;
    const id = this.#nextId;
    const name = segmentName(id);
    const salt = this.#surroundings.salt();
    const file = await this.#disk.open(name);
    try {
      await file.write([segmentHead(salt)], 0);
      if (this.#isSyncing) {
        await file.sync();
        await this.#disk.sync();
      }
    } catch (error) {
      await file.close().catch(() => {});
      await this.#disk.remove(name).catch(() => {});
      throw error;
    }
    this.#nextId += 1;
    const segment = new Segment(this.#disk, id, salt, { size: segmentHeadLength, isSealed: false });
    this.#segments.add(segment);
    this.#active = { segment, file };
    return this.#active;
  }

  async #seal(): Promise<void> {
    const active = this.#active;
    if (active === undefined) return;
    this.#active = undefined;
    active.segment.isSealed = true;
    await active.file.close().catch(() => {});
    await this.#removeWhenDone(active.segment);
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
      await segment.flushSettled(sync).catch((error: unknown) => {
        this.#unwritten.add(segment);
        const fields = { file: segmentName(segment.id), error };
        this.#surroundings.logger.warn(
          fields,
          "Writing down what was delivered failed; a crash now would send it again.",
        );
      });
    }
  }

  async #closeReaders(): Promise<void> {
    const idle = [...this.#segments].filter((segment) => segment.isIdle);
    for (const segment of idle.slice(0, Math.max(0, idle.length - openReaders))) await segment.closeReader();
  }
}

function notStored(error: unknown): ConsumeError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isFull = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  const message = error instanceof Error ? error.message : String(error);
  const what = isFull ? "no space left for the queue on disk" : "the queue on disk cannot be written";
  return new ConsumeError(`${what}: ${message}`, { retryable: true, delayMs: brokenDelayMs, cause: error });
}
