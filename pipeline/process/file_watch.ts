import type { Clock, Timer } from "../host.ts";
import { fileStamp } from "./file_stamp.ts";

/** How often files are looked at. */
const everyMs = 1_000;

/**
 * Notices changes of the files that were read with it. It looks at them every second instead of being told by the system:
 * that sees editors that replace files, directories behind swapped links (Kubernetes) and network file systems alike.
 */
export class FileWatch {
  readonly #clock: Clock;
  /** Files and what they were like when they were read. */
  readonly #known = new Map<string, string>();
  #seen = "";
  #timer: Timer | undefined;
  #onChange: () => void = () => {};

  constructor({ clock }: { readonly clock: Clock }) {
    this.#clock = clock;
  }

  /** Forgets all files: others are going to be read. */
  clear(): void {
    this.#known.clear();
  }

  /** To be called just before a file is read. */
  add(path: string): void {
    this.#known.set(path, fileStamp(path));
  }

  /** Has `onChange` called when files have changed and have stayed the same since the look before. */
  start(onChange: () => void): void {
    this.#onChange = onChange;
    this.#timer ??= this.#clock.setTimer(() => this.#look(), everyMs);
  }

  /** Safe to call twice. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
  }

  /** A file that is still being written is left alone until it rests. */
  #look(): void {
    this.#timer = undefined;
    this.start(this.#onChange);
    const stamps = [...this.#known.keys()].map((path) => [path, fileStamp(path)] as const);
    const before = this.#seen;
    this.#seen = JSON.stringify(stamps);
    const isChanged = stamps.some(([path, stamp]) => this.#known.get(path) !== stamp);
    if (!isChanged || this.#seen !== before) return;
    for (const [path, stamp] of stamps) this.#known.set(path, stamp);
    this.#onChange();
  }
}
