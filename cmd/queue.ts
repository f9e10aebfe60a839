import { randomBytes } from "node:crypto";
import { statSync } from "node:fs";
import { formatDuration } from "../pipeline/config/duration.ts";
import { directoryDisk } from "../pipeline/storage/disk.ts";
import { inspectStorage, repairStorage, type StorageProblem, type StorageReport } from "../pipeline/storage/inspect.ts";
import { lockDirectory } from "../pipeline/storage/lock.ts";
import { parseArguments, unknownText } from "./arguments.ts";
import { UsageError } from "./usage_error.ts";

const actions: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = { inspect, fsck };

/** `otelpipe queue`: looks at the directory of a `file_storage` without running anything. */
export async function queueCommand(args: readonly string[]): Promise<number> {
  const [name = "", ...rest] = args;
  const action = Object.hasOwn(actions, name) ? actions[name] : undefined;
  if (action !== undefined) return await action(rest);
  if (name === "") throw new UsageError("queue needs inspect or fsck");
  throw new UsageError(unknownText("queue command", name, Object.keys(actions)));
}

/** `otelpipe queue inspect DIR`: what each exporter has to send, and the files. Changes nothing. */
async function inspect(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments("queue inspect", args, { json: { type: "boolean" } }, 1);
  const report = await inspectStorage(directoryDisk(directoryOf("inspect", positionals), "read"));
  process.stdout.write(values.json === true ? json(report) : `${inspectText(report, Date.now())}\n`);
  return 0;
}

/** `otelpipe queue fsck DIR`: what is not as it was written; exit code 1 when there is something left. */
async function fsck(args: readonly string[]): Promise<number> {
  const flags = { json: { type: "boolean" }, repair: { type: "boolean" } } as const;
  const { values, positionals } = parseArguments("queue fsck", args, flags, 1);
  const directory = directoryOf("fsck", positionals);
  const before = await inspectStorage(directoryDisk(directory, "read"));
  const mustRepair = values.repair === true && before.problems.length > 0;
  if (mustRepair) await repair(directory);
  const after = mustRepair ? await inspectStorage(directoryDisk(directory, "read")) : before;
  const { problems } = before;
  const text =
    values.json === true ? json({ problems, left: after.problems }) : `${fsckText(before, after, mustRepair)}\n`;
  process.stdout.write(text);
  return after.problems.length === 0 ? 0 : 1;
}

async function repair(directory: string): Promise<void> {
  const lock = await lockDirectory(directory);
  try {
    await repairStorage(directoryDisk(directory), () => randomBytes(8));
  } finally {
    lock.release();
  }
}

function directoryOf(action: string, [directory]: readonly string[]): string {
  if (directory === undefined) throw new UsageError(`queue ${action} needs the directory of a file_storage`);
  const found = statSync(directory, { throwIfNoEntry: false });
  if (found?.isDirectory() === true) return directory;
  throw new Error(`${directory} is ${found === undefined ? "not there" : "not a directory"}`);
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

function inspectText({ queues, segments, collector, quarantine, problems }: StorageReport, nowMs: number): string {
  const age = (ms: number) => formatDuration(Math.max(0, Math.round((nowMs - ms) / 1000)) * 1000);
  const bytes = segments.reduce((sum, segment) => sum + segment.bytes, 0);
  const waiting = queues.map(({ exporter, signal, records, items, bytes: size, oldestMs, newestMs }) => [
    exporter,
    signal,
    `${records}`,
    `${items}`,
    `${size}`,
    age(oldestMs),
    age(newestMs),
  ]);
  const head = ["exporter", "signal", "records", "items", "bytes", "oldest", "latest"];
  const files = segments.map((one) => [one.file, `${one.bytes}`, `${one.records}`, `${one.unsettled}`]);
  return [
    ...(waiting.length === 0 ? ["Nothing is waiting to be sent."] : table([head, ...waiting])),
    "",
    `${segments.length} files, ${bytes} bytes.`,
    ...(files.length === 0 ? [] : table([["file", "bytes", "records", "unsettled"], ...files])),
    ...(collector.length === 0 ? [] : ["", "Files of the Collector; otelpipe takes over the queues of its exporters:"]),
    ...table(collector.map(({ file, bytes: size, requests = "unreadable" }) => [file, `${size}`, `${requests}`])),
    ...(quarantine.length === 0 ? [] : ["", "Put aside because it is damaged:"]),
    ...table(quarantine.map(({ file, bytes: size }) => [file, `${size} bytes`])),
    ...(problems.length === 0 ? [] : ["", `${problems.length} problems: otelpipe queue fsck shows them.`]),
  ].join("\n");
}

function fsckText(
  { problems, segments }: StorageReport,
  { problems: left }: StorageReport,
  isRepaired: boolean,
): string {
  const records = segments.reduce((sum, segment) => sum + segment.records, 0);
  const checked = `Checked ${records} records in ${segments.length} files.`;
  if (problems.length === 0) return `${checked} All are as they were written.`;
  const advice = isRepaired
    ? left.length === 0
      ? "Repaired: damaged bytes are in quarantine-* files."
      : `${left.length} problems are left; they were not touched.`
    : "With --repair damaged bytes are put aside and the rest is kept. otelpipe does the same when it starts.";
  return [checked, ...problems.map(problemText), advice].join("\n");
}

function problemText({ kind, file, offset, bytes, signal, items, exporters, error }: StorageProblem): string {
  const where = offset === undefined ? file : `${file} at ${offset}, ${bytes} bytes`;
  const what = items === undefined ? "" : ` (${items} items of ${signal} for ${exporters?.join(", ")})`;
  return `${where}: ${kind}${what}${error === undefined ? "" : `: ${error}`}`;
}

function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, at) => Math.max(known[at] ?? 0, cell.length)),
    [],
  );
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
