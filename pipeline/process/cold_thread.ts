import { parentPort } from "node:worker_threads";
import { perform, type Task, transferred } from "./cold_tasks.ts";

/** The program of the thread that `cold_worker.ts` starts: one task after the other. */

parentPort?.on("message", (task: Task) => {
  const outcome = perform(task);
  parentPort?.postMessage(outcome, transferred(outcome));
});
parentPort?.postMessage("ready");
