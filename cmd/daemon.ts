/** What the daemon's bundle holds: the commands that read a configuration and build what it names, and its threads. */
export { runWorker } from "../pipeline/workers/worker.ts";
export { registry } from "./components.ts";
export { runCommand } from "./run_command.ts";
export { validate } from "./validate.ts";
