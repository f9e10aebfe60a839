import { type Exporter, exporter } from "../../pipeline/component.ts";
import { untilDeadline } from "../../pipeline/deadline.ts";
import { ConsumeError, type Delivery } from "../../pipeline/delivery.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import type { ExporterHost } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import { type Config, config } from "./config.ts";
import { GrowingFile } from "./file.ts";
import { Backlog, type Files } from "./files.ts";
import { FilesInTurn } from "./files_in_turn.ts";
import { groupPaths } from "./group_path.ts";
import { GroupedFiles } from "./grouped_files.ts";
import { groupsBy } from "./groups.ts";
import { FileWriter } from "./writer.ts";

/** Writes batches to a file, one line or one message each. */
export default exporter({
  type: "file",
  stability: { traces: "alpha", metrics: "alpha", logs: "alpha", profiles: "development" },
  summary: "Writes what arrives to a file, as lines of OTLP/JSON or as OTLP messages, with rotation.",
  config,
  examples: [
    { title: "Lines of JSON", yaml: "file: { path: ./telemetry.json }" },
    {
      title: "Files of 10 MiB, for a week",
      yaml: "file: { path: /var/log/otel/data.json, rotation: { max_megabytes: 10, max_days: 7, max_backups: 3 } }",
    },
    {
      title: "A file for each tenant, named by a resource attribute",
      yaml: 'file: { path: "/var/log/otel/*.json", group_by: { enabled: true, resource_attribute: tenant.id } }',
    },
    { title: "Compressed messages", yaml: "file: { path: ./telemetry.bin, format: proto, compression: zstd }" },
  ],
  traces: (settings, host) => new FileExporter(settings, host),
  metrics: (settings, host) => new FileExporter(settings, host),
  logs: (settings, host) => new FileExporter(settings, host),
  profiles: (settings, host) => new FileExporter(settings, host),
});

/** One signal's way to the files, which all signals of the same id share. */
class FileExporter implements Exporter<Pdata> {
  readonly #host: ExporterHost;
  readonly #files: Files;
  readonly #backlog: Backlog;
  #isOpen = false;

  constructor(settings: Config, host: ExporterHost) {
    this.#host = host;
    this.#files = host.shared("files", () => filesOf(settings, host));
    this.#backlog = host.shared("backlog", () => new Backlog());
  }

  async start(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    await this.#files.open();
  }

  consume(delivery: Delivery): void {
    const { itemCount, sizeBytes } = delivery.data;
    if (!this.#backlog.tryTake(sizeBytes)) {
      this.#host.refuse(
        delivery,
        new ConsumeError("file exporter: the disk is slower than the data", { retryable: true }),
      );
      return;
    }
    this.#files.write(delivery.data, (error, dropped = new Map()) => {
      this.#backlog.give(sizeBytes);
      if (error !== undefined) {
        this.#host.notSent(itemCount, error);
        this.#host.refuse(delivery, error);
        return;
      }
      let written = itemCount;
      for (const [reason, items] of dropped) {
        this.#host.drop(items, reason);
        written -= items;
      }
      this.#host.sent(written);
      delivery.ack();
    });
  }

  async drain(deadlineMs: number): Promise<void> {
    await untilDeadline(this.#host.clock, deadlineMs, this.#files.idle());
  }

  async stop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#files.close();
  }
}

function filesOf(settings: Config, host: ExporterHost): Files {
  const { path, append, format, compression } = settings;
  const make = (goesOn: boolean) => filesAt(settings, append || goesOn, host);
  return new FilesInTurn({ path, encoding: `${format} ${compression}`, make }, host);
}

function filesAt(settings: Config, append: boolean, host: ExporterHost): Files {
  const { path, create_directory, group_by } = settings;
  const mode = Number.parseInt(settings.directory_permissions || "0755", 8);
  if (!group_by.enabled) return writerOf(path, append, create_directory ? mode : undefined, settings, host);
  return new GroupedFiles({
    groups: groupsBy(group_by.resource_attribute),
    pathOf: groupPaths(path),
    maxOpenFiles: group_by.max_open_files,
    makeWriter: (one, goesOn) => writerOf(one, append || goesOn, mode, settings, host),
    logger: host.logger,
  });
}

function writerOf(
  path: string,
  append: boolean,
  directoryMode: number | undefined,
  { rotation, format, compression, compression_params }: Config,
  host: ExporterHost,
): FileWriter {
  const file = new GrowingFile(
    {
      path,
      append,
      isLines: format === "json" && compression !== "zstd",
      rotation: rotation && {
        maxBytes: (rotation.max_megabytes > 0 ? rotation.max_megabytes : 100) * 1024 * 1024,
        maxDays: rotation.max_days,
        maxBackups: rotation.max_backups,
        localTime: rotation.localtime,
      },
      directoryMode,
    },
    () => host.clock.nowMs(),
  );
  const zstdLevel = compression === "zstd" ? Math.min(Math.max(compression_params.level || 3, 1), 22) : undefined;
  return new FileWriter(file, { format, zstdLevel }, pauseOn(host.clock));
}
