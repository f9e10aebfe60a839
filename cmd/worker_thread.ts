import { parentPort, workerData } from "node:worker_threads";
import { runWorker } from "../pipeline/workers/worker.ts";
import { registry } from "./components.ts";

/** The program of a worker's thread. */
if (parentPort !== null) await runWorker(workerData, parentPort, registry);
