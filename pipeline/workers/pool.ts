import type { ResolvedConfig } from "../config/resolved.ts";
import { untilDeadline } from "../deadline.ts";
import type { Plan } from "../graph/plan.ts";
import type { ByteBudget, Clock, Counter, Labels, Logger, Meter, ProcessMemory } from "../host.ts";
import type { Loggers, LogLevel } from "../telemetry/logger.ts";
import type { Sample } from "../telemetry/meter.ts";
import type { Tracing } from "../telemetry/tracing/tracing.ts";
import type { Tracer } from "../tracing.ts";
import type { EdgeView, NodeView } from "../view.ts";
import { Arrivals, isGate } from "./gates.ts";
import { afterTheEnd, mergeEdges, mergeNodes, mergePlans, mergeSamples, type Told } from "./merge.ts";
import type { LogLine } from "./messages.ts";
import { SharedAccount } from "./shared_account.ts";
import { Splitter } from "./split.ts";
import { WorkerThread } from "./thread.ts";
import type { WorkerConfig } from "./worker_config.ts";

export interface WorkerPoolOptions {
  readonly count: number;
  /** The module of a worker's thread: it calls `runWorker`. */
  readonly file: string | URL;
}

/** What a pool needs of the service that it is a part of. */
export interface PoolSurroundings {
  readonly version: string;
  /** The feature gates that are on. */
  readonly gates: ReadonlySet<string>;
  readonly clock: Clock;
  readonly loggers: Loggers;
  readonly meter: Meter;
  /** Records own spans; nobody does when absent. */
  readonly tracing: Tracing | undefined;
  readonly telemetry: ResolvedConfig["service"]["telemetry"];
  /** Of all threads together. */
  readonly budgetBytes: number;
  readonly memoryLimitBytes: number;
  /** Called when a worker is missing, and when all are there again. */
  readonly onWhole: (isWhole: boolean) => void;
  readonly fatal: (error: Error) => void;
}

/** A change that all workers are ready for. */
export interface PreparedWorkers {
  /** What becomes of every component, with those of the main thread. */
  changesWith(main: Plan): Plan;
  /** Leads data that way; `left` resolves when nothing goes the former way any more. */
  commit(graceMs: number): Promise<{ readonly left: Promise<unknown> }>;
  abandon(graceMs: number): Promise<void>;
}

interface Place {
  readonly index: number;
  thread: WorkerThread | undefined;
  /** Ends in a row that nobody asked for. */
  crashes: number;
  startedMs: number;
}

/** A worker that has run so long was well. */
const wellMs = 60_000;
/** After so many ends in a row, something is wrong that another start does not mend. */
const mostCrashes = 5;
const firstBackoffMs = 250;
/** How long one who asks for the state of things waits for a worker that is busy. */
const refreshMs = 500;

/** How long a worker may take to end once the time to drain is over. */
const stopGraceMs = 2_000;

/** The workers of a service: started, changed and stopped together, each replaced when it ends unforeseen. */
export class WorkerPool {
  readonly budget: ByteBudget;
  readonly memory: ProcessMemory;
  readonly #options: WorkerPoolOptions;
  readonly #surroundings: PoolSurroundings;
  readonly #logger: Logger;
  readonly #crashes: Counter;
  readonly #arrivals = new Arrivals();
  readonly #splitter = new Splitter(this.#arrivals);
  readonly #account: SharedAccount;
  readonly #places: readonly Place[];
  readonly #timers = new Set<object>();
  #config: WorkerConfig | undefined;
  #logLevel: LogLevel;
  #past: Told | undefined;
  #isRunning = false;

