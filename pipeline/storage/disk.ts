import { constants } from "node:fs";
import { type FileHandle, open, readdir, rename, unlink } from "node:fs/promises";
import { join } from "node:path";

/** A directory of files, as far as a log needs one; in tests it is one that fails or forgets. */
export interface Disk {
  /** The names of the plain files in it. */
  list(): Promise<readonly string[]>;
  /** Opens a file for reading and writing; makes it when it is missing, readable by its owner only. */
  open(name: string): Promise<DiskFile>;
  remove(name: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Makes files that were made or removed survive a power loss. */
  sync(): Promise<void>;
}

export interface DiskFile {
  size(): Promise<number>;
  /** `length` bytes from `position`, or what there is up to the end of the file. */
  read(position: number, length: number): Promise<Buffer>;
  /** Writes all of `pieces` from `position` on, or throws; what is written then is anyone's guess. */
  write(pieces: readonly Buffer[], position: number): Promise<void>;
  truncate(size: number): Promise<void>;
  /** Makes what was written survive a power loss. */
  sync(): Promise<void>;
  /** Whether it still has a name: what is written to a file that somebody removed is gone with the process. */
  isNamed(): Promise<boolean>;
  close(): Promise<void>;
}

/** A whole file. */
export async function readWhole(disk: Disk, name: string): Promise<Buffer> {
  return await withFile(disk, name, async (file) => await file.read(0, await file.size()));
}

/** Opens a file for `use` and closes it. */
export async function withFile<R>(disk: Disk, name: string, use: (file: DiskFile) => Promise<R>): Promise<R> {
  const file = await disk.open(name);
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

/** A real directory, which must exist. */
export function directoryDisk(directory: string, access: "read" | "write" = "write"): Disk {
  const flags = access === "read" ? constants.O_RDONLY : constants.O_RDWR | constants.O_CREAT;
  return {
    async list() {
      const entries = await readdir(directory, { withFileTypes: true });
      return entries.filter((entry) => entry.isFile()).map((entry) => entry.name);
    },
    async open(name) {
      return new RealFile(await open(join(directory, name), flags | constants.O_NOFOLLOW, 0o600));
    },
    remove: (name) => unlink(join(directory, name)),
    rename: (from, to) => rename(join(directory, from), join(directory, to)),
    async sync() {
      const handle = await open(directory, constants.O_RDONLY);
      try {
        await handle.sync();
      } finally {
        await handle.close();
      }
    },
  };
}

class RealFile implements DiskFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(position: number, length: number): Promise<Buffer> {
    const buffer = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    while (filled < length) {
      const { bytesRead } = await this.#handle.read(buffer, filled, length - filled, position + filled);
      if (bytesRead === 0) break;
      filled += bytesRead;
    }
    return buffer.subarray(0, filled);
  }

  async write(pieces: readonly Buffer[], position: number): Promise<void> {
    let rest = pieces;
    let at = position;
    while (rest.length > 0) {
      const { bytesWritten } = await this.#handle.writev(rest, at);
      at += bytesWritten;
      rest = after(rest, bytesWritten);
    }
  }

  async truncate(size: number): Promise<void> {
    await this.#handle.truncate(size);
  }

  async sync(): Promise<void> {
    await this.#handle.datasync();
  }

  async isNamed(): Promise<boolean> {
    return (await this.#handle.stat()).nlink > 0;
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

/** What is left of `pieces` behind their first `bytes` bytes. */
function after(pieces: readonly Buffer[], bytes: number): readonly Buffer[] {
  let skipped = 0;
  for (const [index, piece] of pieces.entries()) {
    if (skipped + piece.length > bytes) return [piece.subarray(bytes - skipped), ...pieces.slice(index + 1)];
    skipped += piece.length;
  }
  return [];
}
