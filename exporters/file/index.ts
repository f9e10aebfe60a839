import { type Exporter, exporter } from "../../pipeline/component.ts";
import type { Delivery } from "../../pipeline/delivery.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import type { ExporterHost } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import { type Config, config } from "./config.ts";
import { GrowingFile } from "./file.ts";
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
    { title: "Compressed messages", yaml: "file: { path: ./telemetry.bin, format: proto, compression: zstd }" },
  ],
  traces: (settings, host) => new FileExporter(settings, host),
  metrics: (settings, host) => new FileExporter(settings, host),
  logs: (settings, host) => new FileExporter(settings, host),
  profiles: (settings, host) => new FileExporter(settings, host),
});

/** One signal's way to the file, which all signals of the same id share. */
class FileExporter implements Exporter<Pdata> {
  readonly #host: ExporterHost;
  readonly #writer: FileWriter;
  #isOpen = false;

  constructor(settings: Config, host: ExporterHost) {
    this.#host = host;
    this.#writer = host.shared("file", () => writerOf(settings, host));
  }

  async start(): Promise<void> {
    if (this.#isOpen) return;
    this.#isOpen = true;
    await this.#writer.open();
  }

  consume(delivery: Delivery): void {
    this.#writer.write(delivery, this.#host);
  }

  async drain(deadlineMs: number): Promise<void> {
    const { clock } = this.#host;
    const { promise: outOfTime, resolve } = Promise.withResolvers<void>();
    const timer = clock.setTimer(resolve, Math.max(0, deadlineMs - clock.monotonicMs()));
    await Promise.race([this.#writer.idle(), outOfTime]);
    clock.clearTimer(timer);
  }

  async stop(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#writer.close();
  }
}

function writerOf(settings: Config, host: ExporterHost): FileWriter {
  const { path, append, rotation, create_directory, directory_permissions = "0755" } = settings;
  const file = new GrowingFile(
    {
      path,
      append,
      isLines: settings.format === "json" && settings.compression !== "zstd",
      rotation: rotation && {
        maxBytes: (rotation.max_megabytes || 100) * 1024 * 1024,
        maxDays: rotation.max_days,
        maxBackups: rotation.max_backups,
        localTime: rotation.localtime,
      },
      directoryMode: create_directory ? Number.parseInt(directory_permissions, 8) : undefined,
    },
    () => host.clock.nowMs(),
  );
  const zstdLevel = settings.compression === "zstd" ? settings.compression_params.level || 3 : undefined;
  return new FileWriter(file, { format: settings.format, zstdLevel }, pauseOn(host.clock));
}
