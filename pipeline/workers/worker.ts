import type { MessagePort } from "node:worker_threads";
import { Generations, type PreparedChange } from "../generations.ts";
import { Exclusives } from "../graph/exclusives.ts";
import type { Host, Logger } from "../host.ts";
import { ThreadedBodyReader } from "../process/body_reader.ts";
import { clockScheduler, systemClock } from "../process/clock.ts";
import { monitorLoad } from "../process/load.ts";
import type { Registry } from "../registry.ts";
import { createBoard } from "../telemetry/board.ts";
import { isBelow, type LogLevel } from "../telemetry/logger.ts";
import { MetricRegistry } from "../telemetry/meter.ts";
import { registerHeapMetrics } from "../telemetry/own_metrics.ts";
import { propagationOf } from "../telemetry/tracing/propagation.ts";
import { samplerOf } from "../telemetry/tracing/sampler.ts";
import { Tracing } from "../telemetry/tracing/tracing.ts";
import { viewsOf } from "../telemetry/views.ts";
import { Departures, isGate } from "./gates.ts";
import type { Call, FromWorker, LogLine, ToWorker, WorkerCalls, WorkerStart } from "./messages.ts";
import { SharedAccount } from "./shared_account.ts";
import { Restorer, type WorkerConfig } from "./worker_config.ts";

/** How often the main thread is told how things stand here. */
const figuresEveryMs = 1_000;

/** How long a worker in which something unforeseen happened may take to deliver what it holds. */
const crashGraceMs = 5_000;

/** Runs a worker's part of a configuration, for the main thread at the other end of `port`, until that asks it to stop. */
export async function runWorker(start: WorkerStart, port: MessagePort, registry: Registry): Promise<void> {
  const worker = new Worker(start, port, registry);
  const crash = (error: unknown) => void worker.crash(error);
  process.on("uncaughtException", crash).on("unhandledRejection", crash);
  await worker.start(start.config);
}

class Worker implements WorkerCalls {
  readonly #port: MessagePort;
  readonly #departures: Departures;
  readonly #restorer: Restorer;
  readonly #surroundings: ConstructorParameters<typeof Generations>[1]["surroundings"];
  readonly #logger: Logger;
  readonly #metrics: MetricRegistry;
  readonly #bodies: ThreadedBodyReader;
  readonly #load = monitorLoad();
  #logLevel: LogLevel;
  #ports: Host["ports"];
  #generations: Generations | undefined;
  #prepared: PreparedChange | undefined;
  #leaving: Promise<void> = Promise.resolve();
  #isCrashing = false;

  constructor({ telemetry, version, gates, account, ...start }: WorkerStart, port: MessagePort, registry: Registry) {
    this.#port = port;
    this.#logLevel = start.logLevel;
    this.#ports = start.probes ? "probed" : "shared";
    this.#departures = new Departures((message, memory) => port.postMessage(message, memory), systemClock);
    this.#restorer = new Restorer(registry, telemetry, this.#departures);
    const { level, views } = telemetry.metrics;
    this.#metrics = new MetricRegistry(level, views && viewsOf(views).boundsOf);
    registerHeapMetrics(this.#metrics);
    const shared = new SharedAccount(account, start.index, start.budgetBytes);
    const { budget } = shared;
    this.#bodies = new ThreadedBodyReader(budget);
    this.#logger = this.#loggerFor({});
    const tracing = start.isTraced ? this.#tracingOf(telemetry.traces) : undefined;
    const ports = () => this.#ports;
    this.#surroundings = {
      clock: systemClock,
      scheduler: clockScheduler(systemClock),
      random: Math.random,
      loggerFor: (component) => this.#loggerFor(component),
      metrics: this.#metrics,
      tracerFor: (component, scope) =>
        isGate(component["otelcol.component.id"]) ? undefined : tracing?.tracer(component, scope),
      budget,
      bodies: this.#bodies,
      memory: shared.memory(start.memoryLimitBytes),
      board: createBoard(),
      gates,
      build: { command: "otelpipe", version },
      exclusives: new Exclusives(),
      get ports() {
        return ports();
      },
      fatal: (error) => this.#post({ kind: "fatal", error }),
    };
  }

