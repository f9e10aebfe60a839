import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock } from "../host.ts";

/** The file whose lock says that a process uses the directory. It stays when that process has gone; its lock does not. */
export const lockName = "otelpipe.lock";

/** What a process holds while it uses a directory. */
export interface DirectoryLock {
  release(): void;
}

/** How often to look whether a lock is free. */
const pollMs = 100;

/**
 * Calls `attempt` until it does not throw, for as long as one waits for a lock.
 *
 * @param timeoutMs 0 waits for ever, as in the Collector.
 * @throws what the last attempt threw.
 */
export async function patiently<R>(clock: Clock, timeoutMs: number, attempt: () => Promise<R>): Promise<R> {
  const deadlineMs = timeoutMs > 0 ? clock.monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (clock.monotonicMs() >= deadlineMs || !(error instanceof LockedError)) throw error;
    }
    await new Promise<void>((resolve) => void clock.setTimer(resolve, pollMs));
  }
}

/** Another process has what was to be locked. */
export class LockedError extends Error {
  override readonly name = "LockedError";
}

/**
 * Takes a directory for this process. The lock is the operating system's (fcntl, through SQLite, which is how Node reaches
 * it), so it ends with the process however that ends, is seen from other containers, and can never be stale.
 *
 * @throws {LockedError} when another process, or another owner in this one, has the directory.
 * @throws {Error} when no lock can be taken there.
 */
export async function lockDirectory(directory: string): Promise<DirectoryLock> {
  const { DatabaseSync } = await import("node:sqlite");
  const path = join(directory, lockName);
  let database: InstanceType<typeof DatabaseSync> | undefined;
  try {
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database?.close();
    const { errcode } = error as { errcode?: number };
    if (errcode !== sqliteBusy) throw new Error(`cannot lock ${path}: ${(error as Error).message}`, { cause: error });
    const message = `${directory} is in use by another process: two cannot share a file_storage directory`;
    throw new LockedError(message, { cause: error });
  }
  const locked = database;
  return { release: () => locked.close() };
}

const sqliteBusy = 5;

/**
 * The process that holds a lock of the kind that Go programs take (flock) on a file; undefined when none does, or it cannot
 * be known: Node has no flock, so this is what Linux says in `/proc/locks` about processes that it shows.
 */
export async function flockHolder(path: string): Promise<number | undefined> {
  const locks = await readFile("/proc/locks", "utf8").catch(() => "");
  if (!locks.includes("FLOCK")) return undefined;
  const { dev, ino } = await stat(path, { bigint: true });
  const major = ((dev >> 8n) & 0xfffn) | ((dev >> 32n) & ~0xfffn);
  const minor = (dev & 0xffn) | ((dev >> 12n) & ~0xffn);
  const file = `${hex(major)}:${hex(minor)}:${ino}`;
  const line = locks.split("\n").find((each) => each.includes("FLOCK") && each.split(/\s+/)[5] === file);
  return line === undefined ? undefined : Number(line.split(/\s+/)[4]);
}

function hex(value: bigint): string {
  return value.toString(16).padStart(2, "0");
}
