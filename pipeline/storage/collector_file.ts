import { createHash } from "node:crypto";
import type { ConsumeError } from "../delivery.ts";
import type { Clock, Logger } from "../host.ts";
import { type BboltEntry, BboltError, isBbolt, readBucket } from "./bbolt.ts";
import { nextIndexOf, readStoredRequest, type StoredRequest } from "./collector_request.ts";
import { type Disk, type DiskFile, withFile } from "./disk.ts";
import type { RecordLog } from "./log.ts";
import { putAside } from "./quarantine.ts";
import { storedClient } from "./record.ts";
import type { LogRecord } from "./segment.ts";
import type { QueueName } from "./storage.ts";

/** The bucket of a database that has everything. */
const bucketName = "default";
const metadataKey = "qmv0";
/** In older versions the index alone, 8 bytes, little-endian. */
const oldIndexKey = "ri";
/** What a queue keeps besides its requests. */
const ownKeys = [metadataKey, oldIndexKey, "wi", "di"];
/** Longer names are replaced by their SHA-256. */
const longestName = 255;
/** Bytes of requests that are read and stored together. */
const groupBytes = 4 * 1024 * 1024;

/** The name of the database in which the Collector's `file_storage` keeps the queue of an exporter. */
export function collectorFileName({ id, signal }: QueueName): string {
  const [type = "", ...name] = id.split("/");
  const raw = `exporter_${type}_${name.join("/")}_${signal}`;
  const safe = raw.replace(/[^A-Za-z0-9._-]/gu, (character) => `~${hex(character.codePointAt(0) ?? 0)}`);
  return safe.length <= longestName ? safe : createHash("sha256").update(safe).digest("hex");
}

function hex(codePoint: number): string {
  return codePoint.toString(16).toUpperCase().padStart(4, "0");
}

/** Those of `names` that are databases of the Collector, whoever used them. */
export async function collectorFiles(disk: Disk, names: readonly string[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of names) {
    if (/^(queue-|quarantine-|checkpoint-|otelpipe\.|repair\.)/.test(name) || name.endsWith(".backup")) continue;
    if (await withFile(disk, name, isBbolt).catch(() => false)) found.push(name);
  }
  return found;
}

/** The requests in a database of the Collector, the oldest first, the pages that could not be read, and keys of no queue. */
export async function collectorRequests(file: DiskFile) {
  const { entries, damagedPages } = await readBucket(file, bucketName);
  const next = await nextIndex(file, entries);
  const requests = entries
    .filter(({ key }) => /^\d{1,20}$/.test(key))
    .map((entry) => ({ entry, index: Number(entry.key) }))
    // What was being sent comes last, as when the Collector starts again.
    .sort((left, right) => Number(left.index < next) - Number(right.index < next) || left.index - right.index);
  const strangers = entries.length - requests.length - entries.filter(({ key }) => ownKeys.includes(key)).length;
  return { requests: requests.map(({ entry }) => entry), damagedPages, strangers };
}

async function nextIndex(file: DiskFile, entries: readonly BboltEntry[]): Promise<number> {
  for (const { key, position, length } of entries) {
    if (key === metadataKey) return nextIndexOf(await file.read(position, length));
    if (key === oldIndexKey && length >= 8) return Number((await file.read(position, 8)).readBigUInt64LE(0));
  }
  return 0;
}

export interface ImportSurroundings {
  readonly disk: Disk;
  readonly log: RecordLog;
  readonly logger: Logger;
  readonly clock: Clock;
  /** Whether a file of which nothing can be read is renamed as well, as the Collector does when told to. */
  readonly recreate: boolean;
}

/**
 * Takes over what the Collector left in the queue of an exporter, and removes its file once all of it is on disk in ours. A
 * file of which something cannot be read is renamed to `*.backup` after what can be read was taken over; one of which
 * nothing can be read, or for which there is no space, stays. A crash in the middle may deliver some of it twice.
 */
