import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, realpath, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { extension, type Lifecycle } from "../../pipeline/component.ts";
import type { Exclusive, ExtensionHost } from "../../pipeline/host.ts";
import { makeDirectory } from "../../pipeline/make_directory.ts";
import { fileCheckpoint } from "../../pipeline/storage/checkpoint.ts";
import { collectorFileName, collectorFiles, importCollectorFile } from "../../pipeline/storage/collector_file.ts";
import { directoryDisk } from "../../pipeline/storage/disk.ts";
import { type DirectoryLock, flockHolder, LockedError, lockDirectory, patiently } from "../../pipeline/storage/lock.ts";
import { RecordLog } from "../../pipeline/storage/log.ts";
import type {
  Checkpoint,
  CheckpointStorage,
  QueueName,
  QueueOwner,
  QueueStore,
  Storage,
} from "../../pipeline/storage/storage.ts";
import { config, type FileStorageConfig } from "./config.ts";

const segmentBytes = 8 * 1024 * 1024;
const saltLength = 8;

export default extension({
  type: "file_storage",
  stability: "beta",
  summary:
    "Keeps the sending queues of exporters on disk, so that what was answered for survives a crash, and how far receivers have read files.",
  config,
  examples: [
    {
      title: "In a directory of its own",
      yaml: "file_storage: { directory: ./queue, create_directory: true }",
    },
    {
      title: "Without waiting for the disk: a power loss may cost what was answered for in the last seconds",
      yaml: "file_storage: { directory: ./queue, create_directory: true, fsync: false }",
    },
  ],
  roles: () => ["storage extension"],
  create: (settings, host) => new FileStorage(settings, host),
});

/** A directory of queues that this process has for itself. */
interface OpenDirectory {
  readonly lock: DirectoryLock;
  readonly log: RecordLog;
}

async function closeDirectory({ lock, log }: OpenDirectory): Promise<void> {
  await log.close();
  lock.release();
}

class FileStorage implements Lifecycle, Storage, CheckpointStorage {
  readonly #settings: FileStorageConfig;
  readonly #host: ExtensionHost;
  #opened: Exclusive<OpenDirectory> | undefined;
  #log: RecordLog | undefined;
  #stopUsing: () => void = () => {};
  #stopListening: () => void = () => {};
  #naming: Promise<void> | undefined;

  constructor(settings: FileStorageConfig, host: ExtensionHost) {
    this.#settings = settings;
    this.#host = host;
    const gauge = (name: string, unit: string, description: string, read: (log: RecordLog) => number) =>
      host.meter.gauge(`otelpipe_storage_${name}`, { description, unit }, () =>
        this.#log === undefined ? 0 : read(this.#log),
      );
    gauge("size_bytes", "By", "What the files of the queues take on disk.", (log) => log.sizeBytes);
    gauge("segments", "{file}", "Files of the queues on disk.", (log) => log.segmentCount);
    gauge("damaged_records", "{record}", "Damaged records that were found and put aside.", (log) => log.damagedRecords);
  }

