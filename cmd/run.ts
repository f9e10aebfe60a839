import { availableParallelism } from "node:os";
import type { ResolvedConfig } from "../pipeline/config/resolved.ts";
import { messageOf } from "../pipeline/error_text.ts";
import type { Report } from "../pipeline/graph/drain.ts";
import type { Logger } from "../pipeline/host.ts";
import { systemClock } from "../pipeline/process/clock.ts";
import { Service } from "../pipeline/service.ts";
import { createLoggers } from "../pipeline/telemetry/logger.ts";
import { ownResource, resourceLabels } from "../pipeline/telemetry/resource.ts";
import type { PoolSurroundings } from "../pipeline/workers/pool.ts";
import { type OwnTelemetrySenders, openSenders } from "./own_telemetry.ts";
import { onStopSignal } from "./stop_signals.ts";
import { version } from "./version.ts";

/** How long SIGTERM may take: what is not delivered by then is counted as dropped with reason `shutdown`. */
const shutdownGraceMs = 20_000;

export interface RunOptions {
  readonly config: ResolvedConfig;
  /** Reads the configuration again from where it came from: on SIGHUP. */
  readonly load: () => Promise<ResolvedConfig>;
  readonly configSources: readonly string[];
  /** The feature gates that are on; when absent, those that are on by themselves. */
  readonly gates?: ReadonlySet<string>;
  /** Called once everything runs; what it returns is called when shutdown begins and awaited. */
  readonly onReady?: (service: Service) => () => Promise<void>;
  /** Called with the final books. */
  readonly onStopped?: (report: Report) => void;
}

/**
 * Runs a config until SIGINT, SIGTERM or a failure; a second signal, a second later, exits at once. SIGHUP reads it again and applies what
 * has changed.
 *
 * @returns the exit code: 0 after a clean shutdown, 1 when it could not start or had to give up.
 */
export async function run({ config, load, configSources, gates, onReady, onStopped }: RunOptions): Promise<number> {
  outliveReaders();
  const { logs, resource: resourceSettings } = config.service.telemetry;
  const resource = await ownResource(resourceSettings, { command: "otelpipe", version }, Math.random);
  let write: (text: string) => void;
  try {
    write = await logWriter(logs);
  } catch (error) {
    return failed(error);
  }
  const shown = logs.disable_zap_resource ? {} : resourceLabels(resource);
  const toLog = { ...logs, resource: shown, write, clock: systemClock };
  let senders: OwnTelemetrySenders;
  try {
    senders = await openSenders(config.service.telemetry, resource, createLoggers(toLog)({}));
  } catch (error) {
    return failed(error);
  }
  const logSettings = { ...toLog, ...(senders.logs !== undefined && { also: senders.logs.add }) };
  const loggers = createLoggers(logSettings);
  const logger = loggers({});
  for (const warning of config.warnings) logger.warn({}, warning);
  if (resourceSettings.inline.length > 0)
    logger.warn({ legacy_resource_attributes: resourceSettings.inline }, inlineText);
  const signals = listenForSignals();
  let service: Service;
  try {
    const featureGates = async () => (await import("./feature_gates.ts")).gateViews(gates);
    const { tracing } = senders;
    const setLogLevel = (level: typeof logs.level) => void (logSettings.level = level);
    const workers = await openWorkers(config.service, logger);
    const own = { loggers, resource, tracing, setLogLevel, workers, ...(gates && { gates }) };
    service = new Service(config, { version, configSources, load, featureGates, ...own });
    logger.info({ Version: version, NumCPU: availableParallelism() }, "Starting otelpipe...");
    await service.start();
  } catch (error) {
    signals.stop();
    await senders.stop();
    return failed(error);
  }
  let hasFailed = false;
  void service.failure.then(() => (hasFailed = true));
  const crash = (error: unknown) =>
    service.fatal(new Error("unexpected error; this is a bug in otelpipe", { cause: error }));
  process.on("uncaughtException", crash).on("unhandledRejection", crash);

  signals.onHangUp(() => {
    logger.info({ signal: signalNames.SIGHUP }, "Received signal from OS");
    void service.reload?.();
  });
  const stopExtra = onReady?.(service);
  const ended = await Promise.race([signals.first, service.failure]);
  if (typeof ended === "string") logger.info({ signal: signalNames[ended] ?? ended }, "Received signal from OS");
  await stopExtra?.();
  const report = await service.stop(shutdownGraceMs);
  signals.stop();
  process.off("uncaughtException", crash).off("unhandledRejection", crash);
  logReport(report, logger);
  await senders.stop();
  onStopped?.(report);
  return hasFailed ? 1 : 0;
}

