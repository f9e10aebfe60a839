import type { Checkpoint } from "../../pipeline/storage/storage.ts";
import type { Mark } from "./tracked_file.ts";

/** A mark as it is kept, its bytes in base64. */
interface StoredMark {
  readonly fingerprint: string;
  readonly offset: number;
  readonly lastLine?: { readonly sizeBytes: number; readonly digest: string };
}

/** How far files were read, kept by a storage. */
export class Offsets {
  readonly #checkpoint: Checkpoint;
  #written = "";

  constructor(checkpoint: Checkpoint) {
    this.#checkpoint = checkpoint;
  }

  /** What an earlier run left. @throws {Error} when the storage cannot be read, or holds something else */
  async load(): Promise<readonly Mark[]> {
    const text = await this.#checkpoint.read();
    if (text === undefined) return [];
    this.#written = text;
    const { files } = JSON.parse(text) as { files: StoredMark[] };
    return files.map(({ fingerprint, offset, lastLine }) => ({
      fingerprint: Buffer.from(fingerprint, "base64"),
      offset,
      lastLine: lastLine && { ...lastLine, digest: Buffer.from(lastLine.digest, "base64") },
    }));
  }

  /** Keeps `marks`, unless they are what is kept already. */
  async save(marks: readonly Mark[]): Promise<void> {
    const files = marks.map(
      ({ fingerprint, offset, lastLine }): StoredMark => ({
        fingerprint: fingerprint.toString("base64"),
        offset,
        ...(lastLine && { lastLine: { ...lastLine, digest: lastLine.digest.toString("base64") } }),
      }),
    );
    const text = JSON.stringify({ version: 1, files });
    if (text === this.#written) return;
    await this.#checkpoint.write(text);
    this.#written = text;
  }
}