  constructor(options: WorkerPoolOptions, surroundings: PoolSurroundings) {
    const { loggers, meter, telemetry, budgetBytes, memoryLimitBytes } = surroundings;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#logger = loggers({});
    this.#logLevel = telemetry.logs.level;
    const description = "Workers that ended unforeseen and were started anew.";
    this.#crashes = meter.counter("otelpipe_worker_restarts", { description, unit: "{restart}" });
    this.#crashes.add(0);
    const buffer = SharedAccount.bufferFor(options.count + 1);
    this.#account = new SharedAccount(buffer, 0, budgetBytes);
    this.budget = this.#account.budget;
    this.memory = this.#account.memory(memoryLimitBytes);
    this.#places = Array.from({ length: options.count }, (_, at) => ({
      index: at + 1,
      thread: undefined,
      crashes: 0,
      startedMs: 0,
    }));
  }

  /** The tracer of a component of the main thread; gates have none, since nothing is received there a second time. */
  tracer(tracing: Tracing, component: Labels, scope: string): Tracer | undefined {
    return isGate(component["otelcol.component.id"]) ? undefined : tracing.tracer(component, scope);
  }

  /** What of a configuration the main thread runs. */
  mainPart(config: ResolvedConfig): ResolvedConfig {
    return this.#splitter.split(config).main;
  }

  /**
   * Starts all workers with their part of `config`; `durable` are the pipelines of the main thread that end in a queue on
   * disk.
   * @throws {Error} why one could not start; none runs then.
   */
  async start(config: ResolvedConfig, durable: ReadonlySet<string>): Promise<void> {
    this.#config = this.#workerPart(config, durable);
    const [first, ...others] = this.#places;
    try {
      if (first !== undefined) await this.#spawn(first, true);
      await Promise.all(others.map((place) => this.#spawn(place, false)));
      if (this.#threads.length < this.#places.length) throw new Error("a worker has ended while the others started");
    } catch (error) {
      await Promise.all(this.#threads.map((thread) => thread.terminate()));
      throw error;
    }
    this.#isRunning = true;
    this.#logger.info({ workers: this.#places.length }, "Workers are running.");
  }

  /** @throws {Error} why a worker could not; all run as before then. */
  async prepare(whole: ResolvedConfig, durable: ReadonlySet<string>, graceMs: number): Promise<PreparedWorkers> {
    const config = this.#workerPart(whole, durable);
    const threads = this.#threads;
    const prepared = await Promise.allSettled(threads.map((thread) => thread.call("prepare", config, graceMs)));
    const abandon = async (withinMs: number) =>
      void (await Promise.allSettled(threads.map((thread) => thread.call("abandon", withinMs))));
    const failed = prepared.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      await abandon(graceMs);
      throw failed.reason;
    }
    const [first] = prepared;
    return {
      changesWith: (main) => mergePlans(main, first?.status === "fulfilled" ? first.value : new Map()),
      abandon,
      commit: async (withinMs) => {
        this.#config = config;
        // One that ends meanwhile is started with the new configuration.
        await Promise.allSettled(threads.map((thread) => thread.call("commit", withinMs)));
        return { left: Promise.allSettled(threads.map((thread) => thread.call("left"))) };
      },
    };
  }

  /** Delivers what workers hold and ends them. */
  async stop(graceMs: number): Promise<{ readonly unanswered: number; readonly faults: number }> {
    this.#isRunning = false;
    for (const timer of this.#timers) this.#surroundings.clock.clearTimer(timer);
    const reports = await Promise.all(
      this.#threads.map(async (thread) => {
        const stopped = thread.call("stop", graceMs).catch((error: Error) => {
          this.#logger.error({ error }, "Stopping a worker failed.");
          return { unanswered: 0, faults: 0 };
        });
        // One that hangs does not keep the others from ending.
        const report = await this.#within(graceMs + stopGraceMs, stopped);
        await thread.terminate();
        return report ?? { unanswered: 0, faults: 0 };
      }),
    );
    return {
      unanswered: reports.reduce((sum, { unanswered }) => sum + unanswered, 0),
      faults: reports.reduce((sum, { faults }) => sum + faults, 0),
    };
  }

  setLogLevel(level: LogLevel): void {
    this.#logLevel = level;
    for (const thread of this.#threads) thread.setLogLevel(level);
  }

  /** Has all workers say how things stand. */
  async refresh(): Promise<void> {
    await this.#within(refreshMs, Promise.allSettled(this.#threads.map((thread) => thread.call("refresh"))));
  }

  /** The nodes of all threads, with those of the main thread, as one graph. */
  nodes(main: readonly NodeView[]): readonly NodeView[] {
    const told = main.map((node) => ({ ...toldOf(node), facts: node.facts() }));
    return mergeNodes([...this.#told.flatMap(({ nodes }) => nodes), ...told]);
  }

  edges(main: readonly EdgeView[]): readonly EdgeView[] {
    return mergeEdges(
      main,
      this.#told.flatMap(({ edges }) => edges),
    );
  }

  samples(main: Iterable<Sample>): Iterable<Sample> {
    return mergeSamples([...main, ...this.#told.flatMap(({ samples }) => samples)]);
  }

  /** That of the worker whose event loop is slowest. */
  get loopLagMs(): number {
    return Math.max(0, ...this.#threads.map(({ figures }) => figures?.loopLagMs ?? 0));
  }

  /** What `work` comes to; undefined when that takes longer. */
  #within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
    const { clock } = this.#surroundings;
    return untilDeadline(clock, clock.monotonicMs() + ms, work);
  }

  get #threads(): WorkerThread[] {
    return this.#places.flatMap(({ thread }) => thread ?? []);
  }

  get #told(): Told[] {
    return [...this.#places.flatMap(({ thread }) => thread?.figures ?? []), ...(this.#past ? [this.#past] : [])];
  }

  #workerPart(config: ResolvedConfig, durable: ReadonlySet<string>): WorkerConfig {
    return { ...this.#splitter.split(config).worker, durable: [...durable] };
  }

  async #spawn(place: Place, probes: boolean): Promise<void> {
    const { version, gates, telemetry, tracing, budgetBytes, memoryLimitBytes, fatal, clock } = this.#surroundings;
    const config = this.#config;
    if (config === undefined) return;
    const thread = new WorkerThread({
      file: this.#options.file,
      start: {
        index: place.index,
        version,
        gates,
        config,
        telemetry,
        logLevel: this.#logLevel,
        isTraced: tracing !== undefined,
        probes,
        account: this.#account.buffer,
        budgetBytes,
        memoryLimitBytes,
      },
      arrivals: this.#arrivals,
      tracing,
      onLog: (line) => this.#log(place, line),
      onFatal: fatal,
    });
    place.thread = thread;
    place.startedMs = clock.monotonicMs();
    void thread.ended.then((reason) => this.#ended(place, thread, reason));
    await thread.ready;
    const latest = this.#config;
    if (latest === undefined || latest === config) return;
    await thread.call("prepare", latest, 0);
    await thread.call("commit", 0);
  }

  #ended(place: Place, thread: WorkerThread, reason: Error | undefined): void {
    const { figures } = thread;
    if (figures !== undefined) this.#past = afterTheEnd(figures, this.#past);
    place.thread = undefined;
    this.#account.clear(place.index);
    if (!this.#isRunning) return;
    const { clock, fatal, onWhole } = this.#surroundings;
    const wasWell = clock.monotonicMs() - place.startedMs >= wellMs;
    place.crashes = wasWell ? 1 : place.crashes + 1;
    const fields = { worker: place.index, ...(reason !== undefined && { error: reason }) };
    this.#logger.error(fields, "A worker has ended unforeseen; another one is started in its place.");
    onWhole(false);
    if (place.crashes >= mostCrashes) {
      fatal(new Error(`worker ${place.index} has ended ${place.crashes} times in a row`, { cause: reason }));
      return;
    }
    const delayMs = place.crashes === 1 ? 0 : firstBackoffMs * 2 ** (place.crashes - 2);
    const timer = clock.setTimer(() => {
      this.#timers.delete(timer);
      this.#crashes.add(1);
      // When it fails it ends, which is the next thing heard of it.
      this.#spawn(place, false).then(
        () => this.#replaced(place),
        () => {},
      );
    }, delayMs);
    this.#timers.add(timer);
  }

  #replaced({ index }: Place): void {
    this.#logger.info({ worker: index }, "A worker runs in its place.");
    if (this.#threads.length === this.#places.length) this.#surroundings.onWhole(true);
  }

  #log({ index }: Place, { level, component, fields, message }: LogLine): void {
    this.#surroundings.loggers(component)[level]({ worker: index, ...fields }, message);
  }
}

function toldOf({ key, kind, id, pipelineId, holdsData, isRemoved, books }: NodeView) {
  return {
    key,
    kind,
    id,
    isRemoved,
    books,
    ...(pipelineId !== undefined && { pipelineId }),
    ...(holdsData !== undefined && { holdsData }),
  };
}
