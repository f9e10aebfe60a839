import type { ConsumeError } from "../delivery.ts";
import type { Clock, Logger } from "../host.ts";
import type { LogWriter, Pending } from "./log_writer.ts";
import { readRecord } from "./record.ts";
import type { LogRecord, Segment } from "./segment.ts";

/** Sealed segments may take this many times what is live in them, and this many segments more. */
const mostTimesLive = 2;
const spareSegments = 2;
/** Bytes that are read and written anew at once. */
const groupBytes = 4 * 1024 * 1024;
/** How long to leave it after a failure: with a full disk each attempt would read in vain. */
const retryMs = 1000;

/** What happens to segments whose records were written anew. */
export interface CompactedOwner {
  removeWhenDone(segment: Segment): Promise<void>;
  /** Something in it was settled that is not written down yet. */
  settled(segment: Segment): void;
}

/**
 * Keeps the disk in proportion to what waits: one record that is not sent would keep its whole segment. While settled
 * records take more than the live ones, and more than some segments, the segment with the fewest live bytes is emptied by
 * writing these anew; it is removed when they are on disk, so a crash in between delivers them twice.
 */
export class Compactor {
  readonly #segments: ReadonlySet<Segment>;
  readonly #writer: LogWriter;
  readonly #segmentBytes: number;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #owner: CompactedOwner;
  /** Those that cannot be emptied. */
  readonly #damaged = new WeakSet<Segment>();
  #running: Promise<void> | undefined;
  #notBeforeMs = Number.NEGATIVE_INFINITY;
  #isFailing = false;
  #isClosed = false;

  constructor(
    segments: ReadonlySet<Segment>,
    writer: LogWriter,
    options: { segmentBytes: number; clock: Clock; logger: Logger; owner: CompactedOwner },
  ) {
    this.#segments = segments;
    this.#writer = writer;
    this.#segmentBytes = options.segmentBytes;
    this.#clock = options.clock;
    this.#logger = options.logger;
    this.#owner = options.owner;
  }

  /** Looks whether there is something to do, and does it. */
  check(): void {
    if (this.#isClosed || this.#running !== undefined || this.#clock.monotonicMs() < this.#notBeforeMs) return;
    if (this.#next() === undefined) return;
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
  }

  /** Ends what is under way, at the next record. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    for (let segment = this.#next(); segment !== undefined && !this.#isClosed; segment = this.#next()) {
      try {
        await this.#empty(segment);
        this.#isFailing = false;
      } catch (error) {
        // What could not be read or written stays where it is.
        this.#notBeforeMs = this.#clock.monotonicMs() + retryMs;
        if (!this.#isFailing) this.#logger.warn({ error }, "Making a queue on disk smaller fails; it is tried again.");
        this.#isFailing = true;
        return;
      }
    }
  }

  /** The segment to empty; undefined when what the segments take is in proportion. */
  #next(): Segment | undefined {
    let bytes = 0;
    let liveBytes = 0;
    let emptiest: Segment | undefined;
    for (const segment of this.#segments) {
      if (!segment.isSealed || segment.isPinned || this.#damaged.has(segment)) continue;
      bytes += segment.size;
      liveBytes += segment.liveBytes;
      if (emptiest === undefined || liveShare(segment) < liveShare(emptiest)) emptiest = segment;
    }
    return bytes > mostTimesLive * liveBytes + spareSegments * this.#segmentBytes ? emptiest : undefined;
  }

  async #empty(segment: Segment): Promise<void> {
    let group: Pending[] = [];
    let bytes = 0;
    for (const records of [...segment.liveRecords]) {
      if (this.#isClosed) return;
      const pending = await this.#read(segment, records);
      if (pending !== undefined) group.push(pending);
      bytes += pending?.sizeBytes ?? 0;
      if (bytes < groupBytes) continue;
      await this.#write(group);
      group = [];
      bytes = 0;
    }
    await this.#write(group);
    await this.#owner.removeWhenDone(segment);
  }

  /** What is live of one record; undefined when that is damaged, or settled by now. */
  async #read(segment: Segment, records: readonly LogRecord[]): Promise<Pending | undefined> {
    const [first] = records;
    if (first === undefined) return undefined;
    const bytes = await segment.read(first.offset, first.length);
    const found = readRecord(bytes, 0, segment.salt);
    // Whoever reads it next says that it is damaged.
    if (found === undefined) this.#damaged.add(segment);
    const live = records.filter((record) => segment.has(record));
    if (found === undefined || live.length === 0) return undefined;
    const { data, envelope, head } = found;
    const queues = live.map(({ target }) => envelope.queues[target] ?? "");
    const stored = live.map((record) => this.#mover(segment, record));
    return {
      pieces: [data],
      sizeBytes: data.length,
      envelope: { ...envelope, queues },
      stored,
      storedMs: head.storedMs,
    };
  }

  /** Lets a record be where it was written anew. */
  #mover(former: Segment, record: LogRecord) {
    return (_: ConsumeError | undefined, place: LogRecord | undefined) => {
      if (place === undefined) return;
      const { segment, offset, length, target } = place;
      if (former.has(record)) {
        former.settle(record);
        segment.replace(place, record);
        Object.assign(record, { segment, offset, length, target });
      } else segment.settle(place);
      this.#owner.settled(former);
      this.#owner.settled(segment);
    };
  }

  /** @throws {ConsumeError} when one of them could not be written. */
  async #write(group: readonly Pending[]): Promise<void> {
    if (group.length === 0) return;
    await this.#writer.synced(async () => {
      const failures = await Promise.all(group.map(async (pending) => await written(this.#writer, pending)));
      const failure = failures.find((each) => each !== undefined);
      if (failure !== undefined) throw failure;
    });
  }
}

/** Why it could not be written, if so. */
async function written(writer: LogWriter, pending: Pending): Promise<ConsumeError | undefined> {
  return await new Promise((resolve) => {
    const last = (error: ConsumeError | undefined) => resolve(error);
    writer.add({ ...pending, stored: [...pending.stored.slice(0, -1), both(pending.stored.at(-1), last)] });
  });
}

function both(first: Pending["stored"][number] | undefined, second: (error: ConsumeError | undefined) => void) {
  return (error: ConsumeError | undefined, record: LogRecord | undefined) => {
    first?.(error, record);
    second(error);
  };
}

function liveShare({ liveBytes, size }: Segment): number {
  return liveBytes / size;
}
