/**
 * The checks against real peers: `npm run test:interop`, or `node test/interop/main.ts [names of checks]`. Installs the
 * peers outside the repository, says what it skips and why, and writes its results into `docs/interop.md` when it ran
 * every check. Exit code 1 when one fails.
 */
import type { Check, Difference, PeerName, Row } from "./check.ts";
import { answers } from "./checks/answers.ts";
import { batchSizes } from "./checks/batch_sizes.ts";
import { chains } from "./checks/chains.ts";
import { commandLine } from "./checks/command_line.ts";
import { debugText } from "./checks/debug_text.ts";
import { figures } from "./checks/figures.ts";
import { gateway } from "./checks/gateway.ts";
import { graphistry } from "./checks/graphistry.ts";
import { recipes as packaging } from "./checks/packaging.ts";
import { processors } from "./checks/processors.ts";
import { sampler } from "./checks/sampler.ts";
import { sdks } from "./checks/sdks.ts";
import { verdicts } from "./checks/verdicts.ts";
import * as collector from "./peers/collector.ts";
import * as goSdk from "./peers/go_sdk.ts";
import * as linters from "./peers/linters.ts";
import { cacheFolder, isSkipped, type Peer, type Skipped } from "./peers/peer.ts";
import * as pythonSdk from "./peers/python_sdk.ts";
import { differenceTable, rowTable, runLine, table, writeSection } from "./results.ts";
import { exitOnSignals } from "./with_servers.ts";

const recipes: Readonly<Record<PeerName, () => Promise<Peer | Skipped>>> = {
  collector: collector.ensure,
  go_sdk: goSdk.ensure,
  linters: linters.ensure,
  python_sdk: pythonSdk.ensure,
};

const checks: readonly Check[] = [
  sdks,
  chains,
  answers,
  commandLine,
  verdicts,
  gateway,
  processors,
  sampler,
  batchSizes,
  debugText,
  figures,
  graphistry,
  packaging,
];

/** What came of all checks so far. */
interface Outcome {
  readonly rows: Row[];
  readonly differences: Difference[];
  readonly skipped: string[];
  readonly failed: string[];
}

exitOnSignals();
const names = process.argv.slice(2);
const chosen = checks.filter(({ name }) => names.length === 0 || names.includes(name));
const peers = new Map<PeerName, Peer | Skipped>();
console.log(`Peers in ${cacheFolder()}`);
const outcome: Outcome = { rows: [], differences: [], skipped: [], failed: [] };
for (const each of chosen) await runCheck(each, outcome);
if (names.length === 0) await writeSection("interop", report(outcome));
for (const line of [...outcome.skipped, ...outcome.failed]) console.log(line);
process.exitCode = outcome.failed.length > 0 || chosen.length === 0 ? 1 : 0;

async function runCheck(each: Check, { rows, differences, skipped, failed }: Outcome): Promise<void> {
  const began = performance.now();
  const found: Partial<Record<PeerName, Peer>> = {};
  for (const name of each.needs) {
    const peer = peers.get(name) ?? (await recipes[name]());
    peers.set(name, peer);
    if (isSkipped(peer)) {
      skipped.push(`skipped ${each.name}: ${peer.skipped}`);
      return;
    }
    found[name] = peer;
  }
  try {
    const findings = await each.run(found as Record<PeerName, Peer>);
    rows.push(...findings.rows);
    differences.push(...(findings.differences ?? []));
    console.log(`passed  ${each.name}, ${Math.round((performance.now() - began) / 1000)} s`);
    for (const { peer, checked, result } of findings.rows) console.log(`        ${peer}: ${checked}: ${result}`);
  } catch (error) {
    failed.push(`failed  ${each.name}`);
    rows.push({ peer: each.name, checked: "", result: "**failed**" });
    console.log(`failed  ${each.name}\n${error instanceof Error ? error.stack : String(error)}`);
  }
}

function report({ rows, differences, skipped }: Outcome): string {
  const versions = [...peers.values()].flatMap((peer) => (isSkipped(peer) ? [] : [[peer.name, peer.version]]));
  return [
    runLine("npm run test:interop"),
    ...(skipped.length > 0 ? [skipped.map((line) => `- ${line}`).join("\n")] : []),
    table(["peer", "version"], versions),
    "### What was checked",
    rowTable(rows),
    "### Where otelpipe answers differently",
    differenceTable(differences),
  ].join("\n\n");
}
