import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Logger } from "../../pipeline/host.ts";

/** Least time between two log lines about failed writes. */
const logEveryMs = 60_000;

/** One JSON file per figure in a directory. A reader sees the old figure or the new one, never a part. */
export class FigureFiles {
  readonly #directory: string;
  readonly #logger: Logger;
  readonly #clock: Clock;
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #failed = false;

  constructor(directory: string, host: { readonly logger: Logger; readonly clock: Clock }) {
    this.#directory = directory;
    this.#logger = host.logger;
    this.#clock = host.clock;
  }

  /** Whether the last write failed. */
  get failed(): boolean {
    return this.#failed;
  }

  /** Makes the directory. @throws {Error} when it cannot be made. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
  }

  /** Replaces `<name>.json`. A failure is logged, once a minute, and tried again with the next figure. */
  async replace(name: string, json: Buffer): Promise<void> {
    const path = join(this.#directory, `${name}.json`);
    const temporary = join(this.#directory, `.${name}.json.tmp`);
    try {
      await writeFile(temporary, json);
      await rename(temporary, path);
      this.#failed = false;
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => {});
      this.#report(path, thrown);
    }
  }

  #report(path: string, thrown: unknown): void {
    this.#failed = true;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = nowMs;
    this.#logger.warn(
      { path, error: thrown instanceof Error ? thrown.message : String(thrown) },
      "A figure could not be written.",
    );
  }
}
