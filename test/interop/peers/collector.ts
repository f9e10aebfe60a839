import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Peer } from "./peer.ts";
import { freePorts, type RunningServer, runFolder, startServer } from "./server.ts";

/** Where a started Collector listens, all on 127.0.0.1. */
export interface CollectorPorts {
  readonly grpcPort: number;
  readonly httpPort: number;
  readonly healthPort: number;
}

/** A running Collector. */
export interface Collector extends RunningServer, CollectorPorts {
  /** Where the default configuration writes what it received, one OTLP/JSON request a line. */
  readonly outputFile: string;
}

/** Ports to take instead of free ones, and a configuration instead of `receiveToFile`. */
export interface CollectorOptions extends Partial<CollectorPorts> {
  /** Gives the YAML; it must enable `health_check` on `healthPort` for readiness to be seen. */
  readonly config?: (ports: CollectorPorts, outputFile: string) => string;
  readonly environment?: NodeJS.ProcessEnv;
}

/** Starts the Collector and waits for its health check. */
export async function start(peer: Peer, options: CollectorOptions = {}): Promise<Collector> {
  const [grpc = 0, http = 0, health = 0] = await freePorts(3);
  const ports = {
    grpcPort: options.grpcPort ?? grpc,
    httpPort: options.httpPort ?? http,
    healthPort: options.healthPort ?? health,
  };
  const folder = await runFolder("collector");
  const outputFile = join(folder, "received.jsonl");
  const configFile = join(folder, "config.yaml");
  await writeFile(configFile, (options.config ?? receiveToFile)(ports, outputFile));
  const server = await startServer({
    name: "collector",
    executable: peer.executable,
    arguments: ["--config", configFile],
    healthUrl: `http://127.0.0.1:${ports.healthPort}/`,
    ...(options.environment === undefined ? {} : { environment: options.environment }),
  });
  return { ...server, ...ports, outputFile };
}

/** A configuration that takes OTLP over gRPC and HTTP and appends every signal to one file. */
export function receiveToFile(ports: CollectorPorts, outputFile: string): string {
  const pipeline = "{ receivers: [otlp], exporters: [file] }";
  return `
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${ports.grpcPort}" }
      http: { endpoint: "127.0.0.1:${ports.httpPort}" }
exporters:
  file: { path: ${JSON.stringify(outputFile)}, flush_interval: 100ms }
extensions:
  health_check: { endpoint: "127.0.0.1:${ports.healthPort}" }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines: { traces: ${pipeline}, metrics: ${pipeline}, logs: ${pipeline} }
`;
}
