import type { Pdata } from "../../../pipeline/pdata/index.ts";
import { RecordLog } from "../../../pipeline/storage/log.ts";
import type { QueueOwner, QueueStore, StoredRecord } from "../../../pipeline/storage/storage.ts";
import { SimulatedDisk } from "../../support/simulated_disk.ts";
import { seededRandom, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

export const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);

export const ownerless: QueueOwner = { handOver: () => [], take: () => {} };

export interface OpenedLogOptions {
  readonly disk?: SimulatedDisk;
  readonly fsync?: boolean;
  readonly segmentBytes?: number;
  readonly seed?: number;
}

/** A log on a simulated disk, and what it said. */
export async function openedLog(options: OpenedLogOptions = {}) {
  const { disk = new SimulatedDisk(), fsync = true, segmentBytes = 16 * 1024 * 1024 } = options;
  const host = simulatedHost();
  const random = seededRandom(options.seed ?? seed);
  const salt = () => Buffer.from(Array.from({ length: 8 }, () => Math.floor(random() * 256)));
  const log = await RecordLog.open(disk, { fsync, segmentBytes }, { clock: host.clock, logger: host.logger, salt });
  return { disk, host, log, messages: () => host.logs.map(({ message }) => message) };
}

/** Stores a batch; resolves with the record, rejects with the refusal. */
export async function store(queue: QueueStore, data: Pdata): Promise<StoredRecord> {
  return await new Promise((resolve, reject) => {
    queue.append(data, undefined, (error, record) => {
      if (record === undefined) reject(error ?? new Error("it went to another owner"));
      else resolve(record);
    });
  });
}

/** The bytes of every record that is left, as they are read back. */
export async function leftIn(queue: QueueStore): Promise<string[]> {
  const texts: string[] = [];
  for (const record of queue.left) texts.push((await queue.read(record)).bytes.toString("latin1"));
  return texts;
}

/** A batch, and the text that `leftIn` gives for it. */
export function batchOf(count: number, name: string) {
  const data = someSpans(count, name);
  return { data, text: data.toBuffer().toString("latin1") };
}
