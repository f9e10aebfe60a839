import type { Clock, Counter, Logger, Meter, Timer } from "../../host.ts";
import type { Column } from "../columns.ts";
import { ComputedWindows, firstChoice } from "../computed_windows.ts";
import type { AggregationEngine, Query } from "../engine.ts";
import { type WorkerCommand, WorkerError, WorkerProcess } from "./worker_process.ts";

/** Between two starts of a worker that dies: doubled from the first to the second. */
const firstRestartMs = 1_000;
const longestRestartMs = 60_000;

/** Least time between two log lines about requests that a worker refused. */
const logEveryMs = 60_000;

/** A worker and what it is called in a config: `rapids`. */
export interface NamedWorker {
  readonly name: string;
  readonly command: WorkerCommand;
}

/** Why a worker is not the one that computes. */
interface Failure {
  readonly name: string;
  readonly code: string;
  readonly message: string;
}

export interface SupervisedOptions {
  /** At least one, best first: each start takes the first that works. */
  readonly workers: readonly NamedWorker[];
  readonly deadlineMs: number;
  /** Computes what the worker does not. */
  readonly fallback: AggregationEngine;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
  /** Whether one was asked for by name: then a worker without a GPU will do, and one that cannot start is tried again. */
  readonly isNamed: boolean;
}

/**
 * An engine in a process of its own, and `cpu` for as long as that is not there: while it starts, after it has died or
 * hung, for what it refuses. A window is asked of the worker at most once and then of `cpu`, so it is always computed
 * and never twice counted. A worker that died is started again, ever more rarely.
 */
export class SupervisedEngine implements AggregationEngine {
  readonly #options: SupervisedOptions;
  readonly #windows: ComputedWindows;
  readonly #failureCount: Counter;
  readonly #withdrawMemory: () => void;
  #worker: WorkerProcess | undefined;
  /** What the worker is called. */
  #workerName = "";
  #starting: Promise<void>;
  #restart: Timer | undefined;
  #restartMs = firstRestartMs;
  /** Why those before the one that computes do not, the first choice's first. */
  #failures: readonly Failure[];
  #loggedAtMs = Number.NEGATIVE_INFINITY;
  #wasThere = false;
  /** Aborted by `close`. */
  readonly #closing = new AbortController();

