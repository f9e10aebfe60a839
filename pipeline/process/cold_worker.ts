import { Worker } from "node:worker_threads";
import { ConsumeError } from "../delivery.ts";
import { type Outcome, perform, type Task } from "./cold_tasks.ts";
import { packageFile } from "./package_file.ts";

/** Tasks that may wait; each holds the memory of its body. */
const mostWaiting = 64;

const comeBackMs = 1_000;

interface Job {
  readonly task: Task;
  readonly resolve: (outcome: Outcome) => void;
  readonly reject: (error: Error) => void;
}

/** Where the thread's program lies: beside this file in a checkout, as a file of its own in the package. */
export function threadProgram(): string | URL {
  const isSource = import.meta.url.endsWith(".ts");
  return isSource ? new URL("./cold_thread.ts", import.meta.url) : packageFile("dist/rare/cold_thread.js");
}

/**
 * Performs tasks in a thread of its own, one after the other, so that nobody else waits for a long one. The thread is
 * started by the first task, and again by the next one after it has died. It keeps the process alive only while it works.
 */
export class ColdWorker {
  readonly #program: string | URL;
  readonly #waiting: Job[] = [];
  #thread: Worker | undefined;
  #active: Job | undefined;
  /** Whether no thread has ever come up: what cannot have one is worked on in place. */
  #neverCame = false;
  #hasCome = false;
  #closed = false;
  #lastError: unknown;

  constructor(program = threadProgram()) {
    this.#program = program;
  }

  /**
   * @param gone aborts when nobody waits for the outcome any more
   * @throws {ConsumeError} retryable, when too much waits, the thread died, `gone` aborted, or `close` was called
   */
  perform(task: Task, gone: AbortSignal): Promise<Outcome> {
    if (gone.aborted || this.#closed) return Promise.reject(interrupted("nobody waits for it"));
    if (this.#neverCame) return Promise.resolve(perform(task));
    if (this.#waiting.length >= mostWaiting) return Promise.reject(interrupted("too many long requests wait"));
    return new Promise<Outcome>((resolve, reject) => {
      const leave = () => {
        const place = this.#waiting.indexOf(job);
        if (place >= 0) this.#waiting.splice(place, 1);
        job.reject(interrupted("nobody waits for it"));
      };
      const settled = () => gone.removeEventListener("abort", leave);
      const job: Job = {
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
  #taken(): Job[] {
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
      job.resolve(perform(job.task));
      this.#next();
      return;
    }
    this.#active = job;
    this.#thread ??= this.#start();
    this.#thread.ref();
    this.#thread.postMessage(job.task, [job.task.body.buffer]);
  }

  #start(): Worker {
    const thread = new Worker(this.#program, { name: "cold", execArgv: [] });
    thread.on("message", (message: Outcome | "ready") => {
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
    const error = interrupted("reading the request was interrupted", this.#lastError);
    for (const job of this.#taken()) job.reject(error);
    this.#next();
  }
}

function interrupted(message: string, cause?: unknown): ConsumeError {
  return new ConsumeError(message, { retryable: true, delayMs: comeBackMs, ...(cause !== undefined && { cause }) });
}
