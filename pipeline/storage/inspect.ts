import type { Signal } from "../pdata/index.ts";
import { collectorFiles, collectorRequests } from "./collector_file.ts";
import { type Disk, readWhole, withFile } from "./disk.ts";
import { quarantineName } from "./quarantine.ts";
import { recordStart, segmentHead } from "./record.ts";
import { type Damage, type FoundRecord, type Scan, scanSegment } from "./scan.ts";
import { segmentIds, segmentName, settledName } from "./segment.ts";
import { readSettled, settledKey } from "./settled.ts";

/** What one exporter has to send. */
export interface QueueReport {
  readonly exporter: string;
  readonly signal: Signal;
  records: number;
  items: number;
  bytes: number;
  /** When its oldest and its latest record were stored, in milliseconds since the epoch. */
  oldestMs: number;
  newestMs: number;
}

/** One file of the log. */
export interface SegmentReport {
  readonly file: string;
  readonly bytes: number;
  /** Whole records, and those of them that some exporter has to send. */
  readonly records: number;
  readonly unsettled: number;
}

export interface StorageReport {
  readonly queues: readonly QueueReport[];
  readonly segments: readonly SegmentReport[];
  /** Queues of the Collector that were not taken over yet, and other files of it. */
  readonly collector: readonly CollectorFileReport[];
  /** Bytes of damaged records, put aside by otelpipe or by a repair. */
  readonly quarantine: readonly { readonly file: string; readonly bytes: number }[];
  readonly problems: readonly StorageProblem[];
}

/** A database of the Collector's `file_storage`. */
export interface CollectorFileReport {
  readonly file: string;
  readonly bytes: number;
  /** Requests that wait in it; absent when it cannot be read. */
  readonly requests?: number;
}

/** Something that is not as it was written. */
export interface StorageProblem {
  readonly kind: "unfinished write" | "damaged record" | "later version" | "unreadable file" | "notes without records";
  readonly file: string;
  readonly offset?: number;
  readonly bytes?: number;
  /** What the damaged record says it was, when that can be read; not to be relied on. */
  readonly signal?: Signal;
  readonly items?: number;
  readonly exporters?: readonly string[];
  readonly error?: string;
}

/** A segment as it was read. */
interface ReadSegment {
  readonly id: number;
  readonly bytes: Buffer;
  readonly scan: Scan;
  readonly unsettled: readonly { readonly record: FoundRecord; readonly queues: readonly string[] }[];
}

/** Reads the queues of a directory without changing anything. Of one in use it shows some moment. */
export async function inspectStorage(disk: Disk): Promise<StorageReport> {
  const names = await disk.list();
  const queues = new Map<string, QueueReport>();
  const segments: SegmentReport[] = [];
  const problems: StorageProblem[] = [];
  const ids = segmentIds(names);
  for (const id of ids) {
    const segment = await readSegment(disk, names, id).catch((error: Error) => error);
    if (segment instanceof Error) {
      problems.push({ kind: "unreadable file", file: segmentName(id), error: segment.message });
      continue;
    }
    const { bytes, scan, unsettled } = segment;
    const file = segmentName(id);
    segments.push({ file, bytes: bytes.length, records: scan.records.length, unsettled: unsettled.length });
    problems.push(...problemsOf(file, bytes, scan));
    for (const one of unsettled) for (const exporter of one.queues) count(queues, exporter, one.record);
  }
  for (const file of orphanNotes(names, ids)) problems.push({ kind: "notes without records", file });
  const quarantine: { file: string; bytes: number }[] = [];
  for (const file of names.filter((name) => name.startsWith("quarantine-"))) {
    quarantine.push({ file, bytes: (await readWhole(disk, file)).length });
  }
  const collector: CollectorFileReport[] = [];
  for (const file of await collectorFiles(disk, names)) collector.push(await reportCollectorFile(disk, file));
  return { queues: [...queues.values()], segments, collector, quarantine, problems };
}

async function reportCollectorFile(disk: Disk, name: string): Promise<CollectorFileReport> {
  return await withFile(disk, name, async (file) => {
    const read = await collectorRequests(file).catch(() => undefined);
    return { file: name, bytes: await file.size(), ...(read !== undefined && { requests: read.requests.length }) };
  });
}

