/**
 * Installs the real peers and, with `prove`, shows that each works: `node test/interop/peers/main.ts [prove] [names]`.
 */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import * as collector from "./collector.ts";
import { buildNotes, ensureMinimal, ensureReleased, ensureTelemetrygen } from "./collector_builds.ts";
import { ensureContrib } from "./contrib_list.ts";
import * as goSdk from "./go_sdk.ts";
import * as jaeger from "./jaeger.ts";
import * as javaSdk from "./java_sdk.ts";
import * as javascriptSdk from "./javascript_sdk.ts";
import * as llamaServer from "./llama_server.ts";
import { cacheFolder, isSkipped, type Peer, type Skipped } from "./peer.ts";
import * as pythonSdk from "./python_sdk.ts";
import type { SendOptions, Sent } from "./sent.ts";
import { eventually } from "./server.ts";

const recipes: Record<string, () => Promise<Peer | Skipped>> = {
  python_sdk: pythonSdk.ensure,
  go_sdk: goSdk.ensure,
  java_sdk: javaSdk.ensure,
  javascript_sdk: javascriptSdk.ensure,
  llama_server: llamaServer.ensure,
  collector: ensureMinimal,
  collector_released: ensureReleased,
  collector_contrib: ensureContrib,
  telemetrygen: ensureTelemetrygen,
  jaeger: jaeger.ensure,
};

const words = process.argv.slice(2);
const names = words.filter((word) => word !== "prove");
const peers: Record<string, Peer> = {};
console.log(`Peers in ${cacheFolder()}`);
for (const note of buildNotes) console.log(note);
for (const [name, ensure] of Object.entries(recipes)) {
  if (names.length > 0 && !names.includes(name)) continue;
  const began = Date.now();
  const peer = await ensure();
  console.log(
    isSkipped(peer) ? `skipped ${peer.skipped}` : `ready   ${name} (${peer.version}), ${Date.now() - began} ms`,
  );
  if (!isSkipped(peer)) peers[name] = peer;
}
if (words.includes("prove")) await prove();

async function prove(): Promise<void> {
  const { python_sdk, go_sdk, llama_server } = peers;
  const senders = [
    ...(python_sdk ? [(options: SendOptions) => pythonSdk.send(python_sdk, options)] : []),
    ...(go_sdk ? [(options: SendOptions) => goSdk.send(go_sdk, options)] : []),
  ];
  for (const name of ["collector", "collector_released"]) {
    const peer = peers[name];
    if (peer) await proveCollector(peer, senders);
  }
  if (peers["jaeger"]) await proveJaeger(peers["jaeger"], senders);
  if (llama_server) await proveLlamaServer(llama_server);
}

type Sender = (options: SendOptions) => Promise<Sent>;

async function proveCollector(peer: Peer, senders: readonly Sender[]): Promise<void> {
  const running = await collector.start(peer);
  try {
    for (const options of waysTo(running.grpcPort, running.httpPort)) {
      for (const send of senders) {
        const sent = await send(options);
        await eventually(async () => {
          const received = await readFile(running.outputFile, "utf8");
          const has = [sent.traceId, ...sent.spanIds].every((id) => received.includes(id));
          return has && received.includes("peer.requests") && received.includes("logRecords") ? true : undefined;
        });
        console.log(`collector received ${describe(sent, options)}`);
      }
    }
  } finally {
    await running.stop();
  }
}

async function proveJaeger(peer: Peer, senders: readonly Sender[]): Promise<void> {
  const running = await jaeger.start(peer);
  try {
    for (const options of waysTo(running.grpcPort, running.httpPort)) {
      for (const send of senders) {
        const sent = await send({ ...options, signals: "traces" });
        const trace = await eventually(async () => {
          const found = await running.trace(sent.traceId);
          return found?.spans.length === sent.spanIds.length ? found : undefined;
        });
        assert.deepEqual(trace.spans.map((span) => span.spanID).sort(), sent.spanIds.toSorted());
        console.log(`jaeger read back ${describe(sent, options)}`);
      }
    }
  } finally {
    await running.stop();
  }
}

async function proveLlamaServer(peer: Peer): Promise<void> {
  const running = await llamaServer.start(peer);
  try {
    const response = await fetch(`${running.url}/v1/chat/completions`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ messages: [{ role: "user", content: "What is CUDA?" }], max_tokens: 16 }),
      signal: AbortSignal.timeout(60_000),
    });
    const answer = (await response.json()) as { model: string; usage: Record<string, unknown> };
    console.log(`llama-server answered: ${answer.model} ${JSON.stringify(answer.usage)}`);
  } finally {
    await running.stop();
  }
}

function waysTo(grpcPort: number, httpPort: number): SendOptions[] {
  return (["none", "gzip"] as const).flatMap((compression) => [
    { protocol: "grpc", endpoint: `127.0.0.1:${grpcPort}`, compression },
    { protocol: "http", endpoint: `http://127.0.0.1:${httpPort}`, compression },
  ]);
}

function describe(sent: Sent, options: SendOptions): string {
  return `${sent.spanIds.length} spans of ${sent.service} over ${options.protocol}, compression ${options.compression}`;
}
