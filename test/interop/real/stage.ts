import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Daemon, type Stopped } from "../../support/daemon.ts";
import { demoAccount, GraphistryServer } from "../../support/graphistry_server/server.ts";
import * as collector from "../peers/collector.ts";
import { ensureMinimal } from "../peers/collector_builds.ts";
import * as jaeger from "../peers/jaeger.ts";
import * as llamaServer from "../peers/llama_server.ts";
import { isSkipped, type Peer, type Skipped } from "../peers/peer.ts";
import * as pythonSdk from "../peers/python_sdk.ts";
import { freePorts, runFolder } from "../peers/server.ts";
import type { Started } from "../with_servers.ts";

const configFile = fileURLToPath(new URL("../../../configs/llm-observability.yaml", import.meta.url));

/** The peers of the demonstration, installed. */
export interface Peers {
  readonly llama: Peer;
  readonly jaeger: Peer;
  readonly collector: Peer;
  readonly python: Peer;
}

/** Installs what is missing, or says why it cannot. */
export async function ensurePeers(): Promise<Peers | Skipped> {
  const found = {
    llama: await llamaServer.ensure(),
    jaeger: await jaeger.ensure(),
    collector: await ensureMinimal(),
    python: await pythonSdk.ensure(),
  };
  const missing = Object.values(found).flatMap((peer) => (isSkipped(peer) ? [peer.skipped] : []));
  return missing.length > 0 ? { skipped: missing.join("; ") } : (found as Peers);
}

/** Everything that runs, from the model to Jaeger. */
export interface Stage {
  readonly llama: llamaServer.LlamaServer;
  readonly jaeger: jaeger.Jaeger;
  readonly downstream: collector.Collector;
  readonly graphistry: GraphistryServer;
  readonly daemon: Daemon;
  /** `http://127.0.0.1:…` of otelpipe's gRPC receiver. */
  readonly otlp: string;
  readonly figureFolder: string;
  readonly graphFolder: string;
  /** Stops otelpipe alone, and so drains it; its books must balance. Safe to call twice. */
  drain(): Promise<Stopped>;
}

/**
 * Starts the peers, then otelpipe on `configs/llm-observability.yaml` as it is: everything that differs from a user's
 * machine comes through the variables that the file names.
 */
export async function startStage(peers: Peers, started: Started): Promise<Stage> {
  const llama = started(await llamaServer.start(peers.llama, { router: true, contextTokens: 512, slots: 2 }));
  const backend = started(await jaeger.start(peers.jaeger));
  const downstream = started(await collector.start(peers.collector));
  const graphistry = started(await GraphistryServer.start());
  const folder = await runFolder("real");
  const [grpcPort = 0, httpPort = 0, healthPort = 0, dashboardPort = 0, metricsPort = 0] = await freePorts(5);
  const folders = { figureFolder: join(folder, "figures"), graphFolder: join(folder, "graph") };
  const daemon = await Daemon.start({
    args: ["--config", configFile],
    env: {
      OTELPIPE_GRPC_PORT: `${grpcPort}`,
      OTELPIPE_HTTP_PORT: `${httpPort}`,
      OTELPIPE_HEALTH_PORT: `${healthPort}`,
      OTELPIPE_DASHBOARD_PORT: `${dashboardPort}`,
      OTELPIPE_METRICS_PORT: `${metricsPort}`,
      DEPLOYMENT_ENVIRONMENT: "demonstration",
      JAEGER_ENDPOINT: `127.0.0.1:${backend.grpcPort}`,
      DOWNSTREAM_ENDPOINT: `http://127.0.0.1:${downstream.httpPort}`,
      FIGURE_DIRECTORY: folders.figureFolder,
      GRAPH_DIRECTORY: folders.graphFolder,
      GRAPHISTRY_SERVER: graphistry.url,
      GRAPHISTRY_USERNAME: demoAccount.username,
      GRAPHISTRY_PASSWORD: demoAccount.password,
    },
  });
  let draining: Promise<Stopped> | undefined;
  const stop = (): Promise<Stopped> => {
    draining ??= daemon.stop();
    return draining;
  };
  started({ stop });
  const otlp = `http://127.0.0.1:${grpcPort}`;
  return { llama, jaeger: backend, downstream, graphistry, daemon, otlp, ...folders, drain: stop };
}
