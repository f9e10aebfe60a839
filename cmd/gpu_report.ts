import type { EngineSettings, WorkerName } from "../pipeline/frame/engines.ts";
import type { Gpu, GpuFindings } from "./gpu_machine.ts";

/** The oldest driver that runs CUDA 12.2, and the oldest that runs 13: what today's cuDF is built for. */
const leastDriver = 535;
const driverOfCuda13 = 580;

/** The oldest GPUs that cuDF runs on. */
const leastCapability = 7;

/** What came of starting the worker of an engine. */
export type Trial =
  /** No worker is started: `cpu` was asked for, or `auto` on a machine without a driver. */
  | { readonly kind: "none" }
  | { readonly kind: "answered"; readonly library: string; readonly device: string | null; readonly log: string }
  /** `log` is what it printed before. */
  | { readonly kind: "failed"; readonly code: string; readonly message: string; readonly log: string };

/** An engine that a config asks for. */
export interface AskedEngine {
  /** Who asks: `aggregate/gpu`; undefined without a config. */
  readonly component: string | undefined;
  readonly settings: EngineSettings;
  /** What computes, or the first choice where nothing but `cpu` does; undefined where no worker is started. */
  readonly worker: WorkerName | undefined;
  readonly trial: Trial;
  /** What else `auto` tried, and did not take. */
  readonly others: readonly { readonly worker: WorkerName; readonly trial: Trial }[];
}

/** What `otelpipe gpu check` prints: what is there, which engine would compute and, where no GPU would, the next step. */
export function gpuReport(findings: GpuFindings, engines: readonly AskedEngine[]): string {
  const lines = [...machineLines(findings), ...engines.flatMap((engine) => engineLines(findings, engine))];
  return `${lines.join("\n")}\n`;
}

function machineLines({ driver, gpus, onBus }: GpuFindings): string[] {
  if (driver === undefined && gpus.length === 0)
    return [onBus === 0 ? "There is no NVIDIA GPU." : `There is no NVIDIA driver for ${counted(onBus, "NVIDIA GPU")}.`];
  return [`NVIDIA driver ${driver ?? "of unknown version"}, ${counted(gpus.length, "GPU")}.`, ...gpus.map(gpuLine)];
}

function gpuLine({ index, name, totalMib, freeMib, computeCapability }: Gpu): string {
  const facts = [
    name,
    ...(totalMib === undefined ? [] : [`${totalMib} MiB${freeMib === undefined ? "" : `, ${freeMib} MiB free`}`]),
    ...(computeCapability === undefined ? [] : [`compute capability ${computeCapability}`]),
  ];
  return `  GPU ${index}: ${facts.join(", ")}`;
}

function engineLines(findings: GpuFindings, engine: AskedEngine): string[] {
  const { component, settings } = engine;
  const asked = `engine ${settings.type}${settings.device === undefined ? "" : `, device ${settings.device}`}`;
  const next = isOnGpu(engine) || settings.type === "cpu" ? [] : [`  Next: ${nextStep(findings, engine)}`];
  return [`${component === undefined ? "" : `${component}: `}${asked}: ${chosen(engine)}`, ...next];
}

function isOnGpu({ trial }: AskedEngine): boolean {
  return trial.kind === "answered" && trial.device !== null;
}

/** The engine that would compute, and why. */
function chosen({ settings, worker, trial, others }: AskedEngine): string {
  if (worker === undefined || trial.kind === "none")
    return settings.type === "cpu" ? "cpu computes." : "cpu computes, because there is no driver of a GPU.";
  const refusals = others.map((other) => refusal(other.worker, other.trial));
  if (trial.kind === "answered" && trial.device !== null)
    return ended(
      [`${worker} computes (${trial.library}, ${trial.device})`, ...refusals.slice(0, 1)].join(", because "),
    );
  if (trial.kind === "answered" && settings.type !== "auto")
    return `${worker} computes, on the CPU (${trial.library}).`;
  return ended(`cpu computes, because ${[refusal(worker, trial), ...refusals].join("; ")}`);
}

/** Why a worker is not taken. */
function refusal(worker: WorkerName, trial: Trial): string {
  if (trial.kind === "failed") return `${worker} does not start: ${trial.message}`;
  return `${worker} found no GPU${trial.kind === "answered" ? ` (${trial.library})` : ""}`;
}

function ended(sentence: string): string {
  return sentence.endsWith(".") ? sentence : `${sentence}.`;
}

/** The one thing to do next for an engine on a GPU. What lies deeper comes first. */
function nextStep(findings: GpuFindings, { settings, worker, trial }: AskedEngine): string {
  const { driver, gpus, onBus, isReachable, complaint } = findings;
  if (driver === undefined && gpus.length === 0) {
    if (onBus === 0) return "nothing to install, there is no GPU; cpu computes the same numbers.";
    return `install NVIDIA's driver, ${leastDriver} or later.`;
  }
  if (!isReachable)
    return "give this container the GPUs: docker run --gpus all, with NVIDIA's container toolkit on the host.";
  if (gpus.length === 0) return `repair NVIDIA's driver: ${complaint ?? "it knows of no GPU"}`;
  const gpu = gpus.find(({ index }) => index === (settings.device ?? gpus[0]!.index));
  if (gpu === undefined) return `write another device: there is no GPU ${settings.device}.`;
  if (Number(driver?.split(".")[0]) < leastDriver)
    return `update NVIDIA's driver ${driver} to ${leastDriver} or later.`;
  if (worker === "node_rapids") return nextForNode(trial);
  if (Number(gpu.computeCapability) < leastCapability)
    return `nothing to install: cuDF needs a GPU of compute capability ${leastCapability}.0 or later.`;
  return nextForPython(settings.python, driver, trial);
}

function nextForPython(python: string, driver: string | undefined, trial: Trial): string {
  if (trial.kind === "failed" && trial.code === "cannot_start")
    return `install Python 3.11 or later, or write where it is: engine::python (now ${python}).`;
  const log = trial.kind === "none" ? "" : trial.log;
  const cuda = Number(driver?.split(".")[0]) >= driverOfCuda13 ? 13 : 12;
  const isMissing = /No module named '(?:cudf|cupy|pyarrow|rmm|pandas)/.test(log);
  if (isMissing) return `install cuDF: ${python} -m pip install cudf-cu${cuda}`;
  return `see why cuDF does not start: ${lastLine(log) ?? "it says nothing"}`;
}

function nextForNode(trial: Trial): string {
  const log = trial.kind === "none" ? "" : trial.log;
  if (/Cannot find module '@rapidsai\/cudf'/.test(log))
    return "install @rapidsai/cudf where otelpipe is started: RAPIDSAI_CUDA_VERSION=11 npm install @rapidsai/cudf";
  return `see why @rapidsai/cudf does not start: ${errorLine(log) ?? "it says nothing"}`;
}

function lastLine(log: string): string | undefined {
  return log
    .split("\n")
    .findLast((line) => line.trim() !== "")
    ?.trim();
}

/** Node prints the error in the middle of what it prints. */
function errorLine(log: string): string | undefined {
  return log.split("\n").find((line) => /^\w*Error\b/.test(line)) ?? lastLine(log);
}

function counted(count: number, what: string): string {
  return count === 1 ? `1 ${what}` : `${count} ${what}s`;
}
