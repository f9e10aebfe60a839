import { type Outcome, perform, type Task } from "./cold_tasks.ts";
import { type ThreadProgram, threadFile } from "./cold_worker.ts";

/** What `cold_thread.ts` does: reads bodies, which are handed over to it. */
export function readingBodies(file = threadFile(import.meta.url, "cold_thread")): ThreadProgram<Task, Outcome> {
  return { file, perform, transferred: ({ body }) => [body.buffer] };
}
