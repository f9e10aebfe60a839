/**
 * The longest synchronous step of what takes long: how long everybody else waits. The delay of the event loop from
 * `perf_hooks`, at a resolution of 1 ms; the longest of five runs after one that warms up. Nothing may take over 10 ms.
 *
 *     node bench/steps/main.ts
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { setImmediate, setTimeout } from "node:timers/promises";
import { cases } from "./cases.ts";

const markMs = 10;
const rounds = 5;
const resolutionMs = 1;

/** Milliseconds that the event loop stood still at most while `work` went on. */
async function longestStep(work: () => Promise<void>): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: resolutionMs });
  delay.enable();
  await setTimeout(10 * resolutionMs);
  delay.reset();
  await setTimeout(10 * resolutionMs); // the first interval after a reset is not counted
  await work();
  await setTimeout(10 * resolutionMs);
  delay.disable();
  return Math.max(0, delay.max / 1e6 - resolutionMs);
}

console.log("what                                                 longest step, ms");
const folder = mkdtempSync(join(tmpdir(), "otelpipe-steps-"));
for (const { name, prepare } of cases(folder)) {
  const { work, end } = await prepare();
  await work();
  let longest = 0;
  for (let round = 0; round < rounds; round++) {
    await setImmediate();
    longest = Math.max(longest, await longestStep(work));
  }
  await end?.();
  console.log(`${name.padEnd(52)} ${longest.toFixed(1).padStart(6)}${longest > markMs ? `  over ${markMs}` : ""}`);
}
