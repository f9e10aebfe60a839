import { flushCompileCache } from "node:module";
import { join } from "node:path";
import { runCompiled } from "./compiled_bundle.ts";
import type * as daemon from "./daemon.ts";

/** `runCommand` of the packed build, out of the daemon's bundle beside this file. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const { exports, keep } = open("run");
  return exports.runCommand(args, () => {
    keep();
    flushCompileCache();
  });
}

/** `validate` of the packed build: it loads what a start loads. */
export async function validate(args: readonly string[]): Promise<number> {
  const { exports, keep } = open("validate");
  const code = await exports.validate(args);
  keep();
  return code;
}

function open(use: string): { readonly exports: typeof daemon; keep(): void } {
  const { exports, keep } = runCompiled(join(import.meta.dirname, "daemon.cjs"), use);
  return { exports: exports as typeof daemon, keep };
}
