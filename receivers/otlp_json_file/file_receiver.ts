import { rm, stat } from "node:fs/promises";
import type { Receiver } from "../../pipeline/component.ts";
import { messageOf } from "../../pipeline/error_text.ts";
import type { ReceiverHost, Timer } from "../../pipeline/host.ts";
import { isCheckpointStorage } from "../../pipeline/storage/storage.ts";
import type { OtlpJsonFileConfig } from "./config.ts";
import { fileAttributes } from "./file_attributes.ts";
import { findFiles, parseGlob } from "./glob.ts";
import { LineConsumer, type LineOptions, type Verdict } from "./line_consumer.ts";
import { type Line, type LineCoding, lineCoding, linesOf } from "./lines.ts";
import { Offsets } from "./offsets.ts";
import { contentFrom, lastLineOf, type TrackedFile } from "./tracked_file.ts";
import { Tracker } from "./tracker.ts";

/** How long what was read may take to be answered once the receiver stops. */
const graceMs = 5_000;

/**
 * Looks for files and new lines in them at every poll, and offers each line. A file is read on only when a line was taken;
 * one that is refused for now is read again at a later poll.
 */
export class FileReceiver implements Receiver {
  readonly #settings: OtlpJsonFileConfig;
  readonly #host: ReceiverHost;
  readonly #consumer: LineConsumer;
  readonly #coding: LineCoding;
  readonly #include;
  readonly #exclude;
  #tracker: Tracker | undefined;
  #offsets: Offsets | undefined;
  #timer: Timer | undefined;
  #polling: Promise<void> = Promise.resolve();
  #stopping: Promise<void> | undefined;
  readonly #aborter = new AbortController();

  constructor(settings: OtlpJsonFileConfig, host: ReceiverHost) {
    this.#settings = settings;
    this.#host = host;
    this.#consumer = new LineConsumer(host);
    const coding = lineCoding(settings.encoding);
    if (coding === undefined) throw new Error(`unsupported encoding '${settings.encoding}'`);
    this.#coding = coding;
    this.#include = settings.include.flatMap(parseGlob);
    this.#exclude = settings.exclude.flatMap(parseGlob);
  }

