import { isDeepStrictEqual } from "node:util";
import type { ResolvedConfig } from "./config/resolved.ts";
import { Generation, type GenerationOptions } from "./generation.ts";
import { untilDeadline } from "./graph/deadline.ts";
import type { DrainOptions, Report } from "./graph/drain.ts";
import { Exclusives } from "./graph/exclusives.ts";
import { samePipelines } from "./graph/plan.ts";
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

/** How long what a change of the configuration has no use for may take to deliver what it holds. */
const leavingGraceMs = 20_000;

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
  /** The feature gates there are; none when absent. */
  readonly featureGates?: () => Promise<readonly FeatureGateView[]>;
  readonly clock?: Clock;
  readonly random?: () => number;
  /** Reads the configuration anew, for `reload`. */
  readonly load?: () => Promise<ResolvedConfig>;
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
  readonly #options: GenerationOptions;
  #current: Generation;
  /** Resolves when the latest change of the configuration is made, or has failed. */
  #changing: Promise<void> = Promise.resolve();
  /** What leaves after a change of the configuration; each resolves when it does not concern the current one any more. */
  readonly #leaving = new Map<Promise<void>, Promise<void>>();
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
    const { resource = {}, tracing, setLogLevel } = options;
    const build = { command: this.command, version: options.version };
    const exclusives = new Exclusives();
    const own = { clock, logger: this.#logger, resource, userAgent: userAgent(build), exclusives, setLogLevel };
    this.#telemetry = new RunningTelemetry(config.service.telemetry, this, own);
    const budget = new Budget(Math.floor(limitBytes * budgetShare));
    this.#bodies = new ThreadedBodyReader(budget);
    const surroundings = {
      clock,
      scheduler: clockScheduler(clock),
      random: options.random ?? Math.random,
      loggerFor: options.loggers,
      metrics: this.#telemetry.metrics,
      ...(tracing && { tracerFor: (component: Labels, scope: string) => tracing.tracer(component, scope) }),
      budget,
      bodies: this.#bodies,
      memory: processMemory(limitBytes),
      board: createBoard(),
      build,
      exclusives,
      fatal: (error: Error) => this.fatal(error),
    };
    this.#options = { surroundings, view: this, logger: this.#logger };
    this.#current = new Generation(config, this.#options);
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
      await this.#current.start();
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
    const next = new Generation(config, this.#options, this.#current);
    const { changes } = next;
    const isSame =
      [...changes.values()].every((change) => change === "keep") &&
      samePipelines(this.#current.config, config) &&
      isDeepStrictEqual(this.#current.config.service.telemetry, config.service.telemetry);
    const changing = this.#replaceBy(next, graceMs);
    this.#changing = changing.catch(() => {});
    await changing;
    next.settle();
    return { changes, isSame };
  }

  async #replaceBy(next: Generation, graceMs: number): Promise<void> {
    const former = this.#current;
    const leaving = former.without(next);
    leaving.isEnding = true;
    try {
      await next.start();
      if (this.#state !== "running") throw new Error(`the service is ${this.#state}`);
      await this.#telemetry.change(former.config.service.telemetry, next.config.service.telemetry);
    } catch (error) {
      leaving.isEnding = false;
      await next.without(former).abandon(this.#within(graceMs));
      throw error;
    }
    next.graph.connect();
    this.#current = next;
    const { promise: flushed, resolve } = Promise.withResolvers<void>();
    const left = leaving.drain(this.#within(graceMs), resolve).finally(() => this.#leaving.delete(flushed));
    this.#leaving.set(flushed, left);
    this.#setState("running");
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
    return [...this.#current.config.service.pipelines.values()];
  }

  extensions(): readonly string[] {
    return this.#current.config.service.extensions;
  }

  async featureGates(): Promise<readonly FeatureGateView[]> {
    return (await this.#featureGates?.()) ?? [];
  }

  ownSpans(): OwnSpansView | undefined {
    return this.#tracing?.recent;
  }

  nodes(): readonly NodeView[] {
    return this.#current.graph.nodes;
  }

  edges(): readonly EdgeView[] {
    return this.#current.graph.edges();
  }

  process(): ProcessView {
    const { budget, memory } = this.#options.surroundings;
    return {
      rssBytes: process.memoryUsage.rss(),
      memoryLimitBytes: memory.limitBytes,
      budgetUsedBytes: budget.usedBytes,
      budgetLimitBytes: budget.limitBytes,
      loopLagMs: this.#load?.loopLagMs ?? 0,
      cpuCores: this.#load?.cpuCores ?? 0,
    };
  }

  async #stopAll(graceMs: number): Promise<Report> {
    const options = this.#within(graceMs);
    const { deadlineMs } = options;
    // What a former configuration held may still be on its way into the current one.
    await untilDeadline(this.#clock, deadlineMs, this.#changing);
    await untilDeadline(this.#clock, deadlineMs, Promise.all(this.#leaving.keys()));
    const left = Promise.all(this.#leaving.values());
    const report = await this.#current.drain(options, left);
    await left;
    await this.#telemetry.stop();
    await this.#bodies.close();
    this.#load?.stop();
    return report;
  }

  #within(graceMs: number): DrainOptions {
    return { clock: this.#clock, logger: this.#logger, deadlineMs: this.#clock.monotonicMs() + graceMs };
  }

  #setState(state: State): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
