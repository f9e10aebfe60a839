import { packageFile } from "../../process/package_file.ts";
import type { EngineSettings } from "../engines.ts";
import type { WorkerCommand } from "./worker_process.ts";

/** How the worker of an engine is started. Its GPU is chosen by the environment, which CUDA reads once. */
export function workerCommand(engine: "rapids" | "node_rapids", settings: EngineSettings): WorkerCommand {
  const { device, python, poolBytes } = settings;
  const environment = device === undefined ? {} : { CUDA_VISIBLE_DEVICES: String(device) };
  const pool = ["--pool-bytes", String(poolBytes)];
  const script = packageFile(`workers/${engine}/${engine === "rapids" ? "worker.py" : "worker.mjs"}`);
  return engine === "rapids"
    ? { program: python, args: ["-u", script, ...pool], environment }
    : { program: process.execPath, args: [script, ...pool], environment };
}
