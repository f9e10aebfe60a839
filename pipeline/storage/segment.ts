import type { Disk, DiskFile } from "./disk.ts";
import { type SettledEntry, settledBytes } from "./settled.ts";
import type { StoredRecord } from "./storage.ts";

/** A record of a segment, as one of the queues in its list sees it. It moves when its segment is emptied. */
export interface LogRecord extends StoredRecord {
  segment: Segment;
  offset: number;
  /** On disk, head and envelope included. */
  length: number;
  /** The queue's place in the record's list. */
  target: number;
}

/** Digits of the number of a segment. */
const digits = 10;

/** `queue-0000000001.log`. */
export function segmentName(id: number): string {
  return `queue-${segmentNumber(id)}.log`;
}

export function settledName(id: number): string {
  return `queue-${segmentNumber(id)}.settled`;
}

/** The number of a segment as file names have it. */
export function segmentNumber(id: number): string {
  return String(id).padStart(digits, "0");
}

/** The number of the segment that a file name is of; undefined for other files. */
export function segmentId(name: string): number | undefined {
  const match = /^queue-(\d{10,15})\.log$/.exec(name);
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

/** The numbers of the segments among `names`, the oldest first. */
export function segmentIds(names: readonly string[]): readonly number[] {
  return names
    .map(segmentId)
    .filter((id) => id !== undefined)
    .sort((left, right) => left - right);
}

/** One file of a log: written to its end once, then read, then removed when all its records are settled. */
export class Segment {
  readonly id: number;
  readonly salt: Buffer;
  readonly #disk: Disk;
  /** Bytes up to which it holds whole records. */
  size: number;
  /** Bytes of the records that some queue has not settled. */
  liveBytes = 0;
  /** Whether it stays although nothing in it is live: what could not be put aside is nowhere else. */
  isPinned = false;
  /** Whether nothing is written to it any more. */
  isSealed: boolean;
  /** The records that are not settled, by their offset: one for each queue. */
  readonly #live = new Map<number, LogRecord[]>();
  #isRemoved = false;
  #reader: Promise<DiskFile> | undefined;
  #reading = 0;
  #settled: SettledEntry[] = [];
  #settledSize: number;

  constructor(
    disk: Disk,
    id: number,
    salt: Buffer,
    options: { size: number; isSealed: boolean; settledSize?: number },
  ) {
    this.#disk = disk;
    this.id = id;
    this.salt = salt;
    this.size = options.size;
    this.isSealed = options.isSealed;
    this.#settledSize = options.settledSize ?? 0;
  }

  get isEmpty(): boolean {
    return this.#live.size === 0 && !this.isPinned;
  }

  /** Each of its records that are not settled, as the queues that have to send it see it. */
  get liveRecords(): Iterable<readonly LogRecord[]> {
    return this.#live.values();
  }

  /** Holds a record until it is settled. */
  add(record: LogRecord): LogRecord {
    const known = this.#live.get(record.offset);
    if (known !== undefined) {
      known.push(record);
      return record;
    }
    this.#live.set(record.offset, [record]);
    this.liveBytes += record.length;
    return record;
  }

  has(record: LogRecord): boolean {
    return record.segment === this && this.#live.get(record.offset)?.includes(record) === true;
  }

  /** Another object for the same record. */
  replace(former: LogRecord, record: LogRecord): void {
    const records = this.#live.get(former.offset);
    records?.splice(records.indexOf(former), 1, record);
  }

  /** Whether it holds a file open that nobody reads at the moment. */
  get isIdle(): boolean {
    return this.#reader !== undefined && this.#reading === 0;
  }

  async read(offset: number, length: number): Promise<Buffer> {
    if (this.#isRemoved) throw new Error(`${segmentName(this.id)} is removed`);
    this.#reader ??= this.#disk.open(segmentName(this.id));
    this.#reading += 1;
    try {
      return await (await this.#reader).read(offset, length);
    } catch (error) {
      await this.closeReader();
      throw error;
    } finally {
      this.#reading -= 1;
    }
  }

  async closeReader(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await (await reader?.catch(() => undefined))?.close();
  }

  settle(record: LogRecord): void {
    const { offset, length, target } = record;
    const left = this.#live.get(offset)?.filter((each) => each !== record) ?? [];
    if (left.length > 0) this.#live.set(offset, left);
    else if (this.#live.delete(offset)) this.liveBytes -= length;
    this.#settled.push({ offset, target });
  }

  /** Writes down what was settled since the last time. What could not be written is tried again by the next call. */
  async flushSettled(sync: boolean): Promise<void> {
    const entries = this.#settled;
    if (entries.length === 0) return;
    this.#settled = [];
    try {
      const file = await this.#disk.open(settledName(this.id));
      try {
        const bytes = settledBytes(this.salt, entries);
        await file.write([bytes], this.#settledSize);
        if (sync) await file.sync();
        this.#settledSize += bytes.length;
      } finally {
        await file.close();
      }
    } catch (error) {
      this.#settled = [...entries, ...this.#settled];
      throw error;
    }
  }

  /** Removes its files. The records go first: without the list of what is settled they would all be there again. */
  async remove(): Promise<void> {
    this.#isRemoved = true;
    await this.closeReader();
    await this.#disk.remove(segmentName(this.id));
    await this.#disk.remove(settledName(this.id)).catch(() => {});
  }
}
