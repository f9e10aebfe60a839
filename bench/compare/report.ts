import { median } from "../packed.ts";
import type { Measured } from "./measure.ts";
import type { Scenario } from "./scenarios.ts";

/** What runs of one scenario came to, by the name of the program: medians, and every run. */
export interface Row {
  readonly scenario: Scenario;
  readonly programs: Readonly<Record<string, { readonly median: Measured; readonly runs: readonly Measured[] }>>;
}

export function summary(scenario: Scenario, found: ReadonlyMap<string, readonly Measured[]>): Row {
  const programs = [...found].map(([name, runs]) => [name, { median: mediansOf(runs), runs }]);
  return { scenario, programs: Object.fromEntries(programs) };
}

function mediansOf(runs: readonly Measured[]): Measured {
  const keys = Object.keys(runs[0] ?? {}) as (keyof Measured)[];
  return Object.fromEntries(keys.map((key) => [key, median(runs.map((run) => run[key]))])) as unknown as Measured;
}

/** How many times the CPU of otelpipe a program takes. */
export function ratioOf(row: Row, name: string): number {
  return (row.programs[name]?.median.cpuUsPerItem ?? Number.NaN) / (row.programs["otelpipe"]?.median.cpuUsPerItem ?? 0);
}

const head = [
  "scenario",
  "program",
  "CPU µs an item",
  "times otelpipe",
  "items/s",
  "core of the daemon, generator, sink, %",
  "bytes an item",
  "memory, MB",
];

/** A row for each program of each scenario, as Markdown. */
export function table(rows: readonly Row[], withHead = true): string {
  const lines = rows.flatMap((row) =>
    Object.entries(row.programs).map(([name, { median: found }]) => {
      const ratio = ratioOf(row, name);
      const shares = [found.daemonLoad, found.generatorLoad, found.sinkLoad];
      return [
        row.scenario.name,
        name,
        found.cpuUsPerItem.toFixed(2),
        Number.isNaN(ratio) ? "" : ratio.toFixed(2),
        Math.round(found.itemsPerSecond).toLocaleString("en").replaceAll(",", " "),
        shares.map((share) => Math.round(share * 100)).join(", "),
        found.bytesPerItem.toFixed(1),
        found.residentPeakMb.toFixed(0),
      ];
    }),
  );
  const all = withHead ? [head, head.map(() => "---"), ...lines] : lines;
  return all.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}