  async start(): Promise<void> {
    if (this.#tracker !== undefined) return;
    const { storage, start_at } = this.#settings;
    const { id, kind } = this.#host;
    if (storage != null) {
      const checkpoint = await this.#host.extension(storage, isCheckpointStorage).openCheckpoint(`${kind}_${id}`);
      this.#offsets = new Offsets(checkpoint);
    }
    const marks = (await this.#offsets?.load()) ?? [];
    // What appeared while nobody read it is new.
    const fromBeginning = start_at === "beginning" || marks.length > 0;
    this.#tracker = new Tracker(this.#settings, this.#host.logger, fromBeginning, marks);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#stopping !== undefined) return;
    this.#timer = this.#host.clock.setTimer(() => {
      this.#timer = undefined;
      this.#polling = this.#poll().catch((error: unknown) => {
        this.#host.logger.error({ error: messageOf(error) }, "Looking for lines in files failed; it is tried again.");
      });
      void this.#polling.then(() => this.#schedule());
    }, this.#settings.poll_interval);
  }

  async #poll(): Promise<void> {
    const tracker = this.#tracker;
    if (tracker === undefined) return;
    const { max_concurrent_files, max_batches, replay_file } = this.#settings;
    const size = Math.max(1, Math.floor(max_concurrent_files / 2));
    const paths = await this.#paths();
    const most = max_batches === 0 ? paths.length : max_batches * size;
    const files = await tracker.look(paths.slice(0, most));
    for (let from = 0; from < files.length && this.#stopping === undefined; from += size) {
      await Promise.all(files.slice(from, from + size).map((file) => this.#read(file, tracker)));
    }
    await this.#offsets?.save(tracker.marks);
    await tracker.endPoll();
    if (replay_file) await tracker.forgetRead();
  }

  async #paths(): Promise<readonly string[]> {
    const [included, excluded] = await Promise.all([findFiles(this.#include), findFiles(this.#exclude)]);
    const paths = [...included].filter((path) => !excluded.has(path));
    const { exclude_older_than } = this.#settings;
    if (exclude_older_than <= 0) return paths;
    const oldestMs = this.#host.clock.nowMs() - exclude_older_than;
    const changedMs = await Promise.all(
      paths.map(async (path) => (await stat(path).catch(() => undefined))?.mtimeMs ?? 0),
    );
    return paths.filter((_, index) => (changedMs[index] ?? 0) >= oldestMs);
  }

  async #read(file: TrackedFile, tracker: Tracker): Promise<void> {
    if (file.notBeforeMs > this.#host.clock.monotonicMs()) return;
    const isGone = file.missedPolls > 0;
    if (isGone ? file.handle === undefined : file.lookedAt !== undefined) return;
    try {
      const handle = await file.reopen();
      const { size, mtimeMs } = await handle.stat();
      const look = `${size} ${mtimeMs}`;
      if (file.lookedAt === look) return;
      if (!(await this.#readToEnd(file))) return;
      if (file.unfinished?.wasTried !== false) file.lookedAt = look;
      if (this.#settings.delete_after_read && file.unfinished === undefined && !isGone) {
        await this.#remove(file, size, tracker);
      }
    } catch (error) {
      this.#host.logger.error(
        { path: file.path, error: messageOf(error) },
        "Reading a file failed; it is tried again.",
      );
    }
  }

  /** Whether all of its lines were taken. */
  async #readToEnd(file: TrackedFile): Promise<boolean> {
    const attributes = await fileAttributes(this.#settings, file);
    const options = { attributes, taken: file.taken, signal: this.#aborter.signal };
    const content = contentFrom(await file.reopen(), file.offset, file.isGzip);
    let last: Line | undefined;
    try {
      for await (const line of linesOf(content, this.#coding, this.#settings.max_log_size)) {
        if (this.#stopping !== undefined) return false;
        if (!line.isWhole && !this.#mayTry(file, line.sizeBytes)) return true;
        const verdict = await this.#take(line, options);
        if (typeof verdict === "object") {
          file.notBeforeMs = Math.max(1, this.#host.clock.monotonicMs() + verdict.againAfterMs);
          return false;
        }
        file.notBeforeMs = 0;
        if (verdict === "bad" && !line.isWhole) return true;
        if (verdict === "bad") this.#leaveOut(line, file);
        file.moveTo(file.offset + line.sizeBytes);
        last = line;
      }
      return true;
    } finally {
      if (last !== undefined) file.lastLine = this.#lastLine(last);
    }
  }

  async #take({ bytes, isWhole }: Line, options: LineOptions): Promise<Verdict> {
    if (bytes === undefined) {
      if (isWhole) this.#consumer.tooLong();
      return "bad";
    }
    return isBlank(bytes) ? "taken" : await this.#consumer.consume(this.#coding.toUtf8(bytes), isWhole, options);
  }

  #leaveOut({ bytes, sizeBytes }: Line, { path, offset }: TrackedFile): void {
    const why = bytes === undefined ? "longer than max_log_size" : "no OTLP/JSON";
    this.#host.logger.warn({ path, offset, sizeBytes }, `A line of a file is left out: it is ${why}.`);
  }

  #lastLine({ bytes = Buffer.alloc(0), isWhole }: Line) {
    return lastLineOf(bytes, isWhole ? this.#coding.newline : Buffer.alloc(0));
  }

  /** Whether what stands behind the last newline may be looked at: it has not grown for some time. */
  #mayTry(file: TrackedFile, sizeBytes: number): boolean {
    const nowMs = this.#host.clock.monotonicMs();
    const { force_flush_period } = this.#settings;
    if (file.unfinished?.sizeBytes !== sizeBytes) {
      file.unfinished = { sizeBytes, sinceMs: nowMs, wasTried: force_flush_period <= 0 };
      return false;
    }
    if (file.unfinished.wasTried || nowMs - file.unfinished.sinceMs < force_flush_period) return false;
    file.unfinished.wasTried = true;
    return true;
  }

  /** Removes a file that was read, unless it has grown in the meantime. */
  async #remove(file: TrackedFile, size: number, tracker: Tracker): Promise<void> {
    const stats = await stat(file.path);
    if (stats.size !== size) return;
    await tracker.forget(file);
    await rm(file.path);
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  /** What is being offered is waited for; what is refused then, or was not read yet, is read after the next start. */
  async #stop(): Promise<void> {
    const { clock, logger } = this.#host;
    if (this.#timer !== undefined) clock.clearTimer(this.#timer);
    const grace = clock.setTimer(() => this.#aborter.abort(), graceMs);
    await this.#polling;
    clock.clearTimer(grace);
    try {
      if (this.#tracker !== undefined) await this.#offsets?.save(this.#tracker.marks);
    } catch (error) {
      logger.error({ error: messageOf(error) }, "How far files were read could not be kept.");
    }
    await this.#tracker?.close();
  }
}

function isBlank(line: Buffer): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x0d || byte === 0x09 || byte === 0);
}
