import { parentPort } from "node:worker_threads";
import { matchesSlowly, type PasswordTask } from "./slow_encodings.ts";

/** The program of the thread that checks passwords: one after the other. */

parentPort?.on("message", (task: PasswordTask) => void parentPort?.postMessage(matchesSlowly(task)));
parentPort?.postMessage("ready");
