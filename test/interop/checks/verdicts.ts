import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { check, type Findings } from "../check.ts";
import { runFolder } from "../peers/server.ts";
import { type VerdictConfig, verdictConfigs } from "../verdicts/configs.ts";
import { verdictDifferences } from "../verdicts/differences.ts";

const otelpipe = fileURLToPath(new URL("../../../bin/otelpipe.js", import.meta.url));

interface Verdict {
  readonly code: number | null;
  readonly said: string;
}

/** Whether `validate --strict-compat` accepts and refuses what the Collector's `validate` does, and blames the same. */
export const verdicts = check({
  name: "verdicts",
  area: "Verdict of `validate`",
  needs: ["collector"],
  async run({ collector }): Promise<Findings> {
    const file = join(await runFolder("verdicts"), "config.yaml");
    const wrong: string[] = [];
    for (const config of verdictConfigs) {
      await writeFile(file, config.yaml);
      const theirs = await verdictOf(collector.executable, ["validate", "--config", file], config);
      const ours = await verdictOf(
        process.execPath,
        [otelpipe, "validate", "--strict-compat", "--config", file],
        config,
      );
      const known = verdictDifferences.some(({ yaml }) => yaml === config.yaml);
      if (known === agree(config, ours, theirs)) wrong.push(report(config, ours, theirs));
    }
    assert.equal(wrong.length, 0, `${wrong.length} configurations:\n${wrong.join("\n")}`);
    const result = `${verdictConfigs.length - verdictDifferences.length} equal`;
    const checked = `exit code and what is blamed by validate, ${verdictConfigs.length} configurations`;
    const counts = { scenarios: verdictConfigs.length, equal: verdictConfigs.length - verdictDifferences.length };
    return { rows: [{ peer: "Collector", checked, result, ...counts }] };
  },
});

async function verdictOf(command: string, args: readonly string[], config: VerdictConfig): Promise<Verdict> {
  const child = spawn(command, args, {
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...config.environment },
    stdio: ["ignore", "ignore", "pipe"],
    timeout: 30_000,
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "close") as Promise<[number | null]>]);
  return { code, said };
}

function agree({ blames = "" }: VerdictConfig, ours: Verdict, theirs: Verdict): boolean {
  if (ours.code !== theirs.code) return false;
  const pattern = new RegExp(blames.replace("/", "\\/"));
  return ours.code === 0 ? blames === "" : pattern.test(ours.said) && pattern.test(theirs.said);
}

function report({ yaml, environment }: VerdictConfig, ours: Verdict, theirs: Verdict): string {
  const given = JSON.stringify({ yaml, ...environment });
  return `${given}\n  otelpipe ${ours.code}: ${ours.said.slice(0, 300)}\n  Collector ${theirs.code}: ${theirs.said.slice(0, 500)}`;
}
