import { type ThreadProgram, threadFile } from "../../pipeline/process/cold_worker.ts";
import type { PasswordTask } from "./slow_encodings.ts";

/** What `password_thread.ts` does: says whether passwords are right. */
export function checkingPasswords(): ThreadProgram<PasswordTask, boolean> {
  return {
    file: threadFile(import.meta.url, "password_thread"),
    perform: async (task) => (await import("./slow_encodings.ts")).matchesSlowly(task),
  };
}
