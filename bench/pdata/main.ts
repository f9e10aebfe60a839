import { execFileSync } from "node:child_process";
import { cpus } from "node:os";
import { type Case, cases } from "./cases.ts";
import { batchCount, batches, requestType, spansPerBatch } from "./data.ts";
import { fullEffort, type Measurement, measure, smokeEffort } from "./measure.ts";

/**
 * What the kernels of `pipeline/pdata` cost, beside protobufjs in the same run.
 *
 *     node bench/pdata/main.ts [--smoke] [--only=TEXT]
 *
 * Every case runs in a process of its own, so that none spoils another's type feedback; the ones to compare with run
 * again for every case that needs them, so that both see the same machine. Exit code 1 when a mark is missed.
 * `--smoke` runs everything once, in this process, without marks.
 */
const options = new Set(process.argv.slice(2));
const only = [...options].find((option) => option.startsWith("--only="))?.slice("--only=".length) ?? "";
const caseNumber = process.env["OTELPIPE_BENCH_CASE"];

if (caseNumber !== undefined) {
  const chosen = cases[Number(caseNumber)];
  if (chosen === undefined) throw new RangeError(`there is no case ${caseNumber}`);
  console.log(JSON.stringify(measure(chosen.prepare(), spansPerBatch, fullEffort)));
} else if (options.has("--smoke")) {
  for (const each of cases) {
    measure(each.prepare(), spansPerBatch, smokeEffort);
    console.log(`ran: ${each.name}`);
  }
} else {
  const missed = report();
  process.exitCode = missed === 0 ? 0 : 1;
}

function report(): number {
  const sizes = batches(requestType()).map((bytes) => bytes.length);
  const spanBytes = sizes.reduce((sum, size) => sum + size, 0) / (batchCount * spansPerBatch);
  console.log(`Node ${process.version}, ${cpus()[0]?.model ?? "unknown processor"}`);
  console.log(
    `${batchCount} batches of ${spansPerBatch} spans, 12 attributes and ${spanBytes.toFixed(0)} bytes a span; nanoseconds a span, median of 15`,
  );
  console.log(
    `${"".padEnd(42)}${"CPU ns".padStart(9)}${"best".padStart(9)}${"ratio".padStart(9)}${"mark".padStart(7)}`,
  );
  let missed = 0;
  for (const each of cases) if (each.name.includes(only) && !show(each)) missed += 1;
  return missed;
}

/** Prints a row and says whether its mark is reached. */
function show(each: Case): boolean {
  const own = runAlone(each);
  const other = cases.find(({ name }) => name === each.against);
  const ratio = other === undefined ? undefined : runAlone(other).median / own.median;
  const isReached = each.mark === undefined || (ratio ?? 0) >= each.mark;
  const cells = [
    own.median.toFixed(1).padStart(9),
    own.best.toFixed(1).padStart(9),
    (ratio?.toFixed(1) ?? "").padStart(9),
  ];
  const mark = each.mark === undefined ? "" : `${each.mark}x`.padStart(7);
  console.log(`${each.name.padEnd(42)}${cells.join("")}${mark}${isReached ? "" : "  MISSED"}`);
  return isReached;
}

function runAlone(each: Case): Measurement {
  const env = { ...process.env, OTELPIPE_BENCH_CASE: String(cases.indexOf(each)) };
  return JSON.parse(execFileSync(process.execPath, [import.meta.filename], { env, encoding: "utf8" })) as Measurement;
}
