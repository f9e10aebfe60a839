import { type FileHandle, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { getSystemErrorMessage } from "node:util";
import { makeDirectory } from "../../pipeline/make_directory.ts";
import { backupPath, deleteOldBackups, type RotationSettings } from "./rotation.ts";

export interface FileSettings {
  readonly path: string;
  /** Whether what the file holds already stays. */
  readonly append: boolean;
  /** Whether what is written are lines. */
  readonly isLines: boolean;
  readonly rotation: RotationSettings | undefined;
  /** Mode of folders that are made for the path; undefined: none are. */
  readonly directoryMode: number | undefined;
}

/** A file that only grows: a write that failed leaves nothing behind. */
export class GrowingFile {
  readonly #settings: FileSettings;
  readonly #nowMs: () => number;
  #handle: FileHandle | undefined;
  #size = 0;

  constructor(settings: FileSettings, nowMs: () => number) {
    this.#settings = settings;
    this.#nowMs = nowMs;
  }

  /** Opens the file, and empties it unless it is appended to or rotated. Opening it again does nothing. */
  async open(): Promise<void> {
    if (this.#handle !== undefined) return;
    const { path, append, rotation, directoryMode } = this.#settings;
    if (directoryMode !== undefined) await makeDirectory(dirname(path), directoryMode);
    await this.#openAs(append || rotation !== undefined ? "a" : "w");
  }

  async #openAs(flags: "a" | "w"): Promise<void> {
    const handle = await open(this.#settings.path, flags, 0o644).catch((cause: NodeJS.ErrnoException) => {
      throw openError(this.#settings, cause);
    });
    this.#handle = handle;
    this.#size = (await handle.stat()).size;
    if (this.#settings.isLines && this.#size > 0) await this.#endLine(handle);
  }

  /** A process that was killed may have left half a line: without its end the next line would be lost as well. */
  async #endLine(handle: FileHandle): Promise<void> {
    const last = await lastByte(this.#settings.path, this.#size).catch(() => newline); // it may not be readable
    if (last === newline) return;
    await handle.write("\n");
    this.#size += 1;
  }

  /**
   * Adds pieces and resolves when the operating system has all of them. With rotation, those that no longer fit begin a
   * new file; those that fit nowhere get a file of their own.
   */
  async write(pieces: readonly Buffer[]): Promise<void> {
    const { rotation } = this.#settings;
    const size = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (rotation !== undefined && this.#size > 0 && this.#size + size > rotation.maxBytes) {
      await this.#rotate(rotation);
    }
    const handle = this.#handle ?? (await this.#reopen());
    try {
      for (const piece of pieces) await writeAll(handle, piece);
      this.#size += size;
    } catch (error) {
      await this.#undo(handle);
      throw error;
    }
  }

  /** After a rotation that failed half-way the file is closed; the next piece opens it again. */
  async #reopen(): Promise<FileHandle> {
    await this.#openAs("a");
    if (this.#handle === undefined) throw new Error(`${this.#settings.path} is not open`);
    return this.#handle;
  }

  async #rotate(rotation: RotationSettings): Promise<void> {
    const { path } = this.#settings;
    await this.close();
    await rename(path, await this.#freeBackupPath(rotation));
    await this.#openAs("a");
    await deleteOldBackups(path, rotation, this.#nowMs());
  }

  /** Two rotations in one millisecond must not overwrite each other. */
  async #freeBackupPath({ localTime }: RotationSettings): Promise<string> {
    for (let unixMs = this.#nowMs(); ; unixMs += 1) {
      const candidate = backupPath(this.#settings.path, unixMs, localTime);
      if (!(await exists(candidate))) return candidate;
    }
  }

  /** Cuts off what a failed write has left. A pipe or a device cannot be cut; nothing is lost by trying. */
  async #undo(handle: FileHandle): Promise<void> {
    await handle.truncate(this.#size).catch(() => undefined);
  }

  /** Closes the file; closing it again does nothing. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }
}

function openError({ path, directoryMode }: FileSettings, cause: NodeJS.ErrnoException): Error {
  const { code, errno } = cause;
  const hint = code === "ENOENT" && directoryMode === undefined ? "; create_directory: true makes its folder" : "";
  const reason = errno === undefined ? cause.message : getSystemErrorMessage(errno);
  return Object.assign(new Error(`cannot open ${path}: ${reason}${hint}`, { cause }), { code });
}

const newline = 0x0a;

async function lastByte(path: string, size: number): Promise<number | undefined> {
  const handle = await open(path, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
    return bytesRead === 1 ? buffer[0] : undefined;
  } finally {
    await handle.close();
  }
}

async function writeAll(handle: FileHandle, bytes: Buffer): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    written += (await handle.write(bytes, written, bytes.length - written)).bytesWritten;
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
