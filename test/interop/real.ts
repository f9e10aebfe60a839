/**
 * The demonstration: a real model behind a real server, the worker and the notebook, otelpipe on
 * `configs/llm-observability.yaml`, Jaeger, a downstream Collector and the stand-in of Graphistry. `npm run test:real`.
 * Asserts, prints its table and writes it into `docs/interop.md`. Exit code 1 when something is wrong or missing.
 */
import assert from "node:assert/strict";
import type { Stopped } from "../support/daemon.ts";
import { cacheFolder } from "./peers/peer.ts";
import { checkFigures } from "./real/figure_check.ts";
import { checkGraph } from "./real/graph_check.ts";
import { checkJaeger } from "./real/jaeger_check.ts";
import { checkSenders } from "./real/sender_check.ts";
import { ensurePeers, type Peers, type Stage, startStage } from "./real/stage.ts";
import { checkTokenMetric, checkTokens } from "./real/token_check.ts";
import { readTruth } from "./real/truth.ts";
import { doWork } from "./real/workload.ts";
import { runLine, table, writeSection } from "./results.ts";
import { exitOnSignals, withServers } from "./with_servers.ts";

exitOnSignals();
console.log(`Peers in ${cacheFolder()}`);
const peers = await ensurePeers();
if ("skipped" in peers) {
  console.log(`cannot run: ${peers.skipped}`);
  process.exitCode = 1;
} else {
  const results = await demonstrate(peers);
  const rows = table(["what was checked", "result"], results);
  const versions = Object.values(peers).map(({ name, version }) => [name, version]);
  await writeSection(
    "interop.md",
    "real",
    [runLine("npm run test:real"), table(["peer", "version"], versions), rows].join("\n\n"),
  );
  console.log(rows);
}

async function demonstrate(found: Peers): Promise<(readonly [checked: string, result: string])[]> {
  return await withServers(async (started) => {
    const stage = await startStage(found, started);
    console.log("Everything runs; some minutes of real completions follow.");
    try {
      return await workAndCheck(found, stage);
    } catch (error) {
      console.error(stage.daemon.log);
      throw error;
    }
  });
}

async function workAndCheck(found: Peers, stage: Stage): Promise<(readonly [checked: string, result: string])[]> {
  const work = await doWork(found, stage);
  const stopped = await stage.drain();
  assert.equal(stopped.code, 0);
  const truth = await readTruth(stage, stopped);
  const [completions = "", failures = "", arrived = ""] = checkSenders(truth, work);
  const [input = "", output = "", cancelled = ""] = checkTokens(truth, work);
  const [graph = "", upload = ""] = await checkGraph(stage, truth);
  return [
    ["real requests", completions],
    ["requests that fail", failures],
    ["what was sent arrived", arrived],
    ["every accepted span is in Jaeger, by its API", await checkJaeger(stage, truth)],
    ["input tokens equal llama-server's count", input],
    ["output tokens equal llama-server's count", output],
    ["tokens nobody was told of", cancelled],
    ["the worker's metrics, downstream", await checkTokenMetric(stage, work)],
    ["each request is a point in the figures", await checkFigures(stage, truth)],
    ["each span and edge is in the graph tables", graph],
    ["the graph passed the Graphistry upload", upload],
    ["nothing was dropped, and the books balance", checkBooks(stopped)],
  ];
}

/** That in = out + dropped + refused with nothing held was asserted as otelpipe stopped. */
function checkBooks({ books }: Stopped): string {
  const entries = Object.entries(books);
  for (const [key, { dropped, refused }] of entries) assert.deepEqual([dropped, refused], [{}, 0], key);
  const received = books["receiver:otlp"]?.in ?? 0;
  return `${entries.length} components, ${received} items received, 0 dropped, 0 refused, 0 held`;
}
