import { access, constants, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf } from "./error_text.ts";
import type { Host } from "./host.ts";
import { makeDirectory } from "./make_directory.ts";

/** Least time between two log lines about failed writes. */
const logEveryMs = 60_000;

export interface PublishedFilesOptions {
  /** Where the files are written; empty for nowhere. */
  readonly directory: string;
  /**
   * The directory of a config that names none. A component with a name has a folder of that name in it, so that two do
   * not write over each other.
   */
  readonly defaultDirectory: string;
  /** What they hold, for the log: `figures`. */
  readonly what: string;
}

/** Files of a directory that are replaced whole: a reader sees the old file or the new one, never a part. */
export class PublishedFiles {
  readonly #what: string;
  readonly #host: Pick<Host, "id" | "logger" | "clock">;
  readonly #isDefault: boolean;
  #directory: string | undefined;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor(
    { directory, defaultDirectory, what }: PublishedFilesOptions,
    host: Pick<Host, "id" | "logger" | "clock">,
  ) {
    this.#what = what;
    this.#host = host;
    this.#isDefault = directory === defaultDirectory;
    const named = this.#isDefault ? join(directory, folderOf(host.id)) : directory;
    this.#directory = directory === "" ? undefined : resolve(named);
  }

  /** Whether files are written at all. */
  get areOn(): boolean {
    return this.#directory !== undefined;
  }

  /** Whether the last write failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /**
   * Makes the directory and says where it is. Where the default one cannot be written, a warning says so and there are
   * no files.
   *
   * @throws {Error} when a directory that the config names cannot be made or written.
   */
  async open(): Promise<void> {
    const { logger } = this.#host;
    const directory = this.#directory;
    if (directory === undefined) return;
    try {
      await makeDirectory(directory);
      await access(directory, constants.W_OK | constants.X_OK);
    } catch (thrown) {
      if (!this.#isDefault) throw thrown;
      this.#directory = undefined;
      const fields = { directory, error: messageOf(thrown) };
      logger.warn(fields, `The default directory cannot be written, so no ${this.#what} are written as files.`);
      return;
    }
    logger.info({ directory }, `Files with ${this.#what} are written here.`);
  }

  /** Replaces the file `name`; false when it could not be. That is logged, once a minute; the old file is untouched. */
  async replace(name: string, content: string | Uint8Array): Promise<boolean> {
    if (this.#directory === undefined) return true;
    const path = join(this.#directory, name);
    const temporary = join(this.#directory, `.${name}.tmp`);
    try {
      await writeFile(temporary, content);
      await rename(temporary, path);
      this.#failed = false;
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => {});
      this.#report(path, thrown);
    }
    return !this.#failed;
  }

  #report(path: string, thrown: unknown): void {
    this.#failed = true;
    const nowMs = this.#host.clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = nowMs;
    this.#host.logger.warn({ path, error: messageOf(thrown) }, `A file with ${this.#what} could not be written.`);
  }
}

/** The name in an id, fit for a folder: `b` of `plotly/b`; empty when there is none. */
function folderOf(id: string): string {
  const [, ...name] = id.split("/");
  return name.join("/").replace(/[^A-Za-z0-9_-]+/g, "_");
}