/**
 * Makes a directory sound again: damaged records are put aside, unfinished writes are cut off, and what is left of a damaged
 * segment is written anew. What a later version wrote and what cannot be read stays as it is. The directory must be locked.
 */
export async function repairStorage(disk: Disk, salt: () => Buffer): Promise<void> {
  const names = await disk.list();
  const ids = segmentIds(names);
  for (const id of ids) {
    const segment = await readSegment(disk, names, id).catch(() => undefined);
    if (segment === undefined || problemsOf("", segment.bytes, segment.scan).length === 0) continue;
    if (segment.scan.foreignVersion === undefined) await rewrite(disk, segment, salt());
  }
  for (const file of orphanNotes(names, ids)) await disk.remove(file);
  await disk.sync();
}

async function readSegment(disk: Disk, names: readonly string[], id: number): Promise<ReadSegment> {
  const bytes = await readWhole(disk, segmentName(id));
  const scan = scanSegment(bytes);
  const notes = names.includes(settledName(id)) ? await readWhole(disk, settledName(id)) : Buffer.alloc(0);
  const { entries } = readSettled(scan.salt ?? Buffer.alloc(0), notes);
  const unsettled = scan.records.flatMap((record) => {
    const { offset, envelope } = record;
    const queues = envelope.queues.filter((_, target) => !entries.has(settledKey({ offset, target })));
    return queues.length === 0 ? [] : [{ record, queues }];
  });
  return { id, bytes, scan, unsettled };
}

function problemsOf(file: string, bytes: Buffer, { damages, tornAt, foreignVersion }: Scan): StorageProblem[] {
  if (foreignVersion !== undefined) return [{ kind: "later version", file }];
  const torn = bytes.length - tornAt;
  return [
    ...damages.map((damage) => ({ kind: "damaged record" as const, file, ...damageFields(damage) })),
    ...(torn > 0 ? [{ kind: "unfinished write" as const, file, offset: tornAt, bytes: torn }] : []),
  ];
}

/** A damage in the words of reports and log lines. */
export function damageFields({ offset, length, envelope }: Damage) {
  const { signal, items, queues: exporters } = envelope ?? {};
  return { offset, bytes: length, ...(envelope !== undefined && { signal, items, exporters }) } as {
    offset: number;
    bytes: number;
    signal?: Signal;
    items?: number;
    exporters?: readonly string[];
  };
}

function count(
  queues: Map<string, QueueReport>,
  exporter: string,
  { envelope, dataLength, storedMs }: FoundRecord,
): void {
  const { signal, items } = envelope;
  const key = `${signal}:${exporter}`;
  const queue = queues.get(key) ?? {
    exporter,
    signal,
    records: 0,
    items: 0,
    bytes: 0,
    oldestMs: storedMs,
    newestMs: storedMs,
  };
  queue.records += 1;
  queue.items += items;
  queue.bytes += dataLength;
  queue.oldestMs = Math.min(queue.oldestMs, storedMs);
  queue.newestMs = Math.max(queue.newestMs, storedMs);
  queues.set(key, queue);
}

function orphanNotes(names: readonly string[], ids: readonly number[]): string[] {
  const known = new Set(ids.map(settledName));
  return names.filter((name) => /^queue-\d+\.settled$/.test(name) && !known.has(name));
}

/** Puts the damaged bytes of a segment aside and replaces it by one of what is left to send. */
async function rewrite(disk: Disk, { id, bytes, scan, unsettled }: ReadSegment, salt: Buffer): Promise<void> {
  for (const { offset, length } of scan.damages) {
    await writeWhole(disk, quarantineName(id, offset), [bytes.subarray(offset, offset + length)]);
  }
  const pieces = unsettled.flatMap(({ record, queues }) => {
    const { offset, length, dataLength, envelope, storedMs } = record;
    const data = bytes.subarray(offset + length - dataLength, offset + length);
    return [recordStart(salt, { ...envelope, queues }, [data], storedMs), data];
  });
  await writeWhole(disk, "repair.tmp", [segmentHead(salt), ...pieces]);
  await disk.rename("repair.tmp", segmentName(id));
  await disk.remove(settledName(id)).catch(() => {});
}

async function writeWhole(disk: Disk, name: string, pieces: readonly Buffer[]): Promise<void> {
  const file = await disk.open(name);
  try {
    await file.truncate(0);
    await file.write(pieces, 0);
    await file.sync();
  } finally {
    await file.close();
  }
}
