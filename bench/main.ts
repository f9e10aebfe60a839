/**
 * Runs the benchmarks one after the other, all of them or those named: `npm run bench [-- pdata startup]`. Each is a
 * program of its own, `bench/<name>/main.ts`, with options of its own. Exit code 1 when one missed its marks.
 */
import { spawnSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { join } from "node:path";

const folders = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const known = folders.map(({ name }) => name).sort();
const named = process.argv.slice(2);
const unknown = named.filter((name) => !known.includes(name));

if (unknown.length > 0) {
  console.error(`there is no benchmark ${unknown.join(", ")}; there are ${known.join(", ")}`);
  process.exitCode = 1;
} else {
  for (const name of named.length > 0 ? named : known) {
    console.log(`\n${name}`);
    const { status } = spawnSync(process.execPath, [join(import.meta.dirname, name, "main.ts")], { stdio: "inherit" });
    if (status !== 0) process.exitCode = 1;
  }
}
