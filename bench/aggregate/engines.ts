import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openCpuEngine } from "../../pipeline/frame/cpu/engine.ts";
import type { AggregationEngine } from "../../pipeline/frame/engine.ts";
import { openEngine } from "../../pipeline/frame/engines.ts";
import { aggregateConfig, aggregateSettings } from "../../pipeline/frame/settings.ts";
import { toArrowStream } from "../../pipeline/frame/worker/arrow.ts";
import { SupervisedEngine } from "../../pipeline/frame/worker/supervised_engine.ts";
import { systemClock } from "../../pipeline/process/clock.ts";
import { simulatedHost } from "../../test/support/simulated_host.ts";
import { cpuMsOf, type Mark, median } from "./marks.ts";
import { millionSpans, question } from "./million.ts";

const rounds = 7;

/** The engines `cpu` and `rapids` (on pandas) over a million spans, beside plain pandas in a process of its own. */
export async function engineMarks(python: string): Promise<readonly Mark[]> {
  const table = millionSpans();
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-"));
  const file = join(folder, "table.arrow");
  writeFileSync(file, Buffer.concat(await toArrowStream(table, async () => {})));
  const plain: number[] = [];
  const cpu = await openCpuEngine({ clock: systemClock });
  const worker = await openWorker(python);
  const byCpu: number[] = [];
  const byWorker: number[] = [];
  // One after the other in each round, so that what else the machine does falls on all alike.
  for (let round = 0; round <= rounds; round++) {
    const ours = await cpuMsOf(() => cpu.aggregate(table, question));
    const asked = await bothCpuMsOf(worker, () => worker.aggregate(table, question));
    const script = join(import.meta.dirname, "plain.py");
    const theirs: number[] = JSON.parse(execFileSync(python, [script, file, "1"], { encoding: "utf8" }));
    if (round === 0) continue;
    byCpu.push(ours);
    byWorker.push(asked);
    plain.push(theirs[0]! * 1000);
  }
  const { tally } = worker;
  await worker.close();
  rmSync(folder, { recursive: true });
  if (tally !== `rapids ${rounds + 1}`) throw new Error(`the worker did not compute: ${tally}`);
  const theirs = `pandas ${median(plain).toFixed(0)} ms`;
  return [
    {
      name: "`cpu`, CPU for a window of a million spans",
      ours: `${median(byCpu).toFixed(0)} ms`,
      theirs,
      value: median(byCpu) / median(plain),
      unit: "x",
      atMost: 0.5,
    },
    {
      name: "`rapids` on pandas, CPU of both processes",
      ours: `${median(byWorker).toFixed(0)} ms`,
      theirs,
      value: median(byWorker) / median(plain),
      unit: "x",
      atMost: 1.25,
    },
  ];
}

async function openWorker(python: string): Promise<SupervisedEngine> {
  const { logger, meter } = simulatedHost();
  const { engine } = aggregateSettings(aggregateConfig.parse({ engine: { type: "rapids", python } }));
  const worker: AggregationEngine = await openEngine(engine, { clock: systemClock, logger, meter });
  if (!(worker instanceof SupervisedEngine)) throw new Error(`${worker.name} computes`);
  await worker.started();
  return worker;
}

/** CPU milliseconds of this process and the worker's. */
async function bothCpuMsOf(worker: SupervisedEngine, run: () => Promise<unknown>): Promise<number> {
  const before = cpuMsOfProcess(worker.pid);
  const ours = await cpuMsOf(run);
  return ours + cpuMsOfProcess(worker.pid) - before;
}

/** User and system time as the kernel counts it, in ticks of 10 ms. */
function cpuMsOfProcess(pid: number | undefined): number {
  const [, fields = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
  const [user, system] = fields.split(" ").slice(11, 13);
  return (Number(user) + Number(system)) * 10;
}
