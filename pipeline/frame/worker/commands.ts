import { packageFile } from "../../process/package_file.ts";
import type { EngineSettings } from "../engines.ts";
import type { WorkerCommand } from "./worker_process.ts";

/**
 * How the worker of an engine is started. Its GPU is chosen by the environment, which CUDA reads once; in the order of the
 * bus, as `nvidia-smi` numbers them, since CUDA by itself puts the fastest first.
 */
export function workerCommand(engine: "rapids" | "node_rapids", settings: EngineSettings): WorkerCommand {
  const environment =
    settings.device === undefined
      ? {}
      : { CUDA_DEVICE_ORDER: "PCI_BUS_ID", CUDA_VISIBLE_DEVICES: String(settings.device) };
  const pool = ["--pool-bytes", String(settings.poolBytes)];
  if (engine === "rapids") {
    const script = packageFile("workers/rapids/worker.py");
    return { program: settings.python, args: ["-u", script, ...pool], environment };
  }
  const script = packageFile("workers/node_rapids/worker.mjs");
  return {
    program: settings.node ?? process.execPath,
    args: [script, ...pool, "--module", settings.module],
    environment,
  };
}
