import { dirname, join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { runCompiled } from "./compiled_bundle.ts";
import type * as daemon from "./daemon.ts";

/** `worker_thread.ts` of the packed build, out of the daemon's bundle. */
const { exports } = runCompiled(join(dirname(import.meta.dirname), "daemon.cjs"), "run");
const { registry, runWorker } = exports as typeof daemon;
if (parentPort !== null) await runWorker(workerData, parentPort, registry);
