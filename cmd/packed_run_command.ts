import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { runCompiled } from "./compiled_bundle.ts";
import type { runCommand as run } from "./run_command.ts";

/** `runCommand` of the packed build, out of the daemon's bundle beside this file. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const { exports, keep } = runCompiled(join(import.meta.dirname, "daemon.cjs"));
  const daemon = exports as { readonly runCommand: typeof run };
  return daemon.runCommand(args, () => {
    keep();
    flushCompileCache();
  });
}
