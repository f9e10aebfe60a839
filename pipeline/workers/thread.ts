import { Worker } from "node:worker_threads";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
import { type Arrivals, Visitors } from "./gates.ts";
import type { Figures, FromWorker, LogLine, ToWorker, WorkerCalls, WorkerStart } from "./messages.ts";

export interface ThreadOptions {
  /** The module of the thread. */
  readonly file: string | URL;
  readonly start: WorkerStart;
  readonly arrivals: Arrivals;
  readonly tracing: Tracing | undefined;
  readonly onLog: (line: LogLine) => void;
  /** A component reports what the process cannot live with. */
  readonly onFatal: (error: Error) => void;
}

interface OpenCall {
  readonly resolve: (value: never) => void;
  readonly reject: (error: Error) => void;
}

/** A worker, from the main thread. */
export class WorkerThread {
  /** Resolves when it runs. Rejects when it cannot. */
  readonly ready: Promise<void>;
  /** Resolves when it has ended, with why if that is known. */
  readonly ended: Promise<Error | undefined>;
  readonly #options: ThreadOptions;
  readonly #thread: Worker;
  readonly #visitors: Visitors;
  readonly #calls = new Map<number, OpenCall>();
  #lastCall = 0;
  #figures: Figures | undefined;
  #isReady = false;
  #hasEnded = false;
  #becomeReady: () => void = () => {};
  #fail: (error: Error) => void = () => {};

  constructor(options: ThreadOptions) {
    this.#options = options;
    const { file, start, arrivals, tracing } = options;
    this.ready = new Promise((resolve, reject) => {
      this.#becomeReady = resolve;
      this.#fail = reject;
    });
    this.ready.catch(() => {}); // also when nobody asks
    this.#thread = new Worker(file, { name: `worker ${start.index}`, execArgv: [], workerData: start });
    this.#visitors = new Visitors(arrivals, (message) => this.#post(message), tracing);
    let reason: Error | undefined;
    this.#thread.on("message", (message: FromWorker) => this.#take(message));
    this.#thread.on("error", (error: Error) => (reason = error));
    this.ended = new Promise((resolve) => {
      this.#thread.on("exit", () => {
        this.#hasEnded = true;
        const error = ended(reason);
        this.#fail(error);
        for (const { reject } of this.#calls.values()) reject(error);
        this.#calls.clear();
        this.#visitors.allGone();
        resolve(reason);
      });
    });
  }

  /** How things stood there last; undefined before it has said so. */
  get figures(): Figures | undefined {
    return this.#figures;
  }

  /** Rejects with what the worker threw, or when it has ended. */
  call<M extends keyof WorkerCalls>(method: M, ...args: Parameters<WorkerCalls[M]>): ReturnType<WorkerCalls[M]> {
    if (this.#hasEnded) return Promise.reject(ended()) as ReturnType<WorkerCalls[M]>;
    this.#lastCall += 1;
    const number = this.#lastCall;
    const called = new Promise((resolve, reject) => this.#calls.set(number, { resolve, reject }));
    this.#post({ kind: "call", number, method, args });
    return called as ReturnType<WorkerCalls[M]>;
  }

  setLogLevel(level: WorkerStart["logLevel"]): void {
    this.#post({ kind: "log_level", level });
  }

  async terminate(): Promise<void> {
    await this.#thread.terminate();
  }

  #post(message: ToWorker): void {
    this.#thread.postMessage(message);
  }

  #take(message: FromWorker): void {
    switch (message.kind) {
      case "passage":
        this.#visitors.arrived(message);
        break;
      case "gone":
        this.#visitors.gone(message.number);
        break;
      case "figures":
        this.#figures = message;
        break;
      case "log":
        this.#options.onLog(message);
        break;
      case "span_started":
        this.#options.tracing?.startedFar(message.name);
        break;
      case "span_ended":
        this.#options.tracing?.endedFar(message.span);
        break;
      case "ready":
        this.#isReady = true;
        this.#becomeReady();
        break;
      case "fatal":
        if (this.#isReady) this.#options.onFatal(message.error);
        else this.#fail(message.error);
        break;
      case "done":
        this.#done(message);
        break;
    }
  }

  #done({ number, value, error }: Extract<FromWorker, { kind: "done" }>): void {
    const call = this.#calls.get(number);
    this.#calls.delete(number);
    if (error !== undefined) call?.reject(error);
    else call?.resolve(value as never);
  }
}

function ended(cause?: Error): Error {
  return new Error("the worker has ended", { cause });
}
