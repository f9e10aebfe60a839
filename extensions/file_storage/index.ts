import { randomBytes } from "node:crypto";
import { mkdir, stat } from "node:fs/promises";
import { extension, type Lifecycle } from "../../pipeline/component.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { directoryDisk } from "../../pipeline/storage/disk.ts";
import { type DirectoryLock, lockDirectory } from "../../pipeline/storage/lock.ts";
import { RecordLog } from "../../pipeline/storage/log.ts";
import type { QueueName, QueueOwner, QueueStore, Storage } from "../../pipeline/storage/storage.ts";
import { config, type FileStorageConfig } from "./config.ts";

const segmentBytes = 16 * 1024 * 1024;
const saltLength = 8;

export default extension({
  type: "file_storage",
  stability: "beta",
  summary: "Keeps the sending queues of exporters on disk, so that what was answered for survives a crash.",
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
  create: (settings, host) => new FileStorage(settings, host),
});

class FileStorage implements Lifecycle, Storage {
  readonly #settings: FileStorageConfig;
  readonly #host: ExtensionHost;
  #lock: DirectoryLock | undefined;
  #log: RecordLog | undefined;
  #stopListening: () => void = () => {};

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
    const { directory, timeout, fsync } = this.#settings;
    await this.#makeDirectory();
    this.#lock = await lockDirectory(directory, timeout);
    try {
      const { clock, logger } = this.#host;
      const surroundings = { clock, logger, salt: () => randomBytes(saltLength) };
      this.#log = await RecordLog.open(directoryDisk(directory), { fsync, segmentBytes }, surroundings);
    } catch (error) {
      this.#lock.release();
      throw error;
    }
    this.#stopListening = this.#host.service.onState((state) => {
      if (state === "running") this.#nameOrphans();
    });
  }

  async openQueue(name: QueueName, owner: QueueOwner): Promise<QueueStore> {
    if (this.#log === undefined) throw new Error("the storage is not started");
    return this.#log.queue(name).open(owner);
  }

  async stop(): Promise<void> {
    this.#stopListening();
    await this.#log?.close();
    this.#log = undefined;
    this.#lock?.release();
    this.#lock = undefined;
  }

  async #makeDirectory(): Promise<void> {
    const { directory, create_directory, directory_permissions } = this.#settings;
    if (create_directory) {
      await mkdir(directory, { recursive: true, mode: Number.parseInt(directory_permissions, 8) });
    }
    const { mode } = await stat(directory);
    if ((mode & 0o002) === 0) return;
    this.#host.logger.warn({ directory }, "Everybody on this machine may write to the directory of the queues.");
  }

  /** Data of exporters that are not there any more stays on disk until they are again. */
  #nameOrphans(): void {
    for (const { name, isOwned, idle } of this.#log?.queues ?? []) {
      if (isOwned || idle.size === 0) continue;
      const fields = { exporter: name.id, signal: name.signal, records: idle.size };
      this.#host.logger.warn(fields, "The storage has data of an exporter that no pipeline uses; it is kept.");
    }
  }
}
