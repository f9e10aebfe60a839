import type { Logger } from "../host.ts";
import { type Disk, readWhole, withFile } from "./disk.ts";
import { damageFields } from "./inspect.ts";
import { putAside, quarantineName } from "./quarantine.ts";
import type { Envelope } from "./record.ts";
import { type Damage, type FoundRecord, type Scan, scanSegment } from "./scan.ts";
import { Segment, segmentIds, segmentName, settledName } from "./segment.ts";
import { readSettled, settledKey } from "./settled.ts";

/** A record of an earlier run, with the places of the queues in its list that have not settled it. */
export interface LeftRecord {
  readonly segment: Segment;
  readonly record: FoundRecord;
  readonly targets: readonly number[];
}

export interface Recovery {
  readonly segments: readonly Segment[];
  readonly left: readonly LeftRecord[];
  readonly nextId: number;
  /** Damages that were found for the first time. */
  readonly quarantined: number;
}

/**
 * Reads what earlier runs left in a directory, the oldest first. It never fails because of what it finds: damaged bytes are
 * put aside and reported, an unfinished write at the end is cut off, a file that cannot be read is reported and left alone.
 *
 * @throws the file system's error when the directory cannot be listed.
 */
export async function recover(disk: Disk, logger: Logger): Promise<Recovery> {
  const names = await disk.list();
  const ids = segmentIds(names);
  const segments: Segment[] = [];
  const left: LeftRecord[] = [];
  let quarantined = 0;
  for (const id of ids) {
    try {
      const one = await recoverSegment(disk, id, { logger, names, isLast: id === ids.at(-1) });
      quarantined += one.quarantined;
      if (one.segment !== undefined) segments.push(one.segment);
      left.push(...one.left);
    } catch (error) {
      logger.error({ file: segmentName(id), error }, "A file of the queue cannot be read; it is left as it is.");
    }
  }
  for (const name of names) {
    const id = Number(/^queue-(\d+)\.settled$/.exec(name)?.[1] ?? Number.NaN);
    if (!Number.isNaN(id) && !ids.includes(id)) await disk.remove(name).catch(() => {});
  }
  return { segments, left, nextId: (ids.at(-1) ?? 0) + 1, quarantined };
}

interface Surroundings {
  readonly logger: Logger;
  readonly names: readonly string[];
  readonly isLast: boolean;
}

async function recoverSegment(disk: Disk, id: number, { logger, names, isLast }: Surroundings) {
  const bytes = await readWhole(disk, segmentName(id));
  const scan = scanSegment(bytes);
  const file = segmentName(id);
  if (scan.foreignVersion !== undefined) {
    const fields = { file, version: scan.foreignVersion };
    logger.error(fields, "A file of the queue is of a later version of otelpipe; it is left as it is.");
    return { left: [], quarantined: 0 };
  }
  const damages = await cutTorn(disk, id, bytes, scan, { logger, isLast });
  let quarantined = 0;
  let isKept = true;
  for (const damage of damages) {
    const name = quarantineName(id, damage.offset);
    if (names.includes(name)) continue;
    const { offset, length } = damage;
    isKept = (await putAside(disk, name, bytes.subarray(offset, offset + length), logger)) && isKept;
    logger.error({ file, ...damageFields(damage), kept: name }, "A record of the queue is damaged and was put aside.");
    quarantined += 1;
  }
  const settledBytes = names.includes(settledName(id)) ? await readWhole(disk, settledName(id)) : Buffer.alloc(0);
  const salt = scan.salt ?? Buffer.alloc(8);
  const settled = readSettled(salt, settledBytes);
  const segment = new Segment(disk, id, salt, { size: scan.tornAt, isSealed: true, settledSize: settled.length });
  // What could not be put aside is still in the segment: that must not go with its last record.
  segment.isPinned = !isKept;
  const left = scan.records.flatMap((record) => {
    const targets = targetsOf(record.envelope).filter(
      (target) => !settled.entries.has(settledKey({ offset: record.offset, target })),
    );
    return targets.length === 0 ? [] : [{ segment, record, targets }];
  });
  return { segment, left, quarantined };
}

function targetsOf({ queues }: Envelope): number[] {
  return queues.map((_, index) => index);
}

/** Cuts off a write that was never finished. In a segment that others follow, all writes were finished: that is damage. */
async function cutTorn(
  disk: Disk,
  id: number,
  bytes: Buffer,
  { tornAt, damages }: Scan,
  { logger, isLast }: Pick<Surroundings, "logger" | "isLast">,
): Promise<readonly Damage[]> {
  const length = bytes.length - tornAt;
  if (length === 0) return damages;
  if (!isLast && tornAt > 0) return [...damages, { offset: tornAt, length }];
  try {
    await withFile(disk, segmentName(id), (file) => file.truncate(tornAt));
    logger.info({ file: segmentName(id), bytes: length }, "Cut off a write to the queue that was never finished.");
  } catch (error) {
    logger.warn({ file: segmentName(id), error }, "Cutting off a write to the queue that was never finished failed.");
  }
  return damages;
}
