import { type FileHandle, open, stat } from "node:fs/promises";
import type { Logger } from "../../pipeline/host.ts";
import type { OtlpJsonFileConfig } from "./config.ts";
import { bytesAt, contentFrom, identityOf, lastLineOf, type Mark, TrackedFile } from "./tracked_file.ts";

/** Polls for which a file that is gone is remembered. */
const rememberedPolls = 3;

type Settings = Pick<
  OtlpJsonFileConfig,
  "fingerprint_size" | "compression" | "on_truncate" | "polls_to_archive" | "max_concurrent_files"
>;

/**
 * Knows files again: under another name by their inode, as a copy or compressed by how they begin and by the last line
 * that was read of them. The same beginning alone does not make two files one: lines of OTLP/JSON often begin alike.
 */
export class Tracker {
  readonly #settings: Settings;
  readonly #logger: Logger;
  readonly #files = new Map<string, TrackedFile>();
  /** Files that are gone, or hold something else now: a copy of one may still turn up. */
  #remembered: { readonly mark: Mark; polls: number }[];
  readonly #unreadable = new Set<string>();
  /** Whether files that are new are read from their beginning. */
  fromBeginning: boolean;

  constructor(settings: Settings, logger: Logger, fromBeginning: boolean, marks: readonly Mark[]) {
    this.#settings = settings;
    this.#logger = logger;
    this.#remembered = marks.map((mark) => ({ mark, polls: 0 }));
    this.fromBeginning = fromBeginning;
  }

