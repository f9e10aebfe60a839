import { readdir, rm } from "node:fs/promises";
import { basename, dirname, extname, join } from "node:path";

export interface RotationSettings {
  readonly maxBytes: number;
  /** Backups older than this are deleted; 0: none is for its age. */
  readonly maxDays: number;
  /** Backups kept at most; 0: all. */
  readonly maxBackups: number;
  /** Whether names carry local time instead of UTC. */
  readonly localTime: boolean;
}

const dayMs = 24 * 3600 * 1000;

/** The name a full file gets: `data.json` becomes `data-2022-09-14T05-02-14.173-size.json`. */
export function backupPath(path: string, unixMs: number, localTime: boolean): string {
  const extension = extname(path);
  const shift = localTime ? new Date(unixMs).getTimezoneOffset() * 60_000 : 0;
  const time = new Date(unixMs - shift).toISOString().slice(0, -1).replaceAll(":", "-");
  return join(dirname(path), `${basename(path, extension)}-${time}-size${extension}`);
}

/**
 * When a file in the same folder became a backup of `path`; undefined when it is none. Until v0.158 or so the Collector's
 * had no `-size`.
 */
function backupTime(path: string, name: string, localTime: boolean): number | undefined {
  const extension = extname(path);
  const prefix = `${basename(path, extension)}-`;
  if (!name.startsWith(prefix) || !name.endsWith(extension)) return undefined;
  const stamp = name.slice(prefix.length, name.length - extension.length);
  const parts = /^(\d{4}-\d\d-\d\d)T(\d\d)-(\d\d)-(\d\d\.\d{3})(?:-size(?:_\d+)?)?$/.exec(stamp);
  if (parts === null) return undefined;
  const [, date, hour, minute, second] = parts;
  const unixMs = Date.parse(`${date}T${hour}:${minute}:${second}${localTime ? "" : "Z"}`);
  return Number.isNaN(unixMs) ? undefined : unixMs;
}

/** Deletes the backups of `path` that are too many or too old. */
export async function deleteOldBackups(path: string, settings: RotationSettings, nowMs: number): Promise<void> {
  const folder = dirname(path);
  const backups = (await readdir(folder))
    .map((name) => ({ name, unixMs: backupTime(path, name, settings.localTime) }))
    .filter((backup): backup is { name: string; unixMs: number } => backup.unixMs !== undefined)
    .sort((left, right) => right.unixMs - left.unixMs);
  const oldestMs = settings.maxDays <= 0 ? Number.NEGATIVE_INFINITY : nowMs - settings.maxDays * dayMs;
  const kept = settings.maxBackups <= 0 ? backups.length : settings.maxBackups;
  const surplus = backups.filter(({ unixMs }, index) => index >= kept || unixMs < oldestMs);
  await Promise.all(surplus.map(({ name }) => rm(join(folder, name), { force: true })));
}
