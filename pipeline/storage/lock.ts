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
