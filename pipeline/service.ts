import { isDeepStrictEqual } from "node:util";
import type { ResolvedConfig } from "./config/resolved.ts";
import { untilDeadline } from "./deadline.ts";
import type { GenerationOptions } from "./generation.ts";
import { Generations } from "./generations.ts";
import type { Report } from "./graph/drain.ts";
import { Exclusives } from "./graph/exclusives.ts";
import { type Plan, samePipelines } from "./graph/plan.ts";
import type { Clock, Labels, Logger } from "./host.ts";
import { userAgent } from "./net/user_agent.ts";
import { ThreadedBodyReader } from "./process/body_reader.ts";
import { clockScheduler, systemClock } from "./process/clock.ts";
import { type LoadMonitor, monitorLoad } from "./process/load.ts";
import { Budget, memoryLimitBytes, processMemory } from "./process/memory.ts";
import { type AppliedChange, Reloader } from "./reloader.ts";
import { RunningTelemetry } from "./running_telemetry.ts";
import { createBoard } from "./telemetry/board.ts";
import type { Loggers, LogLevel } from "./telemetry/logger.ts";
import type { Resource } from "./telemetry/resource.ts";
import type { Tracing } from "./telemetry/tracing/tracing.ts";
import type {
  EdgeView,
  FeatureGateView,
  NodeView,
  OwnSpansView,
  PipelineView,
  ProcessView,
  ReloadVerdict,
  ServiceView,
} from "./view.ts";
import type { PoolSurroundings, PreparedWorkers, WorkerPool } from "./workers/pool.ts";

/** How long what a change of the configuration has no use for may take to deliver what it holds. */
const leavingGraceMs = 20_000;

/** The share of the time to stop that workers may take: what they hand over is delivered in the rest. */
const workersShare = 0.75;

/** The share of the memory limit that data in flight may take. */
const budgetShare = 0.4;

export interface ServiceOptions {
  readonly version: string;
  readonly configSources: readonly string[];
  readonly loggers: Loggers;
  /** Whom the own telemetry is about. */
  readonly resource?: Resource;
  /** Records own spans; nobody does when absent. */
  readonly tracing?: Tracing | undefined;
  /** The feature gates that are on. */
  readonly gates?: ReadonlySet<string>;
  /** The feature gates there are; none when absent. */
  readonly featureGates?: () => Promise<readonly FeatureGateView[]>;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Reads the configuration anew, for `reload`. */
  readonly load?: () => Promise<ResolvedConfig>;
  /** Makes the workers of `service::workers`; without it all runs in this thread. */
  readonly workers?: ((surroundings: PoolSurroundings) => WorkerPool) | undefined;
  /** Changes the lowest level of log lines that are written. */
  readonly setLogLevel?: (level: LogLevel) => void;
  /** What the process may use, in bytes; read from the cgroup when absent. */
  readonly memoryLimitBytes?: number;
}

type State = ReturnType<ServiceView["state"]>;

/**
 * A running config: extensions, then exporters and connectors, then receivers are started; stopped the other way round.
 *
 * `start` either brings everything up or leaves nothing running. `failure` settles when a component reports that the
 * process cannot go on.
 */
export class Service implements ServiceView {
  readonly command = "otelpipe";
  readonly version: string;
  readonly configSources: readonly string[];
  readonly startedUnixMs: number;
  /** Resolves with the first fatal error. */
  readonly failure: Promise<Error>;
  readonly #clock: Clock;
  readonly #featureGates: ServiceOptions["featureGates"];
  readonly #tracing: Tracing | undefined;
  readonly #logger: Logger;
  readonly #surroundings: GenerationOptions["surroundings"];
  /** The whole configuration, of which this thread may run but a part. */
  #config: ResolvedConfig;
  readonly #generations: Generations;
  readonly #workers: WorkerPool | undefined;
  /** Resolves when the latest change of the configuration is made, or has failed. */
  #changing: Promise<unknown> = Promise.resolve();
  readonly #reloader: Reloader | undefined;
  readonly #telemetry: RunningTelemetry;
  readonly #bodies: ThreadedBodyReader;
  readonly #listeners = new Set<(state: State) => void>();
  #load: LoadMonitor | undefined;
  #state: State = "starting";
  #fail: (error: Error) => void = () => {};

