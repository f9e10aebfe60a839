/**
 * What it costs to divide a service among threads: CPU for each span of one thread, without `service::workers`, and of two
 * workers, in turn, over 16 connections: `node bench/workers/main.ts [--runs 5] [--window 2.5] [--only NAME]`. Both run on
 * core 0, where two threads are not faster: what is compared is their cost. Over 1.15 times is a missed mark: exit code 1.
 * What is handed from workers to the main thread has none.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Bench, type Measured } from "../compare/measure.ts";
import { plain, type Scenario } from "../compare/scenarios.ts";
import { installPacked, median } from "../packed.ts";

const mark = 1.15;
const spans = (items: number) => ({ shape: { signal: "traces", itemBytes: 800, items } }) as const;
const scenarios: readonly Scenario[] = [
  { ...plain, ...spans(1000), name: "grpc_1000", title: "gRPC, 1 000 spans a request" },
  { ...plain, ...spans(50), name: "grpc_50", title: "gRPC, 50 spans a request" },
  { ...plain, ...spans(1000), name: "http_1000", title: "HTTP, 1 000 spans a request", protocol: "http", window: 1 },
  {
    ...plain,
    ...spans(1000),
    name: "handed_1000",
    title: "gRPC, 1 000 a request, handed to the main thread",
    forward: true,
  },
  { ...plain, ...spans(50), name: "handed_50", title: "gRPC, 50 a request, handed to the main thread", forward: true },
];

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5" },
    window: { type: "string", default: "2.5" },
    only: { type: "string", default: "" },
  },
});
const folder = mkdtempSync(join(tmpdir(), "otelpipe-bench-workers-"));
const packed = join(installPacked(folder), "bin/otelpipe.js");
const program = { name: "otelpipe", version: process.version, command: process.execPath, args: [packed] };
const bench = await Bench.open();
const measure = async (scenario: Scenario, workers: number) =>
  await bench.measure(
    program,
    { ...scenario, connections: 16, workers },
    { warmupMs: 3_000, windowMs: Number(values.window) * 1_000 },
  );

console.log(`Medians of ${values.runs}, Node ${process.version}, ${process.arch}`);
console.log("| what | µs a span, one thread | two workers | times (least, most) | memory, MB | with workers, MB |");
console.log("|---|---|---|---|---|---|");
try {
  for (const scenario of scenarios.filter(({ name }) => name.includes(values.only))) {
    const pairs: { readonly one: Measured; readonly two: Measured }[] = [];
    for (let run = 0; run < Number(values.runs); run++) {
      pairs.push({ one: await measure(scenario, 1), two: await measure(scenario, 2) });
    }
    const of = (side: "one" | "two", what: keyof Measured) => median(pairs.map((pair) => pair[side][what]));
    const ratios = pairs.map(({ one, two }) => two.cpuUsPerItem / one.cpuUsPerItem).toSorted((one, two) => one - two);
    const ratio = median(ratios);
    const cells = [
      scenario.title,
      of("one", "cpuUsPerItem").toFixed(2),
      of("two", "cpuUsPerItem").toFixed(2),
      `${ratio.toFixed(2)} (${ratios[0]?.toFixed(2)}, ${ratios.at(-1)?.toFixed(2)})`,
      of("one", "residentMb").toFixed(0),
      of("two", "residentMb").toFixed(0),
    ];
    console.log(`| ${cells.join(" | ")} |`);
    if (ratio > mark && scenario.forward !== true) process.exitCode = 1;
  }
} finally {
  await bench.close();
  rmSync(folder, { recursive: true });
}
