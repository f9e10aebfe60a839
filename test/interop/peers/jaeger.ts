import { cp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buildTimeoutMs, ensurePeer, goEnvironment, type Peer, run, type Skipped } from "./peer.ts";
import { freePorts, type RunningServer, runFolder, startServer } from "./server.ts";

const module = "github.com/jaegertracing/jaeger";
/** The v1 tag of the commit that is also v2.13.0; the module path has no `/v2`, so a v2 tag cannot be asked for. */
const version = "v1.76.0";

/**
 * Jaeger v2. Its `go.mod` has a `replace`, which `go install module@version` refuses, so the module's source is copied
 * out of the module cache and built there. The first build takes some minutes.
 */
export async function ensure(): Promise<Peer | Skipped> {
  return await ensurePeer({
    name: "jaeger",
    version: `jaeger ${version} (v2.13.0)`,
    tools: ["go"],
    executable: "jaeger",
    async install(folder) {
      const options = { cwd: folder, env: goEnvironment, timeoutMs: buildTimeoutMs };
      const download = JSON.parse(await run("go", ["mod", "download", "-json", `${module}@${version}`], options));
      const source = join(folder, "source");
      await cp(download.Dir, source, { recursive: true });
      await run("chmod", ["-R", "u+w", source]);
      const output = join(folder, "jaeger");
      const flags = ["-ldflags=-s -w", "-o", output];
      await run("go", ["build", ...flags, "./cmd/jaeger"], { ...options, cwd: source });
    },
  });
}

/** Where a started Jaeger listens, all on 127.0.0.1. */
export interface JaegerPorts {
  readonly grpcPort: number;
  readonly httpPort: number;
  /** The query API and the page over HTTP. */
  readonly queryPort: number;
  readonly healthPort: number;
}

/** A running Jaeger that keeps traces in memory. */
export interface Jaeger extends RunningServer, JaegerPorts {
  /** The stored trace, or undefined while Jaeger does not have it. */
  trace(traceId: string): Promise<JaegerTrace | undefined>;
  /** The newest traces of a service. */
  traces(service: string, limit?: number): Promise<JaegerTrace[]>;
  services(): Promise<string[]>;
}

/** Jaeger's own JSON for a trace, as far as tests read it. */
export interface JaegerTrace {
  readonly traceID: string;
  readonly spans: readonly JaegerSpan[];
  readonly processes: Record<string, { serviceName: string; tags: readonly JaegerTag[] }>;
}

/** One span; `startTime` and `duration` are microseconds. */
export interface JaegerSpan {
  readonly traceID: string;
  readonly spanID: string;
  readonly operationName: string;
  readonly references: readonly { refType: string; traceID: string; spanID: string }[];
  readonly startTime: number;
  readonly duration: number;
  readonly tags: readonly JaegerTag[];
  readonly logs: readonly { timestamp: number; fields: readonly JaegerTag[] }[];
  readonly processID: string;
}

/** An attribute; arrays come as JSON text. */
export interface JaegerTag {
  readonly key: string;
  readonly type: string;
  readonly value: string | number | boolean;
}

/** Starts Jaeger with storage in memory and waits for its health check. */
export async function start(peer: Peer, options: Partial<JaegerPorts> = {}): Promise<Jaeger> {
  const [grpcPort = 0, httpPort = 0, queryPort = 0, healthPort = 0, queryGrpcPort = 0] = await freePorts(5);
  const ports = { grpcPort, httpPort, queryPort, healthPort, ...options };
  const configFile = join(await runFolder("jaeger"), "config.yaml");
  await writeFile(configFile, configuration(ports, queryGrpcPort));
  const server = await startServer({
    name: "jaeger",
    executable: peer.executable,
    arguments: ["--config", configFile],
    healthUrl: `http://127.0.0.1:${ports.healthPort}/status`,
  });
  const ask = async <Data>(path: string): Promise<Data | undefined> =>
    await query<Data>(`http://127.0.0.1:${ports.queryPort}${path}`);
  return {
    ...server,
    ...ports,
    trace: async (traceId) => (await ask<JaegerTrace[]>(`/api/traces/${traceId}`))?.[0],
    traces: async (service, limit = 100) =>
      (await ask<JaegerTrace[]>(`/api/traces?service=${encodeURIComponent(service)}&limit=${limit}`)) ?? [],
    services: async () => (await ask<string[]>("/api/services")) ?? [],
  };
}

/** A 404 is Jaeger's answer for a trace it does not have (yet). */
async function query<Data>(url: string): Promise<Data | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  if (response.status === 404) {
    await response.arrayBuffer();
    return undefined;
  }
  if (!response.ok) throw new Error(`${url}: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { data: Data | null }).data ?? undefined;
}

function configuration(ports: JaegerPorts, queryGrpcPort: number): string {
  return `
service:
  extensions: [jaeger_storage, jaeger_query, healthcheckv2]
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [jaeger_storage_exporter] }
extensions:
  healthcheckv2: { use_v2: true, http: { endpoint: "127.0.0.1:${ports.healthPort}" } }
  jaeger_storage: { backends: { memory: { memory: { max_traces: 100000 } } } }
  jaeger_query:
    storage: { traces: memory }
    http: { endpoint: "127.0.0.1:${ports.queryPort}" }
    grpc: { endpoint: "127.0.0.1:${queryGrpcPort}" }
receivers:
  otlp:
    protocols:
      grpc: { endpoint: "127.0.0.1:${ports.grpcPort}" }
      http: { endpoint: "127.0.0.1:${ports.httpPort}" }
exporters:
  jaeger_storage_exporter: { trace_storage: memory }
`;
}