  /** Starts the worker; until it is there, `cpu` computes. */
  constructor(options: SupervisedOptions) {
    this.#options = options;
    const { meter } = options;
    this.#windows = new ComputedWindows(meter);
    this.#failureCount = meter.counter("otelpipe_aggregate_engine_failures", {
      description:
        "Windows that an engine in a process of its own did not compute, and starts that failed, by engine and reason.",
      unit: "{failure}",
    });
    this.#withdrawMemory = meter.gauge(
      "otelpipe_aggregate_engine_free_memory",
      { description: "Free memory of the device that aggregates, as its worker said last.", unit: "By" },
      () => this.#worker?.memory["free_bytes"],
    );
    this.#failures = options.workers.map(({ name }) => ({ name, code: "starting", message: "it is starting" }));
    this.#starting = this.#start();
  }

  /** The engine that computes now, and why it is not the one that was asked for. */
  get name(): string {
    const reasons = reasonsOf(this.#failures);
    if (this.#worker?.isAlive !== true) return `${this.#options.fallback.name} (${reasons})`;
    const { engine, device } = this.#worker.hello;
    const facts = [engine, ...(device === null ? [] : [device]), ...(reasons === "" ? [] : [reasons])];
    return `${this.#workerName} (${facts.join(", ")})`;
  }

  get tally(): string {
    return this.#windows.tally;
  }

  /** The process of its worker; undefined while there is none. */
  get pid(): number | undefined {
    return this.#worker?.pid;
  }

  async aggregate(table: readonly Column[], query: Query): Promise<readonly Column[]> {
    const answer = await this.#askWorker(table, query);
    if ("columns" in answer) return answer.columns;
    this.#windows.add(this.#options.fallback.name, this.#failures[0]?.code ?? answer.reason);
    return await this.#options.fallback.aggregate(table, query);
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

  /** The worker's answer; or, when there is no worker or it gave none, the code of why. */
  async #askWorker(
    table: readonly Column[],
    query: Query,
  ): Promise<{ readonly columns: readonly Column[] } | { readonly reason: string }> {
    const worker = this.#worker;
    const name = this.#workerName;
    if (worker?.isAlive !== true) return { reason: "died" };
    const firstFailure = this.#failures[0]?.code ?? firstChoice;
    try {
      const columns = await worker.aggregate(table, query);
      this.#restartMs = firstRestartMs;
      this.#windows.add(name, firstFailure);
      return { columns };
    } catch (error) {
      if (!(error instanceof WorkerError)) throw error;
      if (!error.isFatal) this.#refused(name, error);
      return { reason: error.code };
    }
  }

  /** Takes the first worker that starts. */
  async #start(): Promise<void> {
    const failures: Failure[] = [];
    for (const { name, command } of this.#options.workers) {
      try {
        this.#take(name, await this.#started(command), failures);
        return;
      } catch (error) {
        if (!(error instanceof WorkerError)) throw error;
        if (this.#closing.signal.aborted) return;
        failures.push(this.#failed(name, error));
      }
    }
    this.#lost(failures);
  }

  /** A worker that is there to stay. @throws {WorkerError} */
  async #started(command: WorkerCommand): Promise<WorkerProcess> {
    const worker = await WorkerProcess.start(command, this.#options, this.#closing.signal);
    const { gpu, engine } = worker.hello;
    if (!this.#closing.signal.aborted && (gpu || this.#options.isNamed)) return worker;
    await worker.close();
    throw new WorkerError("no_gpu", `it found no GPU (${engine})`, true);
  }

  #take(name: string, worker: WorkerProcess, failures: readonly Failure[]): void {
    this.#worker = worker;
    this.#workerName = name;
    this.#failures = failures;
    this.#wasThere = true;
    void worker.ended.then((error) => {
      this.#worker = undefined;
      if (!this.#closing.signal.aborted) this.#lost([...failures, this.#failed(name, error)]);
    });
    const { engine, device, memory } = worker.hello;
    const reason = failures.length === 0 ? {} : { reason: reasonsOf(failures) };
    this.#options.logger.info(
      { engine: name, library: engine, device, memory, pid: worker.pid, ...reason },
      "The aggregation engine is ready.",
    );
  }

  #failed(name: string, { code, message }: WorkerError): Failure {
    this.#failureCount.add(1, { engine: name, reason: code });
    return { name, code, message };
  }

  /**
   * No worker is there: `cpu` goes on, and after a while all are tried again. Not where nobody asked for one and this
   * machine has none.
   */
  #lost(failures: readonly Failure[]): void {
    this.#failures = failures;
    const { fallback, clock, logger, isNamed } = this.#options;
    const { name: engine, code: reason } = failures.at(-1)!;
    const error = isNamed ? failures.at(-1)!.message : reasonsOf(failures);
    if (!isNamed && !this.#wasThere) {
      logger.info(
        { engine: fallback.name, asked: "auto", reason, error },
        "The aggregation engine is ready; one on a GPU is not to be had.",
      );
      return;
    }
    const restartMs = this.#restartMs;
    this.#restartMs = Math.min(longestRestartMs, restartMs * 2);
    logger.warn(
      { engine, used: fallback.name, reason, restart_in_ms: restartMs, error },
      "The aggregation engine is lost; another one computes until it is back.",
    );
    this.#restart = clock.setTimer(() => {
      this.#restart = undefined;
      this.#starting = this.#start();
    }, restartMs);
  }

  /** The worker lives, but did not compute this window. */
  #refused(name: string, { code, message }: WorkerError): void {
    this.#failureCount.add(1, { engine: name, reason: code });
    const { fallback, clock, logger } = this.#options;
    if (clock.monotonicMs() - this.#loggedAtMs < logEveryMs) return;
    this.#loggedAtMs = clock.monotonicMs();
    logger.warn(
      { engine: name, used: fallback.name, reason: code, error: message },
      "The aggregation engine did not compute a window; another one did.",
    );
  }
}

function reasonsOf(failures: readonly Failure[]): string {
  return failures.map(({ name, message }) => `${name}: ${message}`).join("; ");
}
