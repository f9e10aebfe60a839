import { Worker } from "node:worker_threads";
import { ConsumeError } from "../delivery.ts";
import { packageFile } from "./package_file.ts";

/** Tasks that may wait; each holds its memory. */
const mostWaiting = 64;

const comeBackMs = 1_000;

interface Job<T, O> {
  readonly task: T;
  readonly resolve: (outcome: O | Promise<O>) => void;
  readonly reject: (error: Error) => void;
}

/** What a thread does with tasks of type `T`. */
export interface ThreadProgram<T, O> {
  /** A module that says "ready", and then answers each message, a task, with one, its outcome. */
  readonly file: string | URL;
  /** The same in place, for where no thread can be had. */
  readonly perform: (task: T) => O | Promise<O>;
  /** What of a task is handed over instead of being copied. */
  readonly transferred?: (task: T) => ArrayBuffer[];
}

/**
 * Where a thread's program lies: beside the module that starts it in a checkout, as a file of its own in the package.
 * `importer` is that module's `import.meta.url`, `name` the file's name without its ending.
 */
export function threadFile(importer: string, name: string): string | URL {
  return importer.endsWith(".ts") ? new URL(`./${name}.ts`, importer) : packageFile(`dist/rare/${name}.js`);
}

/**
 * Performs tasks in a thread of its own, one after the other, so that nobody else waits for a long one. The thread is
 * started by the first task, and again by the next one after it has died. It keeps the process alive only while it works.
 */
export class ColdWorker<T, O> {
  readonly #program: ThreadProgram<T, O>;
  readonly #waiting: Job<T, O>[] = [];
  #thread: Worker | undefined;
  #active: Job<T, O> | undefined;
  /** Whether no thread has ever come up: what cannot have one is worked on in place. */
  #neverCame = false;
  #hasCome = false;
  #closed = false;
  #lastError: unknown;

  constructor(program: ThreadProgram<T, O>) {
    this.#program = program;
  }

  /**
   * @param gone aborts when nobody waits for the outcome any more
   * @throws {ConsumeError} retryable, when too much waits, the thread died, `gone` aborted, or `close` was called
   */
  perform(task: T, gone: AbortSignal): Promise<O> {
    if (gone.aborted || this.#closed) return Promise.reject(interrupted("nobody waits for it"));
    if (this.#neverCame) return Promise.resolve(this.#program.perform(task));
    if (this.#waiting.length >= mostWaiting) return Promise.reject(interrupted("too much long work waits"));
    return new Promise<O>((resolve, reject) => {
      const leave = () => {
        const place = this.#waiting.indexOf(job);
        if (place >= 0) this.#waiting.splice(place, 1);
        job.reject(interrupted("nobody waits for it"));
      };
      const settled = () => gone.removeEventListener("abort", leave);
      const job: Job<T, O> = {
        task,
        resolve: (outcome) => {
          settled();
          resolve(outcome);
        },
        reject: (error) => {
          settled();
          reject(error);
        },
      };
      gone.addEventListener("abort", leave);
      this.#waiting.push(job);
      this.#next();
    });
  }

  /** Ends the thread. What waits is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    const thread = this.#thread;
    this.#thread = undefined;
    for (const job of [...this.#taken(), ...this.#waiting.splice(0)]) job.reject(interrupted("shutting down"));
    await thread?.terminate();
  }

  /** The job that is being worked on; it is nobody's afterwards. */
  #taken(): Job<T, O>[] {
    const active = this.#active;
    this.#active = undefined;
    return active === undefined ? [] : [active];
  }

  #next(): void {
    if (this.#active !== undefined) return;
    const job = this.#waiting.shift();
    if (job === undefined) {
      this.#thread?.unref();
      return;
    }
    if (this.#neverCame) {
      job.resolve(this.#program.perform(job.task));
      this.#next();
      return;
    }
    this.#active = job;
    this.#thread ??= this.#start();
    this.#thread.ref();
    this.#thread.postMessage(job.task, this.#program.transferred?.(job.task) ?? []);
  }

  #start(): Worker {
    const thread = new Worker(this.#program.file, { name: "cold", execArgv: [] });
    thread.on("message", (message: O | "ready") => {
      if (message === "ready") this.#hasCome = true;
      else {
        for (const job of this.#taken()) job.resolve(message);
        this.#next();
      }
    });
    // "exit" follows and says the rest.
    thread.on("error", (error) => void (this.#lastError = error));
    thread.on("exit", () => this.#died(thread));
    return thread;
  }

  #died(thread: Worker): void {
    if (this.#thread !== thread) return;
    this.#thread = undefined;
    if (!this.#hasCome) this.#neverCame = true;
    const error = interrupted("long work was interrupted", this.#lastError);
    for (const job of this.#taken()) job.reject(error);
    this.#next();
  }
}

function interrupted(message: string, cause?: unknown): ConsumeError {
  return new ConsumeError(message, { retryable: true, delayMs: comeBackMs, ...(cause !== undefined && { cause }) });
}
