import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { check, type Findings } from "../check.ts";
import { corpus, post } from "../corpus.ts";
import { startOtelpipe } from "../otelpipe.ts";
import { attributesOf, comparable, readItems } from "../otlp_items.ts";
import * as collector from "../peers/collector.ts";
import type { Peer } from "../peers/peer.ts";
import { eventually, freePorts } from "../peers/server.ts";

const configFile = new URL("../../../configs/gateway.yaml", import.meta.url);

/** `configs/gateway.yaml`, the file as it is, on a real Collector and on otelpipe, each before a Collector of its own. */
export const gateway = check({
  name: "gateway",
  needs: ["python_sdk", "go_sdk", "collector"],
  async run(peers): Promise<Findings> {
    const requests = await corpus(peers);
    const yaml = await readFile(configFile, "utf8");
    const theirs = await throughGateway(peers.collector, requests, async (environment, ports) => {
      return await collector.start(peers.collector, { ...ports, config: () => yaml, environment });
    });
    const ours = await throughGateway(peers.collector, requests, async (environment, ports) => {
      const otelpipe = await startOtelpipe(() => yaml, environment);
      return { ...otelpipe, ...ports };
    });
    assert.ok(theirs.length > 0);
    assert.deepEqual(ours, theirs);
    return {
      rows: [
        {
          peer: "Collector, same config",
          checked: "configs/gateway.yaml unchanged: starts, stamps, batches, sends on over gRPC",
          result: `${theirs.length} items equal`,
        },
      ],
    };
  },
});

type Ports = collector.CollectorPorts;
type Start = (
  environment: Record<string, string>,
  ports: Ports,
) => Promise<{ httpPort: number; stop(): Promise<unknown> }>;

/** What a backend behind the gateway receives. */
async function throughGateway(
  peer: Peer,
  requests: Awaited<ReturnType<typeof corpus>>,
  start: Start,
): Promise<string[]> {
  const backend = await collector.start(peer);
  try {
    const [grpcPort = 0, httpPort = 0, healthPort = 0, metricsPort = 0] = await freePorts(4);
    const environment = {
      GATEWAY_HOST: "127.0.0.1",
      GATEWAY_NAME: "interop",
      BACKEND_ENDPOINT: `127.0.0.1:${backend.grpcPort}`,
      OTELPIPE_GRPC_PORT: `${grpcPort}`,
      OTELPIPE_HTTP_PORT: `${httpPort}`,
      OTELPIPE_HEALTH_PORT: `${healthPort}`,
      OTELPIPE_METRICS_PORT: `${metricsPort}`,
    };
    const running = await start(environment, { grpcPort, httpPort, healthPort });
    try {
      await post(httpPort, requests);
    } finally {
      await running.stop();
    }
    const items = await eventually(async () => {
      const received = await readItems(backend.outputFile);
      return new Set(received.map(({ signal }) => signal)).size === 3 ? received : undefined;
    });
    for (const { resource } of items) assert.equal(attributesOf(resource)["collector.gateway"], "interop");
    return comparable(items);
  } finally {
    await backend.stop();
  }
}
