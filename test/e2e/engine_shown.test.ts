import assert from "node:assert/strict";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { traceRequest } from "../pipeline/frame/wire_writer.ts";
import { Daemon } from "../support/daemon.ts";

const aggregate = "{ window: 1s, allowed_lateness: 0s, engine: { type: rapids, python: /nowhere/python3 } }";

const yaml = `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
processors: { aggregate/passing: ${aggregate} }
connectors: { aggregate: ${aggregate} }
exporters: { nop: }
extensions: { dashboard: { endpoint: "localhost:0" } }
service:
  extensions: [dashboard]
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: localhost, port: 0 } } } }] } }
  pipelines:
    traces: { receivers: [otlp], processors: [aggregate/passing], exporters: [aggregate] }
    metrics: { receivers: [aggregate], exporters: [nop] }
`;

// Scenario: the engine that a config names cannot start; a window closes.
// Guarantees: log, metric and dashboard say that cpu computed it, and why, of the processor and of the connector.
it("says in the log, a metric and the dashboard which engine computed and why", async () => {
  const daemon = await Daemon.start({ yaml });
  await daemon.waitFor("The aggregation engine is lost", 2);
  for (const secondsAgo of [100, 50]) await send(daemon, secondsAgo);
  const dashboard = dashboardOf(daemon);
  let facts = await factsOf(dashboard);
  while (facts.filter((text) => /^computed by: cpu \d \(cannot_start\)$/.test(text)).length < 2) {
    await delay(20);
    facts = await factsOf(dashboard);
  }
  const engine = "engine: cpu (rapids: spawn /nowhere/python3 ENOENT)";
  assert.deepEqual(
    facts.filter((text) => text === engine),
    [engine, engine],
  );
  const lost = daemon.lines().find(({ message }) => message.startsWith("The aggregation engine is lost"));
  assert.deepEqual([lost?.fields["used"], lost?.fields["reason"]], ["cpu", "cannot_start"]);
  const metrics = await (await fetch(`http://${daemon.address("Serving metrics")}/metrics`)).text();
  assert.match(metrics, /^otelpipe_aggregate_windows(_total)?\{.*engine="cpu".*reason="cannot_start".*\} [12]$/m);
  assert.equal((await daemon.stop()).code, 0);
});

async function send(daemon: Daemon, secondsAgo: number): Promise<void> {
  const endUnixNano = BigInt(Date.now() - secondsAgo * 1000) * 1_000_000n;
  const span = { endUnixNano, durationNano: 1e6, status: 1, model: "gemma", tokens: 7 };
  const body = new Uint8Array(traceRequest("service", [span]));
  const headers = { "content-type": "application/x-protobuf" };
  assert.equal((await fetch(`${daemon.http}/v1/traces`, { method: "POST", headers, body })).status, 200);
}

/** The facts of all nodes as the page gets them. */
async function factsOf(dashboard: string): Promise<readonly string[]> {
  const state = await (await fetch(`http://${dashboard}/api/state`)).json();
  const { nodes } = state as { nodes: { facts: { label: string; text: string }[] }[] };
  return nodes.flatMap(({ facts }) => facts.map(({ label, text }) => `${label}: ${text}`));
}

function dashboardOf(daemon: Daemon): string {
  const line = daemon.lines().find(({ caller }) => caller === "extension/dashboard");
  return new URL(String(line?.fields["url"])).host;
}
