import { writeFile } from "node:fs/promises";
import { parseArguments } from "./arguments.ts";
import { flags, type GenerateOptions, helpText, readOptions } from "./generate/options.ts";
import { finalText, ProgressLine, refusedText } from "./generate/progress.ts";
import { startWorkload, type Truth, type Workload } from "./generate/workload.ts";
import { onStopSignal } from "./stop_signals.ts";

/**
 * `otelpipe generate`: sends a synthetic LLM workload until a limit is reached or Ctrl-C, then writes the ground truth
 * of what was accepted.
 *
 * @returns the exit code: 1 when anything was refused for good, or nothing could be sent at all.
 */
export async function generate(args: readonly string[]): Promise<number> {
  if (args.includes("--help") || args.includes("-h")) {
    process.stdout.write(helpText);
    return 0;
  }
  const { values } = parseArguments("generate", args, flags);
  const options = readOptions(values);
  const workload = startWorkload(options.workload);
  if (options.inferred !== undefined) process.stderr.write(`${options.inferred}\n`);
  const line = options.quiet ? undefined : new ProgressLine(process.stderr, workload);
  const stopListening = onStopSignal(() => void workload.stop());
  await workload.finished;
  stopListening();
  const truth = await workload.stop();
  line?.stop();
  return conclude(workload, truth, options);
}

async function conclude(workload: Workload, truth: Truth, { truthFile, advice }: GenerateOptions): Promise<number> {
  const progress = workload.progress();
  if (progress.accepted === 0 && progress.error !== undefined) {
    process.stderr.write(`Error: nothing could be sent: ${progress.error}${advice ?? ""}\n`);
    return 1;
  }
  if (truthFile !== undefined) await writeFile(truthFile, `${JSON.stringify(truth, undefined, 2)}\n`);
  process.stderr.write(finalText(progress, truth, truthFile));
  const refused = refusedText(progress);
  if (refused === undefined) return 0;
  process.stderr.write(`Error: ${refused}\n`);
  return 1;
}
