import { existsSync } from "node:fs";
import type { Clock, Logger, Meter } from "../host.ts";
import { openCpuEngine } from "./cpu/engine.ts";
import type { AggregationEngine } from "./engine.ts";

/** What a config can name; `auto` is the best engine that answers. */
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

/** The worker that a config asks for; undefined for `cpu`, and for `auto` where there is no driver of a GPU. */
export function workerOf(
  { type }: Pick<EngineSettings, "type">,
  hasDriver: boolean,
): Exclude<EngineName, "auto" | "cpu"> | undefined {
  if (type === "cpu" || (type === "auto" && !hasDriver)) return undefined;
  return type === "auto" ? "rapids" : type;
}

/**
 * Opens the engine a config asks for, ready at once: `cpu`, or one in a process of its own with `cpu` behind it until and
 * whenever that is not there. `auto` starts a worker only where there is a driver of a GPU, and takes it only with a GPU.
 */
export async function openEngine(
  settings: EngineSettings,
  surroundings: { readonly clock: Clock; readonly logger: Logger; readonly meter: Meter },
): Promise<AggregationEngine> {
  const cpu = await openCpuEngine(surroundings);
  const name = workerOf(settings, hasGpuDriver());
  if (name === undefined) {
    const reason = settings.type === "auto" ? "no NVIDIA GPU" : undefined;
    const facts = { engine: cpu.name, asked: settings.type, ...(reason !== undefined && { reason }) };
    surroundings.logger.info(facts, "The aggregation engine is ready.");
    return reason === undefined ? cpu : { ...cpu, name: `${cpu.name} (${reason})` };
  }
  const [{ SupervisedEngine }, { workerCommand }] = await Promise.all([
    import("./worker/supervised_engine.ts"),
    import("./worker/commands.ts"),
  ]);
  return new SupervisedEngine({
    name,
    command: workerCommand(name, settings),
    deadlineMs: settings.timeoutMs,
    fallback: cpu,
    isNamed: settings.type !== "auto",
    clock: surroundings.clock,
    logger: surroundings.logger,
    meter: surroundings.meter,
  });
}
