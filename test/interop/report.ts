import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Check, Difference, Findings, Row } from "./check.ts";
import { runLine, table, writeSection } from "./results.ts";

const file = fileURLToPath(new URL("results.generated.json", import.meta.url));

/** What came of one check when it last ran. */
export interface Result {
  /** The day, and the versions of the peers it used. */
  readonly day: string;
  readonly peers: readonly (readonly [name: string, version: string])[];
  readonly findings: Findings;
  /** Why it could not run or what was wrong, if so. */
  readonly failure?: string;
}

/** By the name of the check. */
type Results = Readonly<Record<string, Result>>;

/**
 * Keeps what the checks that have just run showed beside what the others showed before, and writes the tables of
 * `docs/interop.md` and `docs/differences.md` from all of it.
 */
export async function publish(checks: readonly Check[], now: Results): Promise<void> {
  const before = JSON.parse(await readFile(file, "utf8").catch(() => "{}")) as Results;
  const entries = checks.flatMap(({ name }) => {
    const result = now[name] ?? before[name];
    return result === undefined ? [] : [[name, result] as const];
  });
  const results = Object.fromEntries(entries);
  await writeFile(file, `${JSON.stringify(results, undefined, 2)}\n`);
  await writeSection("interop.md", "interop", page(checks, results));
  await writeSection("differences.md", "measured", differencesPage(checks, results));
}

function page(checks: readonly Check[], results: Results): string {
  const peers = new Map(Object.values(results).flatMap((result) => result.peers));
  return [
    runLine("npm run test:interop"),
    summary(checks, results),
    "What differs is in [differences.md](differences.md), with the reason. What otelpipe has not yet is not counted as equal.",
    table(["peer", "version"], [...peers]),
    ...areasOf(checks).flatMap((area) => [`### ${area}`, details(area, checks, results)]),
  ].join("\n\n");
}

function areasOf(checks: readonly Check[]): string[] {
  return [...new Set(checks.map(({ area }) => area))];
}

function ofArea(area: string, checks: readonly Check[], results: Results): Result[] {
  return checks.filter((check) => check.area === area).flatMap(({ name }) => results[name] ?? []);
}

/** One line an area, and the sums. */
function summary(checks: readonly Check[], results: Results): string {
  const lines = areasOf(checks).map((area) => {
    const found = ofArea(area, checks, results);
    const rows = found.flatMap(({ findings }) => findings.rows);
    const failures = found.filter(({ failure }) => failure !== undefined).length;
    return {
      area,
      ...counts(rows),
      failures,
      day:
        found
          .map(({ day }) => day)
          .sort()
          .at(-1) ?? "never",
    };
  });
  const all = { scenarios: 0, equal: 0 };
  for (const { scenarios, equal } of lines) {
    all.scenarios += scenarios;
    all.equal += equal;
  }
  const cells = lines.map(({ area, scenarios, equal, failures, day }) => {
    const state = failures > 0 ? "**failed or skipped**" : "passed";
    return [area, `${scenarios}`, `${equal}`, `${scenarios - equal}`, `${state} ${day}`];
  });
  const sum = ["**all**", `**${all.scenarios}**`, `**${all.equal}**`, `**${all.scenarios - all.equal}**`, ""];
  return table(["area", "scenarios", "equal", "listed differences", "last run"], [...cells, sum]);
}

function counts(rows: readonly Row[]): { scenarios: number; equal: number } {
  const sum = { scenarios: 0, equal: 0 };
  for (const { scenarios = 1, equal = scenarios } of rows) {
    sum.scenarios += scenarios;
    sum.equal += equal;
  }
  return sum;
}

function details(area: string, checks: readonly Check[], results: Results): string {
  const found = ofArea(area, checks, results);
  const failures = found.flatMap(({ failure }) => (failure === undefined ? [] : [`- ${failure}`]));
  const rows = found.flatMap(({ findings }) => findings.rows);
  const cells = rows.map(({ peer, checked, result }) => [peer, checked, result]);
  return [...failures, ...(cells.length > 0 ? [table(["peer", "what was checked", "result"], cells)] : [])].join("\n");
}

/** One line a reason: the first case it holds for as an example, and how many more there are. */
function differencesPage(checks: readonly Check[], results: Results): string {
  const lines = areasOf(checks).flatMap((area) => {
    const found = ofArea(area, checks, results).flatMap(({ findings }) => findings.differences ?? []);
    return [...Map.groupBy(found, ({ reason }) => reason)].map(([reason, cases]) => [area, ...example(cases), reason]);
  });
  return table(["area", "case", "otelpipe", "Collector", "why"], lines);
}

function example([first, ...more]: readonly Difference[]): [string, string, string] {
  if (first === undefined) return ["", "", ""];
  const names = more.map(({ input }) => input);
  const others = names.length > 3 ? `${names.slice(0, 3).join("; ")}; and ${names.length - 3} more` : names.join("; ");
  const cases = others === "" ? first.input : `${first.input}; ${others}`;
  return [cases, first.otelpipe, first.collector];
}