/** Systems on which several threads can listen on one port. */
const sharingPlatforms: readonly NodeJS.Platform[] = ["linux", "freebsd", "sunos", "aix"];

/** What makes the workers, where more than one is asked for and can be had. */
async function openWorkers({ workers }: ResolvedConfig["service"], logger: Logger) {
  const count = workers === "auto" ? availableParallelism() : workers;
  if (count === 1) return undefined;
  if (!sharingPlatforms.includes(process.platform)) {
    logger.warn({ workers: 1 }, "Threads cannot share a port on this system: service::workers is 1.");
    return undefined;
  }
  const [{ WorkerPool }, { threadFile }] = await Promise.all([
    import("../pipeline/workers/pool.ts"),
    import("../pipeline/process/cold_worker.ts"),
  ]);
  const file = threadFile(import.meta.url, "worker_thread");
  return (surroundings: PoolSurroundings) => new WorkerPool({ count, file }, surroundings);
}

const inlineText =
  "Using legacy service.telemetry.resource inline map format; prefer service.telemetry.resource.attributes (array of " +
  "maps with `name` and `value` keys)";

/** Says why nothing runs, and gives the exit code. */
function failed(error: unknown): number {
  process.stderr.write(`Error: ${messageOf(error)}\n`);
  return 1;
}

/** Where log lines go. @throws {Error} naming the file that cannot be opened. */
async function logWriter({ output_paths, error_output_paths }: LogPaths): Promise<(text: string) => void> {
  const isPlain = (paths: readonly string[]) => paths.length === 1 && paths[0] === "stderr";
  if (isPlain(output_paths) && isPlain(error_output_paths)) return (text) => void process.stderr.write(text);
  const { openLogOutputs } = await import("../pipeline/telemetry/log_outputs.ts");
  return openLogOutputs(output_paths, error_output_paths);
}

type LogPaths = Pick<ResolvedConfig["service"]["telemetry"]["logs"], "output_paths" | "error_output_paths">;

/** What the Collector's log calls them. */
const signalNames: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGTERM: "terminated",
};

/** One line with the books of every component, and warnings for what a user must know. */
function logReport({ nodes, unanswered }: Report, logger: Logger): void {
  const books = nodes.map(({ node, books: { in: taken, out, refused, held, dropped } }) => [
    node.key,
    { in: taken, out, refused, held, dropped: Object.fromEntries(dropped) },
  ]);
  logger.info({ books: Object.fromEntries(books) }, "Books at the end.");
  for (const { node, books } of nodes) {
    const lost = books.dropped.get("shutdown") ?? 0;
    if (lost > 0) logger.warn({ component: node.key, items: lost }, "Dropped what could not be delivered in time.");
  }
  if (unanswered > 0) logger.warn({ deliveries: unanswered }, "Told senders to come back at the deadline.");
}

/** A closed pipe behind stdout or stderr costs the log and not the data: without a listener each line would be a crash. */
function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {});
}

interface Signals {
  /** The one that asks to stop. */
  readonly first: Promise<NodeJS.Signals>;
  /** Has `run` called on every SIGHUP, and now if there was one already. */
  onHangUp(run: () => void): void;
  stop(): void;
}

function listenForSignals(): Signals {
  const { promise: first, resolve } = Promise.withResolvers<NodeJS.Signals>();
  const stopListening = onStopSignal(resolve);
  let isHungUp = false;
  let hangUp = (): void => {
    isHungUp = true;
  };
  const onHangUp = () => hangUp();
  process.on("SIGHUP", onHangUp);
  return {
    first,
    onHangUp(run) {
      hangUp = run;
      if (isHungUp) run();
    },
    stop() {
      stopListening();
      process.off("SIGHUP", onHangUp);
    },
  };
}