  async start(config: WorkerConfig): Promise<void> {
    this.#port.on("message", (message: ToWorker) => this.#take(message));
    try {
      const resolved = await this.#restorer.restore(config);
      // What is started and stopped here is said once, by the main thread.
      const quiet = { ...this.#logger, debug: () => {}, info: () => {} };
      this.#generations = new Generations(resolved, { surroundings: this.#surroundings, logger: quiet });
      await this.#generations.current.start();
    } catch (error) {
      this.#post({ kind: "fatal", error: error as Error });
      await this.stop(0);
      process.exit(1);
    }
    this.#ports = "shared";
    this.#tell();
    setInterval(() => this.#tell(), figuresEveryMs).unref();
    this.#post({ kind: "ready" });
  }

  async prepare(config: WorkerConfig, graceMs: number) {
    this.#prepared = await this.#running.prepare(await this.#restorer.restore(config), graceMs);
    return this.#prepared.changes;
  }

  async commit(graceMs: number): Promise<void> {
    this.#leaving = this.#prepared?.commit(graceMs) ?? Promise.resolve();
    this.#prepared = undefined;
  }

  async left(): Promise<void> {
    await this.#leaving;
  }

  async abandon(graceMs: number): Promise<void> {
    await this.#prepared?.abandon(graceMs);
    this.#prepared = undefined;
  }

  async stop(graceMs: number): Promise<{ readonly unanswered: number; readonly faults: number }> {
    const deadlineMs = systemClock.monotonicMs() + graceMs;
    const report = await this.#generations?.drain({ clock: systemClock, logger: this.#logger, deadlineMs });
    await this.#bodies.close();
    this.#load.stop();
    this.#tell();
    return { unanswered: report?.unanswered ?? 0, faults: report?.faults ?? 0 };
  }

  async refresh(): Promise<void> {
    this.#tell();
  }

  /** Something unforeseen: what is held is delivered as far as that is possible; the main thread starts another worker. */
  async crash(error: unknown): Promise<void> {
    if (this.#isCrashing) return;
    this.#isCrashing = true;
    this.#logger.error({ error }, "Unexpected error in a worker; this is a bug in otelpipe. The worker is replaced.");
    try {
      await this.stop(crashGraceMs);
    } finally {
      process.exit(1);
    }
  }

  get #running(): Generations {
    if (this.#generations === undefined) throw new Error("the worker is not running");
    return this.#generations;
  }

  #take(message: ToWorker): void {
    switch (message.kind) {
      case "answers":
        for (const answer of message.answers) this.#departures.answered(answer);
        break;
      case "call":
        void this.#perform(message);
        break;
      case "log_level":
        this.#logLevel = message.level;
        break;
      default:
        this.#departures.noted(message);
    }
  }

  async #perform({ number, method, args }: Call): Promise<void> {
    try {
      const perform = this[method] as (...given: unknown[]) => Promise<unknown>;
      this.#post({ kind: "done", number, value: await perform.apply(this, [...args]) });
    } catch (error) {
      this.#post({ kind: "done", number, error: error as Error });
    }
  }

  #tell(): void {
    const { graph } = this.#generations?.current ?? {};
    // Its memory is told too, to whoever asks for that of the process.
    this.#surroundings.memory.usedBytes();
    const nodes = graph?.nodes ?? [];
    this.#post({
      kind: "figures",
      nodes: nodes.map(({ key, kind, id, pipelineId, holdsData, isRemoved, books, ...node }) => ({
        key,
        kind,
        id,
        ...(pipelineId !== undefined && { pipelineId }),
        ...(holdsData !== undefined && { holdsData }),
        isRemoved,
        books: {
          in: books.in,
          out: books.out,
          refused: books.refused,
          held: books.held,
          passed: books.passed,
          dropped: books.dropped,
        },
        facts: node.component?.facts?.() ?? [],
      })),
      edges: graph?.edges() ?? [],
      samples: [...this.#metrics.samples()],
      loopLagMs: this.#load.loopLagMs,
    });
  }

  #tracingOf({ sampler, propagators }: WorkerStart["telemetry"]["traces"]): Tracing {
    return new Tracing({
      clock: systemClock,
      random: Math.random,
      sampler: samplerOf(sampler),
      propagation: propagationOf(propagators),
      onStart: (name) => this.#post({ kind: "span_started", name }),
      onEnd: (span) => this.#post({ kind: "span_ended", span }),
    });
  }

  #loggerFor(component: Readonly<Record<string, string>>): Logger {
    const log = (level: LogLine["level"]) => (fields: object, message: string) => {
      if (!isBelow(level, this.#logLevel)) this.#post({ kind: "log", level, component, fields, message });
    };
    return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
  }

  /** Fields of a line may be what cannot be sent; it is written as far as it can be then. */
  #post(message: FromWorker): void {
    try {
      this.#port.postMessage(message);
    } catch (error) {
      if (message.kind !== "log") throw error;
      const fields = Object.entries(message.fields).map(([name, value]) => [name, String(value)]);
      this.#port.postMessage({ ...message, fields: Object.fromEntries(fields) });
    }
  }
}
