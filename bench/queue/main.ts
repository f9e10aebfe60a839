/**
 * What a queue on disk costs beside one in memory: requests a second, CPU and time to the answer of each, and how many
 * share one write, for some senders at a time. The exporter behind the queue takes everything at once. Beside them the
 * floor: the same bytes appended to a bare file, one `fdatasync` a request.
 *
 *     node bench/queue/main.ts [--seconds 2] [--directory DIR] [--smoke]
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { Exporter } from "../../pipeline/component.ts";
import { neverAborted } from "../../pipeline/delivery.ts";
import { queuedExporter } from "../../pipeline/export/queued_exporter.ts";
import { queueSettings, retrySettings } from "../../pipeline/export/settings.ts";
import { receive, type Traces } from "../../pipeline/pdata/index.ts";
import { systemClock } from "../../pipeline/process/clock.ts";
import { type Disk, directoryDisk } from "../../pipeline/storage/disk.ts";
import { RecordLog } from "../../pipeline/storage/log.ts";
import type { Storage } from "../../pipeline/storage/storage.ts";
import { simulatedHost } from "../../test/support/simulated_host.ts";
import { someSpans } from "../../test/support/traces.ts";

const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "2" },
    directory: { type: "string", default: tmpdir() },
    smoke: { type: "boolean" },
  },
});
const measuredMs = values.smoke ? 50 : Number(values.seconds) * 1000;
const warmUpMs = measuredMs / 4;
const segmentBytes = 8 * 1024 * 1024;

const shapes = [
  { name: "1 span, 0.5 kB", data: spansOf(1) },
  { name: "50 spans, 25 kB", data: spansOf(50) },
];
const sendersAtOnce = values.smoke ? [4] : [1, 16, 128];

/** A request of spans of about 490 bytes. */
function spansOf(count: number): Traces {
  return receive("traces", someSpans(count, "x".repeat(420)).toBuffer());
}

interface Queue {
  readonly exporter: Exporter<Traces>;
  /** Writes to the log so far. */
  writes(): number;
  stop(): Promise<void>;
}

/** An exporter with its queue in memory, or with `fsync` given in a log on disk. */
async function startQueue(directory: string, fsync?: boolean): Promise<Queue> {
  let writes = 0;
  const disk = fsync === undefined ? undefined : counting(directoryDisk(directory), () => writes++);
  const surroundings = { clock: systemClock, logger: simulatedHost().logger, salt: () => randomBytes(8) };
  const log = disk && (await RecordLog.open(disk, { fsync: fsync === true, segmentBytes }, surroundings));
  const storage: Storage | undefined = log && { openQueue: async (name, owner) => log.queue(name).open(owner) };
  const host = simulatedHost({ budgetBytes: 4e9, ...(storage && { extensions: { file_storage: storage } }) });
  const settings = {
    sending_queue: queueSettings().parse({ queue_size: 1e6, ...(storage && { storage: "file_storage" }) }),
    retry_on_failure: retrySettings().parse({}),
    timeout: 0,
  };
  const exporter = queuedExporter<Traces>(settings, Object.assign(host, { clock: systemClock }), () => {});
  await exporter.start?.();
  const stop = async () => {
    await exporter.drain?.(systemClock.monotonicMs() + 10_000);
    await exporter.stop?.();
    await log?.close();
  };
  return { exporter, writes: () => writes, stop };
}

/** Counts writes to files of records. */
function counting(disk: Disk, onWrite: () => void): Disk {
  return {
    ...disk,
    async open(name) {
      const file = await disk.open(name);
      if (!name.endsWith(".log")) return file;
      const write = file.write.bind(file);
      file.write = async (pieces, position) => {
        onWrite();
        await write(pieces, position);
      };
      return file;
    },
  };
}

interface Figures {
  readonly perSecond: number;
  readonly cpuMicros: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests of one write. */
  readonly group?: number;
}

/** Lets `senders` send, each its next request when the last one is answered. */
async function measure(send: () => Promise<void>, senders: number, writes: () => number): Promise<Figures> {
  const times: number[] = [];
  let isMeasuring = false;
  let endMs = performance.now() + warmUpMs;
  const run = async () => {
    while (performance.now() < endMs) {
      const startMs = performance.now();
      await send();
      if (isMeasuring) times.push(performance.now() - startMs);
    }
  };
  await Promise.all(Array.from({ length: senders }, run));
  isMeasuring = true;
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  const writesBefore = writes();
  endMs = startMs + measuredMs;
  await Promise.all(Array.from({ length: senders }, run));
  const { user, system } = process.cpuUsage(cpu);
  const seconds = (performance.now() - startMs) / 1000;
  const written = writes() - writesBefore;
  times.sort((left, right) => left - right);
  return {
    perSecond: times.length / seconds,
    cpuMicros: (user + system) / times.length,
    p50Ms: times[Math.floor(times.length * 0.5)] ?? 0,
    p99Ms: times[Math.floor(times.length * 0.99)] ?? 0,
    ...(written > 0 && { group: times.length / written }),
  };
}

function print(cells: readonly string[]): void {
  const widths = [16, 22, 7, 10, 12, 8, 8, 8];
  console.log(cells.map((cell, at) => (at < 2 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!))).join(" "));
}

function printFigures(shape: string, queue: string, senders: number, figures: Figures): void {
  const { perSecond, cpuMicros, p50Ms, p99Ms, group } = figures;
  const numbers = [cpuMicros.toFixed(1), p50Ms.toFixed(2), p99Ms.toFixed(2), group?.toFixed(1) ?? ""];
  print([shape, queue, `${senders}`, perSecond.toFixed(0), ...numbers]);
}

print(["request", "queue", "senders", "requests/s", "CPU us each", "p50 ms", "p99 ms", "a write"]);
for (const { name, data } of shapes) {
  for (const [queue, fsync] of [
    ["in memory", undefined],
    ["on disk, fsync: false", false],
    ["on disk", true],
  ] as const) {
    for (const senders of sendersAtOnce) {
      const directory = mkdtempSync(join(values.directory, "otelpipe-bench-queue-"));
      const { exporter, writes, stop } = await startQueue(directory, fsync);
      const client = { address: "", transport: "internal" } as const;
      const send = () =>
        new Promise<void>((resolve, reject) => {
          exporter.consume({ data, client, signal: neverAborted, ack: () => setImmediate(resolve), nack: reject });
        });
      printFigures(name, queue, senders, await measure(send, senders, writes));
      await stop();
      rmSync(directory, { recursive: true });
    }
  }
  const path = join(mkdtempSync(join(values.directory, "otelpipe-bench-queue-")), "floor");
  const file = await open(path, "w");
  const bytes = data.toBuffer();
  const append = async () => {
    await file.write(bytes);
    await file.datasync();
  };
  printFigures(name, "floor: write, fdatasync", 1, await measure(append, 1, () => 0));
  await file.close();
  rmSync(join(path, ".."), { recursive: true });
}
