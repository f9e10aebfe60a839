import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Files of a directory that are replaced whole: a reader sees the old file or the new one, never a part. */
export class GraphFiles {
  readonly #directory: string;

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Makes the directory. @throws {Error} when it cannot be made. */
  async open(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
  }

  /** @throws {Error} when the file cannot be written; the old one is untouched then. */
  async replace(name: string, content: string | Uint8Array): Promise<void> {
    const temporary = join(this.#directory, `.${name}.tmp`);
    try {
      await writeFile(temporary, content);
      await rename(temporary, join(this.#directory, name));
    } catch (thrown) {
      await rm(temporary, { force: true }).catch(() => {});
      throw thrown;
    }
  }
}
