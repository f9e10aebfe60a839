/**
 * What it costs to move telemetry, beside the real Collector: `npm run bench:compare [-- traces_grpc edit] [--runs 5]
 * [--window 2.5] [--only otelpipe]`. Names choose the scenarios that begin so; without any, all run and
 * `docs/performance.md` is written. Both daemons take turns with one configuration and one load, the daemon on core 0,
 * load and sink on core 1. Builds the peers outside the checkout, as `npm run test:interop` does. Needs Linux.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ensureMinimal } from "../../test/interop/peers/collector_builds.ts";
import { isSkipped } from "../../test/interop/peers/peer.ts";
import { installPacked } from "../packed.ts";
import { canPin, type Program } from "./daemons.ts";
import { Bench, type Measured } from "./measure.ts";
import { type Row, summary, table } from "./report.ts";
import { chosen } from "./scenarios.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: "string", default: "5" },
    window: { type: "string", default: "2.5" },
    only: { type: "string" },
  },
});
const selected = chosen(positionals);
const windowMs = Number(values.window) * 1_000;
if (!canPin) console.log("processes cannot be kept on a core each here: the figures are not comparable");

const folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-compare-"));
const packed = join(installPacked(folder), "bin/otelpipe.js");
const programs: Program[] = [
  { name: "otelpipe", version: `Node ${process.version}`, command: process.execPath, args: [packed] },
];
const peer = await ensureMinimal();
if (isSkipped(peer)) console.log(`skipped: ${peer.skipped}`);
else programs.push({ name: "Collector", version: peer.version, command: peer.executable, args: [] });
const taken = programs.filter(({ name }) => values.only === undefined || values.only === name);

const bench = await Bench.open();
const rows: Row[] = [];
try {
  for (const scenario of selected) {
    const found = new Map<string, Measured[]>(taken.map(({ name }) => [name, []]));
    for (let run = 0; run < Number(values.runs); run++) {
      for (const program of taken) {
        const measured = await bench.measure(program, scenario, { warmupMs: 2_000, windowMs });
        found.get(program.name)?.push(measured);
      }
    }
    const row = summary(scenario, found);
    rows.push(row);
    console.log(table([row], rows.length === 1));
  }
} finally {
  await bench.close();
  rmSync(folder, { recursive: true });
}
