import { loadConfig } from "../pipeline/config/load.ts";
import { type EngineSettings, hasGpuDriver, type WorkerName, workersOf } from "../pipeline/frame/engines.ts";
import { aggregateConfig, aggregateSettings } from "../pipeline/frame/settings.ts";
import type { Logger } from "../pipeline/host.ts";
import { systemClock } from "../pipeline/process/clock.ts";
import { parseArguments, unknownText } from "./arguments.ts";
import { catalog } from "./catalog.ts";
import { configFlags, readConfigFlags } from "./config_flags.ts";
import { findGpus, thisMachine } from "./gpu_machine.ts";
import { type AskedEngine, gpuReport, type Trial } from "./gpu_report.ts";
import { UsageError } from "./usage_error.ts";

/** `otelpipe gpu check [--config …]`: what there is for aggregation on a GPU, and which engine would compute. */
export async function gpuCommand(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined) throw new UsageError("gpu needs check");
  if (name !== "check") throw new UsageError(unknownText("gpu command", name, ["check"]));
  const { values } = parseArguments("gpu check", rest, configFlags);
  const asked = values.config.length + values.set.length === 0 ? withoutConfig() : await askedIn(values);
  const engines: AskedEngine[] = [];
  for (const { component, settings } of asked) {
    engines.push({ component, settings, ...(await tryAll(settings)) });
  }
  process.stdout.write(gpuReport(findGpus(thisMachine), engines));
  return 0;
}

type Asked = Pick<AskedEngine, "component" | "settings">;

function withoutConfig(): readonly Asked[] {
  return [{ component: undefined, settings: aggregateSettings(aggregateConfig.parse({})).engine }];
}

/** The engines of all `aggregate`s of a config. */
async function askedIn(values: Parameters<typeof readConfigFlags>[0]): Promise<readonly Asked[]> {
  const { sources, options } = await readConfigFlags(values);
  const { processors, connectors, warnings } = await loadConfig(sources, catalog, undefined, options);
  for (const warning of warnings) process.stderr.write(`Warning: ${warning}\n`);
  const asked = [...processors.values(), ...connectors.values()]
    .filter(({ definition }) => definition.type === "aggregate")
    .map(({ id, config }) => ({
      component: id,
      settings: aggregateSettings(config as Parameters<typeof aggregateSettings>[0]).engine,
    }));
  if (asked.length === 0) process.stdout.write("No component of this configuration aggregates.\n");
  return asked;
}

/** Starts workers as the daemon would, until one can be taken. */
async function tryAll(settings: EngineSettings): Promise<Pick<AskedEngine, "worker" | "trial" | "others">> {
  const refused: { readonly worker: WorkerName; readonly trial: Trial }[] = [];
  for (const worker of workersOf(settings, hasGpuDriver())) {
    const trial = await tryOut(settings, worker);
    if (trial.kind === "answered" && trial.device !== null) return { worker, trial, others: refused };
    refused.push({ worker, trial });
  }
  const [first, ...others] = refused;
  return first === undefined ? { worker: undefined, trial: { kind: "none" }, others } : { ...first, others };
}

/** Starts the worker as the daemon would, and ends it. */
async function tryOut(settings: EngineSettings, worker: WorkerName): Promise<Trial> {
  const [{ WorkerProcess, WorkerError }, { workerCommand }] = await Promise.all([
    import("../pipeline/frame/worker/worker_process.ts"),
    import("../pipeline/frame/worker/commands.ts"),
  ]);
  const lines: string[] = [];
  const silent = () => {};
  const debug: Logger["debug"] = (fields) => void lines.push(...("line" in fields ? [String(fields.line)] : []));
  const logger: Logger = { debug, info: silent, warn: silent, error: silent };
  const options = { clock: systemClock, logger, deadlineMs: settings.timeoutMs };
  try {
    const running = await WorkerProcess.start(workerCommand(worker, settings), options);
    const { engine: library, device } = running.hello;
    await running.close();
    return { kind: "answered", library, device, log: lines.join("\n") };
  } catch (error) {
    if (!(error instanceof WorkerError)) throw error;
    const [message = ""] = error.message.split("; ");
    return { kind: "failed", code: error.code, message, log: lines.join("\n") };
  }
}