  async start(): Promise<void> {
    if (this.#log !== undefined) return;
    const { directory, fsync, compaction } = this.#settings;
    await this.#makeDirectory();
    if (compaction.cleanup_on_start) await this.#cleanUp();
    const name = `the queues in ${await realpath(directory)}`;
    this.#opened = await this.#host.exclusive(name, { open: () => this.#open(), close: closeDirectory });
    this.#log = this.#opened.thing.log;
    this.#stopUsing = this.#log.use({ fsync, ...this.#limit });
    let isHeard = false;
    this.#stopListening = this.#host.service.onState((state) => {
      // When it takes its place in a running service, exporters have not opened their queues yet.
      if (!isHeard || state !== "running") return;
      this.#nameOrphans();
      this.#naming = this.#nameCollectorFiles();
    });
    isHeard = true;
  }

  async #open(): Promise<OpenDirectory> {
    const { directory, timeout, fsync } = this.#settings;
    const { clock, logger } = this.#host;
    const lock = await patiently(clock, timeout, async () => await lockDirectory(directory));
    try {
      const surroundings = { clock, logger, salt: () => randomBytes(saltLength) };
      const settings = { fsync, segmentBytes, ...this.#limit };
      return { lock, log: await RecordLog.open(directoryDisk(directory), settings, surroundings) };
    } catch (error) {
      lock.release();
      throw error;
    }
  }

  get #limit(): { readonly maxQueueBytes?: number } {
    const { max_size } = this.#settings;
    return max_size > 0 ? { maxQueueBytes: max_size } : {};
  }

  async openQueue(name: QueueName, owner: QueueOwner): Promise<QueueStore> {
    const log = this.#log;
    if (log === undefined) throw new Error("the storage is not started");
    const queue = log.queue(name);
    if (!queue.isOwned) await this.#takeOver(name, log);
    return queue.open(owner);
  }

  async openCheckpoint(name: string): Promise<Checkpoint> {
    if (this.#log === undefined) throw new Error("the storage is not started");
    return fileCheckpoint(directoryDisk(this.#settings.directory), name, this.#settings);
  }

  /** What the Collector left in its queue of the same exporter. Its file must not be in use. */
  async #takeOver(name: QueueName, log: RecordLog): Promise<void> {
    const { clock, logger } = this.#host;
    const { directory, timeout, recreate } = this.#settings;
    const path = join(directory, collectorFileName(name));
    if (!existsSync(path)) return;
    await patiently(clock, timeout, async () => await expectUnlocked(path));
    await importCollectorFile(name, { disk: directoryDisk(directory), log, logger, clock, recreate });
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#naming;
    this.#log = undefined;
    this.#stopUsing();
    await this.#opened?.release();
    this.#opened = undefined;
  }

  async #makeDirectory(): Promise<void> {
    const { directory, create_directory, directory_permissions } = this.#settings;
    if (create_directory) await makeDirectory(directory, Number.parseInt(directory_permissions, 8));
    const { mode } = await stat(directory);
    if ((mode & 0o002) === 0) return;
    this.#host.logger.warn({ directory }, "Everybody on this machine may write to the directory of the queues.");
  }

  /** Removes what the Collector leaves when it is killed while it makes a file smaller. */
  async #cleanUp(): Promise<void> {
    const { directory } = this.#settings.compaction;
    const names = await readdir(directory).catch(() => []);
    for (const name of names.filter((each) => each.startsWith("tempdb"))) {
      await unlink(join(directory, name)).catch((error: unknown) => {
        this.#host.logger.warn(
          { file: join(directory, name), error },
          "Removing a temporary file of the Collector failed.",
        );
      });
    }
  }

  /** Data of exporters that are not there any more stays on disk until they are again. */
  #nameOrphans(): void {
    for (const { name, isOwned, idle } of this.#log?.queues ?? []) {
      if (isOwned || idle.size === 0) continue;
      const fields = { exporter: name.id, signal: name.signal, records: idle.size };
      this.#host.logger.warn(fields, "The storage has data of an exporter that no pipeline uses; it is kept.");
    }
  }

  /** What the Collector left in the directory and nobody took over. */
  async #nameCollectorFiles(): Promise<void> {
    const disk = directoryDisk(this.#settings.directory);
    const names = await disk.list().catch(() => []);
    for (const file of await collectorFiles(disk, names)) {
      const what = "A file of the Collector is left as it is: it is of no exporter that keeps its queue here.";
      this.#host.logger.warn({ file }, what);
    }
  }
}

/** @throws {LockedError} when another process uses a file of the Collector. */
async function expectUnlocked(path: string): Promise<void> {
  const holder = await flockHolder(path);
  if (holder === undefined) return;
  const advice = "stop the Collector first, its queue is taken over then";
  throw new LockedError(`${path} is in use by process ${holder}: ${advice}`);
}
