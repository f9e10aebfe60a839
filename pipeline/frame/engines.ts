import { existsSync } from "node:fs";
import type { Clock, Logger, Meter } from "../host.ts";
import { ComputedWindows, firstChoice } from "./computed_windows.ts";
import { openCpuEngine } from "./cpu/engine.ts";
import type { AggregationEngine } from "./engine.ts";

/** What a config can name; `auto` is the best engine that answers with a GPU, else `cpu`. */
export const engineNames = ["auto", "cpu", "rapids", "node_rapids"] as const;

export type EngineName = (typeof engineNames)[number];

/** What a config says of the engine. */
export interface EngineSettings {
  readonly type: EngineName;
  /** The GPU, as `nvidia-smi` numbers them. */
  readonly device: number | undefined;
  /** The interpreter of the environment that has cuDF: for `rapids`. */
  readonly python: string;
  /** The Node that `@rapidsai/cudf` runs on; undefined for this one. And what it is required by: for `node_rapids`. */
  readonly node: string | undefined;
  readonly module: string;
  /** Bytes of the device set apart at the start; 0 for none. */
  readonly poolBytes: number;
  /** How long a window may take before its worker counts as hung, milliseconds. */
  readonly timeoutMs: number;
}

/** Where the driver of an NVIDIA GPU shows: on Linux, and in the Linux of Windows. */
const driverFiles = ["/proc/driver/nvidia/version", "/dev/nvidiactl", "/dev/dxg"];

/** Whether this machine has the driver of a GPU: without one, no worker needs to be asked. */
export function hasGpuDriver(exists: (path: string) => boolean = existsSync): boolean {
  return driverFiles.some((path) => exists(path));
}

/** An engine in a process of its own. */
export type WorkerName = Exclude<EngineName, "auto" | "cpu">;

/** What `auto` tries, best first: Python's cuDF is kept up to date, Node's is not. */
const automatic: readonly WorkerName[] = ["rapids", "node_rapids"];

/** The workers to try for a config, in this order; none for `cpu`, and for `auto` where there is no driver of a GPU. */
export function workersOf({ type }: Pick<EngineSettings, "type">, hasDriver: boolean): readonly WorkerName[] {
  if (type === "cpu") return [];
  if (type === "auto") return hasDriver ? automatic : [];
  return [type];
}

/**
 * Opens the engine a config asks for, ready at once: `cpu`, or one in a process of its own with `cpu` behind it until and
 * whenever that is not there. `auto` tries workers only where there is a driver of a GPU, and takes the first that has a GPU.
 */
export async function openEngine(
  settings: EngineSettings,
  surroundings: { readonly clock: Clock; readonly logger: Logger; readonly meter: Meter },
  hasDriver = hasGpuDriver(),
): Promise<AggregationEngine> {
  const cpu = await openCpuEngine(surroundings);
  const names = workersOf(settings, hasDriver);
  if (names.length === 0) return onCpu(cpu, settings, surroundings);
  const [{ SupervisedEngine }, { workerCommand }] = await Promise.all([
    import("./worker/supervised_engine.ts"),
    import("./worker/commands.ts"),
  ]);
  return new SupervisedEngine({
    workers: names.map((name) => ({ name, command: workerCommand(name, settings) })),
    deadlineMs: settings.timeoutMs,
    fallback: cpu,
    isNamed: settings.type !== "auto",
    clock: surroundings.clock,
    logger: surroundings.logger,
    meter: surroundings.meter,
  });
}

/** `cpu` alone, which says why it is. */
function onCpu(
  cpu: AggregationEngine,
  { type }: EngineSettings,
  { logger, meter }: { readonly logger: Logger; readonly meter: Meter },
): AggregationEngine {
  const reason = type === "auto" ? "no NVIDIA GPU" : undefined;
  const windows = new ComputedWindows(meter);
  logger.info(
    { engine: cpu.name, asked: type, ...(reason !== undefined && { reason }) },
    "The aggregation engine is ready.",
  );
  return {
    name: reason === undefined ? cpu.name : `${cpu.name} (${reason})`,
    get tally() {
      return windows.tally;
    },
    aggregate(table, query) {
      windows.add(cpu.name, reason === undefined ? firstChoice : "no_gpu");
      return cpu.aggregate(table, query);
    },
    close: () => cpu.close(),
  };
}
