import type { Lifecycle } from "./component.ts";
import type { ResolvedConfig } from "./config/resolved.ts";
import { buildGraph, type Graph } from "./graph/build.ts";
import { drainGraph, type Report } from "./graph/drain.ts";
import { Hosts, type Surroundings } from "./graph/hosts.ts";
import type { Clock, Kind, Logger } from "./host.ts";
import { ThreadedBodyReader } from "./process/body_reader.ts";
import { clockScheduler, systemClock } from "./process/clock.ts";
import { type LoadMonitor, monitorLoad } from "./process/load.ts";
import { Budget, memoryLimitBytes, processMemory } from "./process/memory.ts";
import { createBoard } from "./telemetry/board.ts";
import type { Loggers } from "./telemetry/logger.ts";
import { OwnTelemetry } from "./telemetry/own_telemetry.ts";
import type { Resource } from "./telemetry/resource.ts";
import type { EdgeView, NodeView, ProcessView, ServiceView } from "./view.ts";

/** The share of the memory limit that data in flight may take. */
const budgetShare = 0.4;

export interface ServiceOptions {
  readonly version: string;
  readonly configSources: readonly string[];
  readonly loggers: Loggers;
  /** Whom the own telemetry is about. */
  readonly resource?: Resource;
  readonly clock?: Clock;
  readonly random?: () => number;
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
  readonly #config: ResolvedConfig;
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #graph: Graph;
  readonly #extensions = new Map<string, Lifecycle>();
  readonly #surroundings: Surroundings;
  readonly #telemetry: OwnTelemetry;
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
    this.#config = config;
    this.#clock = clock;
    this.#logger = options.loggers({});
    const { resource = {} } = options;
    this.#telemetry = new OwnTelemetry(config.service.telemetry, this, { clock, logger: this.#logger, resource });
    const budget = new Budget(Math.floor(limitBytes * budgetShare));
    this.#bodies = new ThreadedBodyReader(budget);
    this.#surroundings = {
      clock,
      scheduler: clockScheduler(clock),
      random: options.random ?? Math.random,
      loggerFor: options.loggers,
      metrics: this.#telemetry.metrics,
      budget,
      bodies: this.#bodies,
      memory: processMemory(limitBytes),
      board: createBoard(),
      build: { command: this.command, version: options.version },
      extensions: this.#extensions,
      fatal: (error) => this.fatal(error),
    };
    this.#graph = buildGraph(config, this.#surroundings, this.#logger);
    const hosts = new Hosts(this.#surroundings);
    for (const id of config.service.extensions) {
      const extension = config.extensions.get(id);
      if (extension === undefined) throw new Error(`extension "${id}" is not configured`);
      this.#extensions.set(id, extension.definition.create(extension.config, hosts.extension(id, this)));
    }
  }

  /** @throws {Error} naming the component that could not be started; what had been started is stopped again. */
  async start(): Promise<void> {
    this.#load = monitorLoad();
    try {
      await this.#telemetry.start();
      await this.#startExtensions();
      for (const { node, component } of this.#graph.exporters) await this.#startOne("exporter", node.id, component);
      for (const pipeline of this.#graph.pipelines) pipeline.start();
      for (const { node, component } of this.#graph.connectors) await this.#startOne("connector", node.id, component);
      for (const { id, component } of this.#graph.receivers) await this.#startOne("receiver", id, component);
    } catch (error) {
      this.#setState("failed");
      await this.#stopAll(this.#clock.monotonicMs());
      throw error;
    }
    this.#setState("running");
    this.#logger.info({}, "Everything is ready. Begin running and processing data.");
  }

  /**
   * Takes nothing new, delivers what is held and stops everything, within `graceMs`. What could not be delivered by then
   * is counted as dropped with reason `shutdown`, or its sender is told to come back.
   */
  async stop(graceMs: number): Promise<Report> {
    this.#setState("draining");
    this.#logger.info({}, "Starting shutdown...");
    const report = await this.#stopAll(this.#clock.monotonicMs() + graceMs);
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

  nodes(): readonly NodeView[] {
    return this.#graph.nodes;
  }

  edges(): readonly EdgeView[] {
    return this.#graph.edges();
  }

  process(): ProcessView {
    const { budget, memory } = this.#surroundings;
    return {
      rssBytes: process.memoryUsage.rss(),
      memoryLimitBytes: memory.limitBytes,
      budgetUsedBytes: budget.usedBytes,
      budgetLimitBytes: budget.limitBytes,
      loopLagMs: this.#load?.loopLagMs ?? 0,
      cpuCores: this.#load?.cpuCores ?? 0,
    };
  }

  async #startExtensions(): Promise<void> {
    this.#logger.info({}, "Starting extensions...");
    for (const [id, extension] of this.#extensions) {
      const named = { "otelcol.component.id": id, "otelcol.component.kind": "extension" };
      this.#logger.info(named, "Extension is starting...");
      await this.#startOne("extension", id, extension);
      this.#logger.info(named, "Extension started.");
    }
  }

  async #startOne(kind: Kind, id: string, component: Lifecycle): Promise<void> {
    try {
      await component.start?.();
    } catch (cause) {
      const error = cause instanceof Error ? cause.message : String(cause);
      this.#logger.error({ error, type: kind, id }, "Failed to start component");
      const during = kind === "extension" ? "failed to start extensions" : "cannot start pipelines";
      throw new Error(`${during}: failed to start ${JSON.stringify(id)} ${kind}: ${error}`, { cause });
    }
  }

  async #stopAll(deadlineMs: number): Promise<Report> {
    const report = await drainGraph(this.#graph, this.#clock, this.#logger, deadlineMs);
    this.#logger.info({}, "Stopping extensions...");
    for (const [id, extension] of [...this.#extensions].reverse()) {
      await extension.stop?.().catch((error: unknown) => {
        this.#logger.error({ id, error }, "Stopping an extension failed.");
      });
    }
    await this.#telemetry.stop();
    await this.#bodies.close();
    this.#load?.stop();
    return report;
  }

  #setState(state: State): void {
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}
