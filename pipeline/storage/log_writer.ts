import { ConsumeError } from "../delivery.ts";
import { messageOf } from "../error_text.ts";
import type { Clock, Logger } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import type { Disk, DiskFile } from "./disk.ts";
import { type Envelope, recordStart, segmentHead, segmentHeadLength } from "./record.ts";
import { type LogRecord, Segment, segmentName } from "./segment.ts";

export interface LogSettings {
  /** Whether a record counts as stored only once it survives a power loss. */
  readonly fsync: boolean;
  /** A segment that has reached this size is followed by a new one. */
  readonly segmentBytes: number;
  /** The most bytes of data that one queue takes; no bound when not given. */
  readonly maxQueueBytes?: number;
}

export interface LogSurroundings {
  readonly clock: Clock;
  readonly logger: Logger;
  /** 8 random bytes, other ones each time. */
  salt(): Buffer;
}

/** The most bytes that are written, and made safe, at once. */
const groupBytes = 8 * 1024 * 1024;
/** When a sender may come back who found the disk full or broken. */
const brokenDelayMs = 1000;

/** Called once: with the record when it is stored, or with a retryable error. */
export type Stored = (error: ConsumeError | undefined, record: LogRecord | undefined) => void;

/** One record on its way to the disk; several queues may want it. */
export interface Pending {
  readonly pieces: readonly Buffer[];
  readonly sizeBytes: number;
  readonly envelope: Omit<Envelope, "queues"> & { readonly queues: string[] };
  /** For each of its queues. */
  readonly stored: Stored[];
  /** When it was stored first, if that was before. */
  readonly storedMs?: number;
  /** The batch that it is, by which others find it who store the same one. */
  readonly source?: Pdata;
}

/** What happens to the segments that a writer makes. */
export interface SegmentOwner {
  made(segment: Segment): void;
  sealed(segment: Segment): Promise<void>;
}

/**
 * Appends records to the newest segment. What arrives while one group is written is written as the next one, with one
 * `writev` and one `fdatasync`. A batch that several queues store in the same turn is written once.
 */
export class LogWriter {
  readonly #disk: Disk;
  readonly #settings: LogSettings;
  readonly #surroundings: LogSurroundings;
  readonly #owner: SegmentOwner;
  #nextId: number;
  #active: { readonly segment: Segment; readonly file: DiskFile } | undefined;
  #pending: Pending[] = [];
  #shared = new Map<Pdata, Pending>();
  #committing: Promise<void> | undefined;
  /** Work that needs syncing even where the settings do not ask for it. */
  #syncedWork = 0;

  constructor(
    disk: Disk,
    settings: LogSettings,
    surroundings: LogSurroundings,
    options: { nextId: number; owner: SegmentOwner },
  ) {
    this.#disk = disk;
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#nextId = options.nextId;
    this.#owner = options.owner;
  }

  append(queueId: string, data: Pdata, client: Envelope["client"], stored: Stored): void {
    const shared = this.#shared.get(data);
    if (shared !== undefined && !shared.envelope.queues.includes(queueId)) {
      shared.envelope.queues.push(queueId);
      shared.stored.push(stored);
      return;
    }
    const { signal, itemCount: items, sizeBytes } = data;
    const envelope = { signal, items, queues: [queueId], ...(client !== undefined && { client }) };
    const pieces = data.chunks.map(({ bytes }) => bytes);
    const pending = { pieces, sizeBytes, envelope, stored: [stored], source: data };
    this.#shared.set(data, pending);
    this.add(pending);
  }

  add(pending: Pending): void {
    this.#pending.push(pending);
    this.#committing ??= this.#commitAll();
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

  /** Writes what is waiting to be written, and no more. */
  async close(): Promise<void> {
    await this.#committing;
    await this.#seal();
  }

  get #isSyncing(): boolean {
    return this.#settings.fsync || this.#syncedWork > 0;
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
    for (const { sizeBytes } of this.#pending) {
      if (count > 0 && bytes + sizeBytes > groupBytes) break;
      bytes += sizeBytes;
      count += 1;
    }
    const group = this.#pending.slice(0, count);
    this.#pending = this.#pending.slice(count);
    for (const { source } of group) if (source !== undefined) this.#shared.delete(source);
    return group;
  }

  async #commit(group: readonly Pending[]): Promise<void> {
    const { segment, file } = await this.#writable();
    const nowMs = this.#surroundings.clock.nowMs();
    const pieces: Buffer[] = [];
    let at = segment.size;
    const records = group.map(({ pieces: bodies, sizeBytes, envelope, storedMs = nowMs }) => {
      const start = recordStart(segment.salt, envelope, bodies, storedMs);
      pieces.push(start, ...bodies);
      const record = { offset: at, length: start.length + sizeBytes, items: envelope.items, sizeBytes, storedMs };
      at += record.length;
      return record;
    });
    await this.#write(file, segment, pieces);
    segment.size = at;
    // All queues of a record hold it before the first one may settle it.
    const stored = group.flatMap((pending, index) =>
      pending.stored.map((each, target) => ({ each, record: segment.add({ ...records[index]!, segment, target }) })),
    );
    for (const { each, record } of stored) each(undefined, record);
    if (segment.size >= this.#settings.segmentBytes) await this.#seal();
  }

  /**
   * After a failure nothing of the group may stay in the way of the next one, and the file is not written any more: after a
   * failed sync the system may have thrown the bytes away and say yes the next time, and a full disk has space again once
   * what is in the file was sent and the file is removed.
   */
  async #write(file: DiskFile, segment: Segment, pieces: readonly Buffer[]): Promise<void> {
    try {
      await file.write(pieces, segment.size);
      if (this.#isSyncing) await file.sync();
      if (!(await file.isNamed())) throw new Error(`somebody removed ${segmentName(segment.id)}`);
    } catch (error) {
      await file.truncate(segment.size).catch(() => {});
      await this.#seal();
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
    this.#owner.made(segment);
    this.#active = { segment, file };
    return this.#active;
  }

  async #seal(): Promise<void> {
    const active = this.#active;
    if (active === undefined) return;
    this.#active = undefined;
    active.segment.isSealed = true;
    await active.file.close().catch(() => {});
    await this.#owner.sealed(active.segment);
  }
}

function notStored(error: unknown): ConsumeError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const isFull = ["ENOSPC", "EDQUOT", "EFBIG"].includes(code);
  const message = messageOf(error);
  const what = isFull ? "no space left for the queue on disk" : "the queue on disk cannot be written";
  return new ConsumeError(`${what}: ${message}`, { retryable: true, delayMs: brokenDelayMs, cause: error });
}
