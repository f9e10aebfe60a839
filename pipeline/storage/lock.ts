import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

/** The file whose lock says that a process uses the directory. It stays when that process has gone; its lock does not. */
export const lockName = "otelpipe.lock";

/** What a process holds while it uses a directory. */
export interface DirectoryLock {
  release(): void;
}

/**
 * Takes a directory for this process. The lock is the operating system's (fcntl, through SQLite, which is how Node reaches
 * it), so it ends with the process however that ends, is seen from other containers, and can never be stale.
 *
 * @param timeoutMs how long to wait for another process to go.
 * @throws {Error} when another process, or another owner in this one, has the directory.
 */
export async function lockDirectory(directory: string, timeoutMs: number): Promise<DirectoryLock> {
  const { DatabaseSync } = await import("node:sqlite");
  const path = join(directory, lockName);
  const database = new DatabaseSync(path, { timeout: timeoutMs });
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE");
  } catch (error) {
    database.close();
    const { errcode } = error as { errcode?: number };
    if (errcode !== sqliteBusy) throw new Error(`cannot lock ${path}: ${(error as Error).message}`, { cause: error });
    const message = `${directory} is in use by another process: two cannot share a file_storage directory`;
    throw new Error(message, { cause: error });
  }
  return { release: () => database.close() };
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