  /** Where every file was read to that may be there at the next start. */
  get marks(): readonly Mark[] {
    return [...this.#files.values(), ...this.#remembered.map(({ mark }) => mark)];
  }

  get openFiles(): number {
    return [...this.#files.values()].filter(({ handle }) => handle !== undefined).length;
  }

  /** The file behind each path, if there is something to read in it, and files whose paths are gone. */
  async look(paths: Iterable<string>): Promise<readonly TrackedFile[]> {
    const seen = new Set<TrackedFile>();
    for (const path of paths) {
      const file = await this.#lookAt(path).catch((error: NodeJS.ErrnoException) => this.#cannotRead(path, error));
      if (file === undefined) continue;
      seen.add(file);
      file.missedPolls = 0;
    }
    for (const file of this.#files.values()) {
      if (!seen.has(file)) file.missedPolls += 1;
    }
    return [...this.#files.values()];
  }

  /** Forgets what has been gone for too long, and closes files when there are too many. */
  async endPoll(): Promise<void> {
    this.fromBeginning = true;
    const polls = rememberedPolls + this.#settings.polls_to_archive;
    this.#remembered = this.#remembered.filter((entry) => ++entry.polls <= polls);
    for (const file of this.#files.values()) {
      if (file.missedPolls > polls && file.notBeforeMs === 0) await this.forget(file);
    }
    const surplus = this.openFiles - Math.max(1, Math.floor(this.#settings.max_concurrent_files / 2));
    const open = [...this.#files.values()].filter(
      ({ handle, missedPolls }) => handle !== undefined && missedPolls === 0,
    );
    for (const file of open.slice(0, Math.max(0, surplus))) await file.close();
  }

  async #lookAt(path: string): Promise<TrackedFile | undefined> {
    const stats = await stat(path);
    const identity = identityOf(stats);
    const known = this.#files.get(identity);
    const look = `${stats.size} ${stats.mtimeMs}`;
    if (known !== undefined) {
      known.path = path;
      if (known.lookedAt === look) return known;
    }
    const handle = known?.handle ?? (await open(path, "r"));
    this.#readableAgain(path);
    try {
      const file = await this.#identify(path, identity, handle, known);
      if (file !== undefined && file.handle === undefined) file.handle = handle;
      if (file?.handle !== handle && known?.handle !== handle) await handle.close();
      if (file !== undefined) file.lookedAt = undefined;
      return file;
    } catch (error) {
      if (known?.handle !== handle) await handle.close();
      throw error;
    }
  }

  async #identify(
    path: string,
    identity: string,
    handle: FileHandle,
    known: TrackedFile | undefined,
  ): Promise<TrackedFile | undefined> {
    const { fingerprint_size, compression } = this.#settings;
    const isGzip = compression === "gzip" || (compression === "auto" && path.endsWith(".gz"));
    const fingerprint = await bytesAt(handle, isGzip, 0, fingerprint_size);
    if (known !== undefined) {
      if (startsWith(fingerprint, known.fingerprint) && (await this.#isUnchanged(known, handle))) {
        known.fingerprint = fingerprint;
        return known;
      }
      this.#remember(known);
    }
    if (fingerprint.length === 0) return undefined;
    if (await this.#isCopy(handle, isGzip, fingerprint)) return undefined;
    const mark = (await this.#recall(handle, isGzip, fingerprint)) ?? {
      fingerprint,
      offset: this.fromBeginning ? 0 : await sizeOf(handle, isGzip),
      lastLine: undefined,
    };
    const file = new TrackedFile(path, identity, handle, { ...mark, fingerprint }, isGzip);
    this.#files.set(identity, file);
    return file;
  }

  /** Whether the same file still holds what was read of it. One that is shorter now is treated as the settings say. */
  async #isUnchanged(file: TrackedFile, handle: FileHandle): Promise<boolean> {
    if (await holds(file, handle, file.isGzip)) return true;
    const size = await sizeOf(handle, file.isGzip);
    const { on_truncate } = this.#settings;
    if (size >= file.offset || on_truncate === "read_whole_file") return false;
    if (on_truncate === "read_new") file.moveTo(size);
    return true;
  }

  /** Whether another file that is there has the same content, as between the two steps of copying and truncating. */
  async #isCopy(handle: FileHandle, isGzip: boolean, fingerprint: Buffer): Promise<boolean> {
    for (const file of this.#files.values()) {
      if (
        file.missedPolls === 0 &&
        file.lastLine !== undefined &&
        startsWith(fingerprint, file.fingerprint) &&
        (await holds(file, handle, isGzip))
      )
        return true;
    }
    return false;
  }

  /** Where the reading of a file that was gone goes on. */
  async #recall(handle: FileHandle, isGzip: boolean, fingerprint: Buffer): Promise<Mark | undefined> {
    const gone = [...this.#files.values()].filter(({ missedPolls }) => missedPolls > 0);
    const alike = [...gone, ...this.#remembered.map(({ mark }) => mark)]
      .filter((mark) => startsWith(fingerprint, mark.fingerprint))
      .sort((left, right) => right.offset - left.offset);
    for (const mark of alike) {
      if (!(await holds(mark, handle, isGzip))) continue;
      this.#remembered = this.#remembered.filter((entry) => entry.mark !== mark);
      if (mark instanceof TrackedFile) await this.forget(mark);
      return mark;
    }
    return undefined;
  }

  #remember(file: TrackedFile): void {
    this.#files.delete(file.identity);
    const { fingerprint, offset, lastLine } = file;
    if (fingerprint.length > 0) this.#remembered.push({ mark: { fingerprint, offset, lastLine }, polls: 0 });
    // Its handle is in use by the caller, which gives it to the file that is there now, or closes it.
    file.handle = undefined;
  }

  /** Reads it no more. */
  async forget(file: TrackedFile): Promise<void> {
    this.#files.delete(file.identity);
    await file.close();
  }

  /** Forgets where files were read to, for a setting that reads them again and again. */
  async forgetRead(): Promise<void> {
    this.#remembered = [];
    for (const file of this.#files.values()) if (file.notBeforeMs === 0) await this.forget(file);
  }

  async close(): Promise<void> {
    for (const file of this.#files.values()) await file.close();
  }

  #cannotRead(path: string, error: NodeJS.ErrnoException): undefined {
    if (error.code === "ENOENT" || this.#unreadable.has(path)) return;
    if (this.#unreadable.size < 10_000) this.#unreadable.add(path);
    this.#logger.error({ path, error: error.message }, "A file cannot be read.");
  }

  #readableAgain(path: string): void {
    if (this.#unreadable.delete(path)) this.#logger.info({ path }, "A file can be read again.");
  }
}

function startsWith(fingerprint: Buffer, beginning: Buffer): boolean {
  return beginning.length <= fingerprint.length && fingerprint.subarray(0, beginning.length).equals(beginning);
}

/** Whether a file holds, right before where the reading stopped, what was read there. */
async function holds({ offset, lastLine }: Mark, handle: FileHandle, isGzip: boolean): Promise<boolean> {
  if (lastLine === undefined) return offset <= (await sizeOf(handle, isGzip));
  const { sizeBytes, digest } = lastLine;
  const there = await bytesAt(handle, isGzip, offset - sizeBytes, sizeBytes);
  return there.length === sizeBytes && lastLineOf(there).digest.equals(digest);
}

/** Bytes of what a file holds. */
async function sizeOf(handle: FileHandle, isGzip: boolean): Promise<number> {
  if (!isGzip) return (await handle.stat()).size;
  let size = 0;
  for await (const piece of contentFrom(handle, 0, true)) size += piece.length;
  return size;
}
