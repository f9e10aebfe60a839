import type { Clock, Counter, Logger, Meter, Timer } from "../../host.ts";
import type { Column } from "../columns.ts";
import type { AggregationEngine, Query } from "../engine.ts";
import { type WorkerCommand, WorkerError, WorkerProcess } from "./worker_process.ts";

/** Between two starts of a worker that dies: doubled from the first to the second. */
const firstRestartMs = 1_000;
const longestRestartMs = 60_000;

/** Least time between two log lines about requests that a worker refused. */
const logEveryMs = 60_000;

export interface SupervisedOptions {
  /** What it is called in a config: `rapids`. */
  readonly name: string;
  readonly command: WorkerCommand;
  readonly deadlineMs: number;
  /** Computes what the worker does not. */
  readonly fallback: AggregationEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Whether it was asked for by name: then a worker without a GPU will do, and one that cannot start is tried again. */
  readonly isNamed: boolean;
}

/**
 * An engine in a process of its own, and `cpu` for as long as that is not there: while it starts, after it has died or
 * hung, for what it refuses. A window is asked of the worker at most once and then of `cpu`, so it is always computed
 * and never twice counted. A worker that died is started again, ever more rarely.
 */
export class SupervisedEngine implements AggregationEngine {
  readonly #options: SupervisedOptions;
  readonly #windows: Counter;
  readonly #failures: Counter;
  readonly #withdrawMemory: () => void;
  #worker: WorkerProcess | undefined;
  #starting: Promise<void>;
  #restart: Timer | undefined;
  #restartMs = firstRestartMs;
  /** Why `cpu` computes. */
  #reason = "it is starting";
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #wasThere = false;
  /** Windows computed, by the engine that did it. */
  readonly #computed = new Map<string, number>();
  /** Aborted by `close`. */
  readonly #closing = new AbortController();

  /** Starts the worker; until it is there, `cpu` computes. */
  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { meter } = options;
    this.#windows = meter.counter("otelpipe_aggregate_windows", {
      description: "Windows computed, by the engine that did it.",
      unit: "{window}",
    });
    this.#failures = meter.counter("otelpipe_aggregate_engine_failures", {
      description: "Windows that an engine in a process of its own did not compute, and starts that failed, by reason.",
      unit: "{failure}",
    });
    this.#withdrawMemory = meter.gauge(
      "otelpipe_aggregate_engine_free_memory",
      { description: "Free memory of the device that aggregates, as its worker said last.", unit: "By" },
      () => this.#worker?.memory["free_bytes"],
    );
    this.#starting = this.#start();
  }

  /** The engine that computes now, and why it is not the one that was asked for. */
  get name(): string {
    const { name, fallback } = this.#options;
    if (this.#worker?.isAlive !== true) return `${fallback.name} (${name}: ${this.#reason})`;
    const { engine, device } = this.#worker.hello;
    return `${name} (${device === null ? engine : `${engine}, ${device}`})`;
  }

  get tally(): string {
    return [...this.#computed].map(([engine, windows]) => `${engine} ${windows}`).join(", ");
  }

  /** The process of its worker; undefined while there is none. */
  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  async aggregate(table: readonly Column[], query: Query): Promise<readonly Column[]> {
    const answer = await this.#askWorker(table, query);
    const engine = answer === undefined ? this.#options.fallback.name : this.#options.name;
    this.#windows.add(1, { engine });
    this.#computed.set(engine, (this.#computed.get(engine) ?? 0) + 1);
    return answer ?? (await this.#options.fallback.aggregate(table, query));
  }

  /** Resolves when the first start has succeeded or failed. */
  async started(): Promise<void> {
    await this.#starting;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#restart !== undefined) this.#options.clock.clearTimer(this.#restart);
    this.#restart = undefined;
    this.#withdrawMemory();
    await this.#starting;
    await this.#worker?.close();
    this.#worker = undefined;
    await this.#options.fallback.close();
  }

  /** The worker's answer; undefined when there is no worker, or it gave none. */
  async #askWorker(table: readonly Column[], query: Query): Promise<readonly Column[] | undefined> {
    const worker = this.#worker;
    if (worker?.isAlive !== true) return undefined;
    try {
      const answer = await worker.aggregate(table, query);
      this.#restartMs = firstRestartMs;
      return answer;
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error;
      if (!error.isFatal) this.#refused(error);
      return undefined;
    }
  }

  async #start(): Promise<void> {
    const { name, command, logger, isNamed } = this.#options;
    try {
      const worker = await WorkerProcess.start(command, this.#options, this.#closing.signal);
      if (this.#closing.signal.aborted || !(worker.hello.gpu || isNamed)) {
        await worker.close();
        this.#lost(new WorkerError("no_gpu", `it found no GPU (${worker.hello.engine})`, true));
        return;
      }
      this.#worker = worker;
      this.#wasThere = true;
      void worker.ended.then((error) => this.#lost(error));
      const { engine, device, memory } = worker.hello;
      logger.info(
        { engine: name, library: engine, device, memory, pid: worker.pid },
        "The aggregation engine is ready.",
      );
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error;
      this.#lost(error);
    }
  }

  /**
   * The worker is gone: `cpu` goes on, and after a while another worker is started. Not where nobody asked for one and this
   * machine has none.
   */
  #lost({ code, message }: WorkerError): void {
    this.#worker = undefined;
    if (this.#closing.signal.aborted) return;
    this.#reason = message;
    this.#failures.add(1, { reason: code });
    const { name, fallback, clock, logger, isNamed } = this.#options;
    if (!isNamed && !this.#wasThere) {
      const fields = { engine: fallback.name, asked: "auto", reason: code, error: message };
      logger.info(fields, "The aggregation engine is ready; one on a GPU is not to be had.");
      return;
    }
    const restartMs = this.#restartMs;
    this.#restartMs = Math.min(longestRestartMs, restartMs * 2);
    logger.warn(
      { engine: name, used: fallback.name, reason: code, restart_in_ms: restartMs, error: message },
      "The aggregation engine is lost; another one computes until it is back.",
    );
    this.#restart = clock.setTimer(() => {
      this.#restart = undefined;
      this.#starting = this.#start();
    }, restartMs);
  }

  /** The worker lives, but did not compute this window. */
  #refused({ code, message }: WorkerError): void {
    this.#failures.add(1, { reason: code });
    const { name, fallback, clock, logger } = this.#options;
    if (clock.monotonicMs() - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = clock.monotonicMs();
    logger.warn(
      { engine: name, used: fallback.name, reason: code, error: message },
      "The aggregation engine did not compute a window; another one did.",
    );
  }
}
