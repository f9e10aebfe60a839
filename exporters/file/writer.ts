import { ConsumeError } from "../../pipeline/delivery.ts";
import { messageOf } from "../../pipeline/error_text.ts";
import type { Pause } from "../../pipeline/frame/engine.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import { type EncodingSettings, encodeBatch } from "./encoding.ts";
import type { GrowingFile } from "./file.ts";
import type { Files, WriteDone } from "./files.ts";

/** Bytes handed to the file in one piece, about. */
const pieceBytes = 1024 * 1024;

interface Waiting {
  readonly data: Pdata;
  readonly done: WriteDone;
}

/**
 * Writes batches to one file in their order. What arrives while a write is under way goes
 * out together with the next one. Each is done once the operating system has its bytes.
 */
export class FileWriter implements Files {
  readonly #file: GrowingFile;
  readonly #encoding: EncodingSettings;
  readonly #pause: Pause;
  #waiting: Waiting[] = [];
  #work: Promise<void> | undefined;

  constructor(file: GrowingFile, encoding: EncodingSettings, pause: Pause) {
    this.#file = file;
    this.#encoding = encoding;
    this.#pause = pause;
  }

  async open(): Promise<void> {
    await this.#file.open();
  }

  write(data: Pdata, done: WriteDone): void {
    this.#waiting.push({ data, done });
    this.#work ??= this.#writeWaiting();
  }

  /** Resolves when nothing waits. */
  async idle(): Promise<void> {
    while (this.#work !== undefined) await this.#work;
  }

  async close(): Promise<void> {
    await this.idle();
    await this.#file.close();
  }

  async #writeWaiting(): Promise<void> {
    try {
      while (this.#waiting.length > 0) await this.#writePiece(this.#takePiece());
    } finally {
      // In the turn that found nothing waiting: what comes after it starts anew.
      this.#work = undefined;
    }
  }

  #takePiece(): Waiting[] {
    let bytes = 0;
    let count = 0;
    for (const { data } of this.#waiting) {
      if (count > 0 && bytes + data.sizeBytes > pieceBytes) break;
      bytes += data.sizeBytes;
      count += 1;
    }
    return this.#waiting.splice(0, count);
  }

  async #writePiece(piece: readonly Waiting[]): Promise<void> {
    const encoded: { readonly entry: Waiting; readonly pieces: readonly Buffer[] }[] = [];
    for (const entry of piece) {
      try {
        encoded.push({ entry, pieces: await encodeBatch(entry.data, this.#encoding, this.#pause) });
      } catch (thrown) {
        entry.done(ConsumeError.from(thrown));
      }
    }
    try {
      const pieces = encoded.flatMap((each) => each.pieces);
      await this.#file.write(encoded.length === 1 ? pieces : [Buffer.concat(pieces)]);
    } catch (cause) {
      const reason = messageOf(cause);
      const error = new ConsumeError(`file exporter: writing failed: ${reason}`, { retryable: true, cause });
      for (const { entry } of encoded) entry.done(error);
      return;
    }
    for (const { entry } of encoded) entry.done();
  }
}