  /** Builds every component; nothing is started and nothing is bound yet. @throws what a component's constructor throws. */
  constructor(config: ResolvedConfig, options: ServiceOptions) {
    const clock = options.clock ?? systemClock;
    const limitBytes = options.memoryLimitBytes ?? memoryLimitBytes();
    this.version = options.version;
    this.configSources = options.configSources;
    this.startedUnixMs = clock.nowMs();
    this.failure = new Promise((resolve) => (this.#fail = resolve));
    this.#clock = clock;
    this.#featureGates = options.featureGates;
    this.#tracing = options.tracing;
    this.#logger = options.loggers({});
    const { resource = {}, tracing } = options;
    const build = { command: this.command, version: options.version };
    const gates = options.gates ?? new Set<string>();
    const exclusives = new Exclusives();
    const setLogLevel = (level: LogLevel) => {
      options.setLogLevel?.(level);
      this.#workers?.setLogLevel(level);
    };
    const own = { clock, logger: this.#logger, resource, userAgent: userAgent(build), exclusives, setLogLevel };
    this.#telemetry = new RunningTelemetry(config.service.telemetry, this, {
      ...own,
      ...(options.workers !== undefined && {
        others: {
          refresh: async () => await this.#workers?.refresh(),
          merged: (samples) => this.#workers?.samples(samples) ?? samples,
        },
      }),
    });
    const budgetBytes = Math.floor(limitBytes * budgetShare);
    this.#workers = options.workers?.({
      version: options.version,
      gates,
      clock,
      loggers: options.loggers,
      meter: this.#telemetry.metrics.meter({}),
      tracing,
      telemetry: config.service.telemetry,
      budgetBytes,
      memoryLimitBytes: limitBytes,
      onWhole: (isWhole) => this.#becomeWhole(isWhole),
      fatal: (error) => this.fatal(error),
    });
    const budget = this.#workers?.budget ?? new Budget(budgetBytes);
    this.#bodies = new ThreadedBodyReader(budget);
    this.#surroundings = {
      clock,
      scheduler: clockScheduler(clock),
      random: options.random ?? Math.random,
      loggerFor: options.loggers,
      metrics: this.#telemetry.metrics,
      ...(tracing && {
        tracerFor: (component: Labels, scope: string) =>
          this.#workers === undefined
            ? tracing.tracer(component, scope)
            : this.#workers.tracer(tracing, component, scope),
      }),
      budget,
      bodies: this.#bodies,
      memory: this.#workers?.memory ?? processMemory(limitBytes),
      board: createBoard(),
      gates,
      build,
      exclusives,
      fatal: (error: Error) => this.fatal(error),
    };
    this.#config = config;
    this.#generations = new Generations(this.#workers?.mainPart(config) ?? config, {
      surroundings: this.#surroundings,
      view: this,
      logger: this.#logger,
    });
    const { load } = options;
    const [logger, meter] = [this.#logger, this.#telemetry.metrics.meter({})];
    this.#reloader =
      load && new Reloader({ load, change: (next) => this.change(next, leavingGraceMs), clock, logger, meter });
  }

  /** @throws {Error} naming the component that could not be started; what had been started is stopped again. */
  async start(): Promise<void> {
    this.#load = monitorLoad();
    try {
      await this.#telemetry.start();
      const { current } = this.#generations;
      await current.start();
      await this.#workers?.start(this.#config, current.graph.durable);
    } catch (error) {
      this.#setState("failed");
      await this.#stopAll(0);
      throw error;
    }
    this.#setState("running");
    this.#logger.info({}, "Everything is ready. Begin running and processing data.");
  }

  /**
   * Makes `config` the running one: what it changes is built and started, then data is led that way between two
   * deliveries, then what it has no use for is emptied and stopped within `graceMs`, beside the rest. Unchanged components
   * go on as they are. One change at a time.
   *
   * @returns what became of every component, and whether anything did.
   * @throws {Error} naming the component that could not be built or started; everything runs as before then.
   */
  async change(config: ResolvedConfig, graceMs: number): Promise<AppliedChange> {
    if (this.#state !== "running") throw new Error(`the service is ${this.#state}`);
    const former = this.#config;
    const changing = this.#replaceBy(config, graceMs);
    this.#changing = changing.catch(() => {});
    const changes = await changing;
    const isSame =
      [...changes.values()].every((change) => change === "keep") &&
      samePipelines(former, config) &&
      isDeepStrictEqual(former.service.telemetry, config.service.telemetry);
    return { changes, isSame };
  }

  async #replaceBy(config: ResolvedConfig, graceMs: number): Promise<Plan> {
    const next = await this.#generations.prepare(this.#workers?.mainPart(config) ?? config, graceMs);
    const { telemetry, workers } = config.service;
    let nextOfWorkers: PreparedWorkers | undefined;
    try {
      nextOfWorkers = await this.#workers?.prepare(config, next.durable, graceMs);
      if (this.#state !== "running") throw new Error(`the service is ${this.#state}`);
      await this.#telemetry.change(this.#config.service.telemetry, telemetry);
    } catch (error) {
      await nextOfWorkers?.abandon(graceMs);
      await next.abandon(graceMs);
      throw error;
    }
    if (workers !== this.#config.service.workers) {
      this.#logger.warn({ settings: ["workers"] }, "Settings of the service take effect at the next start.");
    }
    this.#config = config;
    const { promise: left, resolve } = Promise.withResolvers<void>();
    void next.commit(graceMs, nextOfWorkers && left);
    const committed = await nextOfWorkers?.commit(graceMs);
    void committed?.left.then(() => resolve());
    this.#setState("running");
    return nextOfWorkers?.changesWith(next.changes) ?? next.changes;
  }

  get reload(): ServiceView["reload"] {
    const reloader = this.#reloader;
    return reloader && (() => reloader.request());
  }

  lastReload(): ReloadVerdict | undefined {
    return this.#reloader?.latest;
  }

  /**
   * Takes nothing new, delivers what is held and stops everything, within `graceMs`. What could not be delivered by then
   * is counted as dropped with reason `shutdown`, or its sender is told to come back.
   */
  async stop(graceMs: number): Promise<Report> {
    this.#setState("draining");
    this.#logger.info({}, "Starting shutdown...");
    const report = await this.#stopAll(graceMs);
    this.#setState("stopped");
    this.#logger.info({}, "Shutdown complete.");
    return report;
  }

  /** An error that the process cannot live with: health fails, `failure` resolves. */
  fatal(error: Error): void {
    const cause = error.cause instanceof Error ? error.cause : error;
    this.#logger.error(
      { error: error.message, stack: cause.stack },
      "Asynchronous error received, terminating process.",
    );
    if (this.#state === "running") this.#setState("failed");
    this.#fail(error);
  }

  state(): State {
    return this.#state;
  }

  onState(listener: (state: State) => void): () => void {
    this.#listeners.add(listener);
    listener(this.#state);
    return () => void this.#listeners.delete(listener);
  }

  pipelines(): readonly PipelineView[] {
    return [...this.#config.service.pipelines.values()];
  }

  extensions(): readonly string[] {
    return this.#config.service.extensions;
  }

  async featureGates(): Promise<readonly FeatureGateView[]> {
    return (await this.#featureGates?.()) ?? [];
  }

  ownSpans(): OwnSpansView | undefined {
    return this.#tracing?.recent;
  }

  nodes(): readonly NodeView[] {
    const { nodes } = this.#generations.current.graph;
    return this.#workers?.nodes(nodes) ?? nodes;
  }

  edges(): readonly EdgeView[] {
    const edges = this.#generations.current.graph.edges();
    return this.#workers?.edges(edges) ?? edges;
  }

  process(): ProcessView {
    const { budget, memory } = this.#surroundings;
    return {
      rssBytes: process.memoryUsage.rss(),
      memoryLimitBytes: memory.limitBytes,
      budgetUsedBytes: budget.usedBytes,
      budgetLimitBytes: budget.limitBytes,
      loopLagMs: Math.max(this.#load?.loopLagMs ?? 0, this.#workers?.loopLagMs ?? 0),
      cpuCores: this.#load?.cpuCores ?? 0,
    };
  }

  async #stopAll(graceMs: number): Promise<Report> {
    const clock = this.#clock;
    const deadlineMs = clock.monotonicMs() + graceMs;
    await untilDeadline(clock, deadlineMs, this.#changing);
    const ofWorkers = await this.#workers?.stop((deadlineMs - clock.monotonicMs()) * workersShare);
    const report = await this.#generations.drain({ clock, logger: this.#logger, deadlineMs });
    await this.#telemetry.stop();
    await this.#bodies.close();
    this.#load?.stop();
    if (ofWorkers === undefined) return report;
    const nodes = this.nodes().map((node) => ({ node, books: node.books }));
    const { unanswered, faults } = ofWorkers;
    return { nodes, unanswered: report.unanswered + unanswered, faults: report.faults + faults };
  }

  /** A worker that is missing, for as long as it is. */
  #becomeWhole(isWhole: boolean): void {
    if (this.#state === (isWhole ? "starting" : "running")) this.#setState(isWhole ? "running" : "starting");
  }

  #setState(state: State): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
