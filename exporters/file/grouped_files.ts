import { ConsumeError } from "../../pipeline/delivery.ts";
import type { Logger } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import type { Files, WriteDone } from "./files.ts";
import type { FileWriter } from "./writer.ts";

/** What becomes better by itself: a full disk, too many open files. Any other error lies in the path. */
const passing: ReadonlySet<string | undefined> = new Set([
  "ENOSPC",
  "EDQUOT",
  "EMFILE",
  "ENFILE",
  "EIO",
  "EAGAIN",
  "EROFS",
]);

/** Why data of a group was dropped whose file cannot be. */
const unwritable = "unwritable_path";

export interface GroupedFilesSettings {
  readonly groups: (data: Pdata) => ReadonlyMap<string, Pdata>;
  readonly pathOf: (segment: string) => string;
  readonly maxOpenFiles: number;
  /** A file that is not open yet. `goesOn` when it was or may have been written to before, and so must not be emptied. */
  readonly makeWriter: (path: string, goesOn: boolean) => FileWriter;
  readonly logger: Logger;
}

/**
 * As many paths are remembered as written to. Senders choose them, so there must be an end; from then on a file is gone
 * on with rather than emptied: what is old may stay in it, what was acknowledged is never lost.
 */
export const mostRemembered = 10_000;

/** A file for each value of a resource attribute. The one that was used the longest ago is closed when there are too many. */
export class GroupedFiles implements Files {
  readonly #settings: GroupedFilesSettings;
  /** By path, those used last at the end. */
  readonly #files = new Map<string, Promise<FileWriter>>();
  readonly #closing = new Map<string, Promise<void>>();
  readonly #written = new Set<string>();
  readonly #unfinished = new Set<Promise<void>>();

  constructor(settings: GroupedFilesSettings) {
    this.#settings = settings;
  }

  /** Files are opened when there is data for them. */
  async open(): Promise<void> {}

  write(data: Pdata, done: WriteDone): void {
    const work = this.#write(data, done).finally(() => this.#unfinished.delete(work));
    this.#unfinished.add(work);
  }

  async #write(data: Pdata, done: WriteDone): Promise<void> {
    const { groups, pathOf } = this.#settings;
    const dropped = new Map<string, number>();
    let parts: ReadonlyMap<string, Pdata>;
    try {
      parts = groups(data);
    } catch (thrown) {
      done(ConsumeError.from(thrown));
      return;
    }
    let grouped = 0;
    const errors: ConsumeError[] = [];
    const writes = [...parts].map(async ([segment, part]) => {
      grouped += part.itemCount;
      const outcome = await this.#writePart(pathOf(segment), part);
      if (outcome === "unwritable") dropped.set(unwritable, (dropped.get(unwritable) ?? 0) + part.itemCount);
      else if (outcome !== undefined) errors.push(outcome);
    });
    if (grouped < data.itemCount) dropped.set("no_path_segment", data.itemCount - grouped);
    await Promise.all(writes);
    done(errors.length > 0 ? ConsumeError.combine(errors) : undefined, dropped);
  }

  async #writePart(path: string, part: Pdata): Promise<ConsumeError | "unwritable" | undefined> {
    const file = this.#fileAt(path);
    let writer: FileWriter;
    try {
      writer = await file;
    } catch (cause) {
      if (this.#files.get(path) === file) this.#files.delete(path);
      const { code, message } = cause as NodeJS.ErrnoException;
      if (passing.has(code)) return new ConsumeError(`file exporter: ${message}`, { retryable: true, cause });
      this.#settings.logger.warn(
        { error: code, items: part.itemCount },
        "The file of a group cannot be written; its data is dropped.",
      );
      return "unwritable";
    }
    return await new Promise((resolve) => writer.write(part, resolve));
  }

  #fileAt(path: string): Promise<FileWriter> {
    const known = this.#files.get(path);
    this.#files.delete(path); // and so to the end
    const file = known ?? this.#open(path);
    this.#files.set(path, file);
    return file;
  }

  #open(path: string): Promise<FileWriter> {
    const [oldest] = this.#files;
    const evicted =
      this.#files.size >= this.#settings.maxOpenFiles && oldest !== undefined ? this.#close(...oldest) : undefined;
    const opened = Promise.all([this.#closing.get(path), evicted]).then(async () => {
      const goesOn = this.#written.has(path) || this.#written.size >= mostRemembered;
      const writer = this.#settings.makeWriter(path, goesOn);
      await writer.open();
      if (!goesOn) this.#written.add(path);
      return writer;
    });
    opened.catch(() => {}); // whoever writes hears of it
    return opened;
  }

  #close(path: string, opened: Promise<FileWriter>): Promise<void> {
    this.#files.delete(path);
    const closed = opened
      .then(
        (writer) => writer.close(),
        () => {},
      )
      .catch((error: Error) => this.#settings.logger.warn({ error: error.message }, "A file could not be closed."))
      .finally(() => {
        if (this.#closing.get(path) === closed) this.#closing.delete(path);
      });
    this.#closing.set(path, closed);
    return closed;
  }

  async idle(): Promise<void> {
    while (this.#unfinished.size > 0) await Promise.all(this.#unfinished);
  }

  async close(): Promise<void> {
    await this.idle();
    await Promise.all([...[...this.#files].map(([path, file]) => this.#close(path, file)), ...this.#closing.values()]);
  }
}
