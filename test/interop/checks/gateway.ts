import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { check, type Findings } from "../check.ts";
import { corpus, post, type Request } from "../corpus.ts";
import { startOtelpipe } from "../otelpipe.ts";
import { attributesOf, comparable, readItems } from "../otlp_items.ts";
import * as collector from "../peers/collector.ts";
import type { Peer } from "../peers/peer.ts";
import { freePorts } from "../peers/server.ts";
import { withServers } from "../with_servers.ts";

const configFile = new URL("../../../configs/gateway.yaml", import.meta.url);

/** `configs/gateway.yaml`, the file as it is, on a real Collector and on otelpipe, each before a Collector of its own. */
export const gateway = check({
  name: "gateway",
  area: "Data: processors and samplers",
  needs: ["python_sdk", "go_sdk", "collector"],
  async run(peers): Promise<Findings> {
    const requests = await corpus(peers);
    const yaml = await readFile(configFile, "utf8");
    const theirs = await throughGateway(peers.collector, requests, async (environment, ports) => {
      return await collector.start(peers.collector, { ...ports, config: () => yaml, environment });
    });
    const ours = await throughGateway(peers.collector, requests, async (environment) => {
      return await startOtelpipe(() => yaml, environment);
    });
    assert.equal(new Set(theirs.map((item) => JSON.parse(item).signal)).size, 3);
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
type Start = (environment: Record<string, string>, ports: Ports) => Promise<{ stop(): Promise<unknown> }>;

/** What a backend behind the gateway receives; both are stopped, and so drained, before its file is read. */
async function throughGateway(peer: Peer, requests: readonly Request[], start: Start): Promise<string[]> {
  const received = await withServers(async (started) => {
    const backend = started(await collector.start(peer));
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
    started(await start(environment, { grpcPort, httpPort, healthPort }));
    await post(httpPort, requests);
    return backend.outputFile;
  });
  const items = await readItems(received);
  for (const { resource } of items) assert.equal(attributesOf(resource)["collector.gateway"], "interop");
  return comparable(items);
}