export async function importCollectorFile(queue: QueueName, surroundings: ImportSurroundings): Promise<void> {
  const { disk, log, logger, recreate } = surroundings;
  const name = collectorFileName(queue);
  if (!(await disk.list()).includes(name)) return;
  const importing = new Import(queue, name, surroundings);
  try {
    await log.synced(async () => await withFile(disk, name, async (file) => await importing.run(file)));
    await importing.finish();
  } catch (error) {
    importing.undo();
    if (error instanceof BboltError && recreate) {
      await importing.putAside(error);
      return;
    }
    const what =
      error instanceof BboltError
        ? "A queue of the Collector cannot be read; its file is left as it is."
        : "A queue of the Collector could not be taken over; its file is left as it is, for the next start.";
    logger.error({ file: name, exporter: queue.id, signal: queue.signal, error }, what);
  }
}

/** One database on its way into the log. */
class Import {
  readonly #queue: QueueName;
  readonly #name: string;
  readonly #surroundings: ImportSurroundings;
  readonly #records: LogRecord[] = [];
  #damaged = 0;
  #damagedPages = 0;
  /** Keys that no queue has. */
  #strangers = 0;

  constructor(queue: QueueName, name: string, surroundings: ImportSurroundings) {
    this.#queue = queue;
    this.#name = name;
    this.#surroundings = surroundings;
  }

  async run(file: DiskFile): Promise<void> {
    const { requests, damagedPages, strangers } = await collectorRequests(file);
    this.#damagedPages = damagedPages;
    this.#strangers = strangers;
    let group: StoredRequest[] = [];
    let bytes = 0;
    for (const request of requests) {
      const stored = await this.#read(file, request);
      if (stored === undefined || stored.data.itemCount === 0) continue;
      group.push(stored);
      bytes += request.length;
      if (bytes < groupBytes) continue;
      await this.#store(group);
      group = [];
      bytes = 0;
    }
    await this.#store(group);
  }

  /** Does away with the file and gives what was stored to the queue. */
  async finish(): Promise<void> {
    const { disk, log, logger } = this.#surroundings;
    const items = this.#records.reduce((sum, record) => sum + record.items, 0);
    const { id: exporter, signal } = this.#queue;
    const counts = { file: this.#name, exporter, signal, requests: this.#records.length, items };
    if (this.#damaged + this.#damagedPages + this.#strangers === 0) {
      await disk.remove(this.#name);
      logger.info(counts, "Took over a queue of the Collector; its file is removed.");
    } else {
      const kept = await this.#rename();
      const damages = { damaged_requests: this.#damaged, damaged_pages: this.#damagedPages };
      const fields = { ...counts, ...damages, unknown_keys: this.#strangers, kept };
      logger.error(fields, "Took over what can be read of a queue of the Collector; its file is kept.");
    }
    for (const record of this.#records) log.queue(this.#queue).restore(record);
  }

  /** Takes back what was stored. */
  undo(): void {
    const { log } = this.#surroundings;
    for (const record of this.#records) log.settle(record);
  }

  /** Keeps the file of which nothing can be read, under a name at which it is not looked any more. */
  async putAside(error: BboltError): Promise<void> {
    const kept = await this.#rename();
    const { id: exporter, signal } = this.#queue;
    const fields = { file: this.#name, exporter, signal, error, kept };
    this.#surroundings.logger.error(fields, "A queue of the Collector cannot be read and was put aside.");
  }

  async #rename(): Promise<string> {
    const { disk, clock } = this.#surroundings;
    const kept = `${this.#name}.${new Date(clock.nowMs()).toISOString().replaceAll(/[-:]/g, "")}.backup`;
    await disk.rename(this.#name, kept);
    return kept;
  }

  async #read(file: DiskFile, { key, position, length }: BboltEntry): Promise<StoredRequest | undefined> {
    const value = await file.read(position, length);
    try {
      return readStoredRequest(this.#queue.signal, value);
    } catch {
      const { disk, logger } = this.#surroundings;
      this.#damaged += 1;
      await putAside(disk, `quarantine-${this.#name}-${key}.bin`, value, logger);
      return undefined;
    }
  }

  /** @throws {ConsumeError} when one of them cannot be stored, after all others were. */
  async #store(group: readonly StoredRequest[]): Promise<void> {
    const { log } = this.#surroundings;
    const failures: ConsumeError[] = [];
    const each = group.map(async ({ data, client }) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      log.append(this.#queue.id, data, client && storedClient(client), (error, record) => {
        if (record !== undefined) this.#records.push(record);
        if (error !== undefined) failures.push(error);
        resolve();
      });
      await promise;
    });
    await Promise.all(each);
    const [failure] = failures;
    if (failure !== undefined) throw failure;
  }
}
