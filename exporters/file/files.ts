import type { ConsumeError } from "../../pipeline/delivery.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";

/** Called once when a batch is written: with an error when none of it counts, else with what was left out, by reason. */
export type WriteDone = (error?: ConsumeError, dropped?: ReadonlyMap<string, number>) => void;

/** Where an exporter writes: one file, or one for each group. */
export interface Files {
  open(): Promise<void>;
  write(data: Pdata, done: WriteDone): void;
  /** Resolves when nothing waits. */
  idle(): Promise<void>;
  /** Writes what waits, then closes. */
  close(): Promise<void>;
}

/** Bytes that wait for files at most; beyond that senders are told to come back. */
const limitBytes = 64 * 1024 * 1024;

/** What waits for the files of an exporter. */
export class Backlog {
  #bytes = 0;

  /** Takes `bytes` when there is room, or nothing waits. */
  tryTake(bytes: number): boolean {
    if (this.#bytes > 0 && this.#bytes + bytes > limitBytes) return false;
    this.#bytes += bytes;
    return true;
  }

  give(bytes: number): void {
    this.#bytes -= bytes;
  }
}
