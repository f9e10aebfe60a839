/**
 * The checks against real peers: `npm run test:interop`, or `node test/interop/main.ts [names of checks]`. Installs the
 * peers outside the repository, says what it skips and why, and writes the results into `docs/interop.md` and
 * `docs/differences.md`, beside those of the checks that did not run. Exit code 1 when one fails.
 */
import type { Check, PeerName } from "./check.ts";
import { answers } from "./checks/answers.ts";
import { authenticators } from "./checks/authenticators.ts";
import { backendCodes, backendOutages } from "./checks/backends.ts";
import { batchSizes } from "./checks/batch_sizes.ts";
import { chains } from "./checks/chains.ts";
import { commandLine } from "./checks/command_line.ts";
import { cors } from "./checks/cors.ts";
import { debugText } from "./checks/debug_text.ts";
import { engines } from "./checks/engines.ts";
import { exported } from "./checks/exports.ts";
import { figures } from "./checks/figures.ts";
import { gateway } from "./checks/gateway.ts";
import { graphistry } from "./checks/graphistry.ts";
import { grpcServers } from "./checks/grpc_servers.ts";
import { http2 } from "./checks/http2.ts";
import { jaegerTraces } from "./checks/jaeger.ts";
import { leftQueues } from "./checks/left_queues.ts";
import { ownMetrics } from "./checks/own_metrics.ts";
import { ownSpans } from "./checks/own_spans.ts";
import { recipes as packaging } from "./checks/packaging.ts";
import { processors } from "./checks/processors.ts";
import { requests } from "./checks/requests.ts";
import { sampler } from "./checks/sampler.ts";
import { sdks } from "./checks/sdks.ts";
import { sighup, sigterm } from "./checks/signals.ts";
import { telemetrygen } from "./checks/telemetrygen.ts";
import { verdicts } from "./checks/verdicts.ts";
import { ensureMinimal, ensureReleased, ensureTelemetrygen } from "./peers/collector_builds.ts";
import * as goSdk from "./peers/go_sdk.ts";
import * as grpcLibraries from "./peers/grpc_servers.ts";
import * as h2spec from "./peers/h2spec.ts";
import * as jaeger from "./peers/jaeger.ts";
import * as javaSdk from "./peers/java_sdk.ts";
import * as javascriptSdk from "./peers/javascript_sdk.ts";
import * as linters from "./peers/linters.ts";
import * as nodeRapids from "./peers/node_rapids.ts";
import { cacheFolder, isSkipped, type Peer, type Skipped } from "./peers/peer.ts";
import * as pythonSdk from "./peers/python_sdk.ts";
import { publish, type Result } from "./report.ts";
import { exitOnSignals } from "./with_servers.ts";

const recipes: Readonly<Record<PeerName, () => Promise<Peer | Skipped>>> = {
  collector: ensureMinimal,
  collector_released: ensureReleased,
  go_sdk: goSdk.ensure,
  grpc_go: grpcLibraries.ensureGo,
  grpc_java: grpcLibraries.ensureJava,
  h2spec: h2spec.ensure,
  jaeger: jaeger.ensure,
  java_sdk: javaSdk.ensure,
  javascript_sdk: javascriptSdk.ensure,
  linters: linters.ensure,
  node_rapids: nodeRapids.ensure,
  python_sdk: pythonSdk.ensure,
  tonic: grpcLibraries.ensureTonic,
  telemetrygen: ensureTelemetrygen,
};

const checks: readonly Check[] = [
  sdks,
  grpcServers,
  telemetrygen,
  chains,
  answers,
  requests,
  cors,
  authenticators,
  commandLine,
  verdicts,
  exported,
  gateway,
  processors,
  sampler,
  batchSizes,
  debugText,
  backendCodes,
  backendOutages,
  leftQueues,
  jaegerTraces,
  sigterm,
  sighup,
  ownMetrics,
  ownSpans,
  figures,
  graphistry,
  packaging,
  engines,
  http2,
];

exitOnSignals();
const names = process.argv.slice(2);
const chosen = checks.filter(({ name }) => names.length === 0 || names.includes(name));
const peers = new Map<PeerName, Peer | Skipped>();
console.log(`Peers in ${cacheFolder()}`);
const results: Record<string, Result> = {};
for (const each of chosen) results[each.name] = await resultOf(each);
await publish(checks, results);
const failures = Object.values(results).flatMap(({ failure }) => failure ?? []);
for (const failure of failures) console.log(failure);
process.exitCode = chosen.length === 0 || failures.some((failure) => failure.startsWith("failed")) ? 1 : 0;

async function resultOf(each: Check): Promise<Result> {
  const began = performance.now();
  const found: Partial<Record<PeerName, Peer>> = {};
  const day = new Date().toISOString().slice(0, 10);
  for (const name of each.needs) {
    const peer = peers.get(name) ?? (await recipes[name]());
    peers.set(name, peer);
    if (isSkipped(peer)) {
      return { day, peers: [], findings: { rows: [] }, failure: `skipped ${each.name}: ${peer.skipped}` };
    }
    found[name] = peer;
  }
  const versions = Object.values(found).map(({ name, version }) => [name, version] as const);
  try {
    const findings = await each.run(found as Record<PeerName, Peer>);
    console.log(`passed  ${each.name}, ${Math.round((performance.now() - began) / 1000)} s`);
    for (const { peer, checked, result } of findings.rows) console.log(`        ${peer}: ${checked}: ${result}`);
    return { day, peers: versions, findings };
  } catch (error) {
    console.log(`failed  ${each.name}\n${error instanceof Error ? error.stack : String(error)}`);
    return { day, peers: versions, findings: { rows: [] }, failure: `failed ${each.name}` };
  }
}
