/**
 * The longest synchronous step of what takes long: how long everybody else waits. A step is the time between two turns of
 * the event loop, but no more than the CPU time of the main thread and its resolution, so that it hardly depends on what
 * else the machine does. The longest step of a run, as the median and the worst of nine runs after three that warm up. The
 * median may not be over 10 ms: exit code 1 when one is, unless it is a smoke run.
 *
 *     node bench/steps/main.ts [--smoke] [--only TEXT]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import { parseArgs } from "node:util";
import { cases } from "./cases.ts";

const { values } = parseArgs({ options: { smoke: { type: "boolean" }, only: { type: "string", default: "" } } });
const markMs = 10;
const rounds = values.smoke ? 1 : 9;
const warmUps = values.smoke ? 0 : 3;

/** The resolution of the CPU time, at 250 ticks a second. */
const tickMs = 4;

function now(): { readonly wallMs: number; readonly cpuMs: number } {
  const { user, system } = process.threadCpuUsage();
  return { wallMs: performance.now(), cpuMs: (user + system) / 1000 };
}

/** Milliseconds that the main thread was busy at most between two turns of the loop, while `work` went on. */
async function longestStep(work: () => Promise<void>): Promise<number> {
  let longest = 0;
  let isOver = false;
  let before = now();
  const turn = () => {
    const after = now();
    const stepMs = Math.min(after.wallMs - before.wallMs, after.cpuMs - before.cpuMs + tickMs);
    longest = Math.max(longest, stepMs);
    before = after;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  await work();
  await nextTurn();
  isOver = true;
  return longest;
}

console.log(`${"what".padEnd(52)} longest step, ms: median  worst`);
const folder = mkdtempSync(join(tmpdir(), "otelpipe-steps-"));
for (const { name, prepare } of cases(folder).filter((each) => each.name.includes(values.only))) {
  const { work, end } = await prepare();
  for (let round = 0; round < warmUps; round++) await work();
  const longest: number[] = [];
  for (let round = 0; round < rounds; round++) {
    await nextTurn();
    longest.push(await longestStep(work));
  }
  await end?.();
  const sorted = longest.toSorted((left, right) => left - right);
  const [median, worst] = [sorted[Math.floor(rounds / 2)]!, sorted[rounds - 1]!];
  const isMissed = median > markMs;
  const figures = `${median.toFixed(1).padStart(24)} ${worst.toFixed(1).padStart(6)}`;
  console.log(`${name.padEnd(52)} ${figures}${isMissed ? `  over ${markMs}` : ""}`);
  if (isMissed && values.smoke !== true) process.exitCode = 1;
}
rmSync(folder, { recursive: true });
