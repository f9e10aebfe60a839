import { writeFile } from "node:fs/promises";
import { parseArguments } from "./arguments.ts";
import { flags, helpText, readOptions } from "./generate/options.ts";
import { finalText, ProgressLine } from "./generate/progress.ts";
import { startWorkload, type Truth, type Workload } from "./generate/workload.ts";

/**
 * `otelpipe generate`: sends a synthetic LLM workload until a limit is reached or Ctrl-C, then writes the ground truth
 * of what was accepted.
 *
 * @returns the exit code: 1 when nothing could be sent at all.
 */
export async function generate(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpText);
    return 0;
  }
  const { values } = parseArguments("generate", args, flags);
  const options = readOptions(values);
  const workload = startWorkload(options.workload);
  const line = options.quiet ? undefined : new ProgressLine(process.stderr, workload);
  const stopListening = stopOnSignal(workload);
  await workload.finished;
  stopListening();
  const truth = await workload.stop();
  line?.stop();
  return conclude(workload, truth, options.truthFile);
}

async function conclude(workload: Workload, truth: Truth, truthFile: string | undefined): Promise<number> {
  const progress = workload.progress();
  if (progress.accepted === 0 && progress.error !== undefined) {
    process.stderr.write(`Error: nothing could be sent: ${progress.error}\n`);
    return 1;
  }
  if (truthFile !== undefined) await writeFile(truthFile, `${JSON.stringify(truth, undefined, 2)}\n`);
  process.stderr.write(finalText(progress, truth, truthFile));
  return 0;
}

/** The first signal ends the workload in good order, the second at once. */
function stopOnSignal(workload: Workload): () => void {
  let asked = false;
  const onSignal = () => {
    if (asked) process.exit(130);
    asked = true;
    void workload.stop();
  };
  process.on("SIGINT", onSignal).on("SIGTERM", onSignal);
  return () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal);
}
