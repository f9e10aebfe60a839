import assert from "node:assert/strict";
import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { Agent, request } from "node:http";
import { type ClientHttp2Session, connect } from "node:http2";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Client, credentials } from "@grpc/grpc-js";
import { Daemon } from "../support/daemon.ts";
import { freePort } from "../support/free_port.ts";
import { seededRandom } from "../support/simulated_host.ts";
import { startTraceSink } from "../support/trace_sink.ts";
import { someSpans, spanNames } from "../support/traces.ts";

const path = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** What of the configuration an edit may change. */
interface Parts {
  sink: string;
  workers: number;
  grpc: number;
  http: number;
  moving: number;
  directory: string;
  batch: string;
  exporter: string;
  exporterSettings: string;
  processors: string;
  way: string;
  storage: string;
  movingSettings: string;
  more: string;
  level: string;
  health: string;
  wrong: string;
}

const configOf = (parts: Parts) => `
receivers:
  otlp:
    protocols: { grpc: { endpoint: "localhost:${parts.grpc}" }, http: { endpoint: "localhost:${parts.http}" } }
  otlp/moving: { protocols: { grpc: { endpoint: "127.0.0.1:${parts.moving}" ${parts.movingSettings} } } }
processors:
  batch: { timeout: ${parts.batch}, send_batch_size: 200 }
  resource: { attributes: [{ key: a, value: b, action: upsert }] }
  memory_limiter: { check_interval: 1s, limit_mib: 4000 }
connectors:
  forward: {}
exporters:
  nop: {}
  ${parts.exporter}:
    endpoint: ${parts.sink}
    compression: none
    retry_on_failure: { initial_interval: 5ms, max_interval: 20ms }
    sending_queue: { queue_size: 100000, num_consumers: 4 ${parts.storage} }
    ${parts.exporterSettings}
extensions:
  file_storage: { directory: ${parts.directory}, fsync: false }
  health_check: { endpoint: "localhost:0" ${parts.health} }
service:
  ${parts.workers > 1 ? `workers: ${parts.workers}` : ""}
  extensions: [file_storage, health_check]
  telemetry: { metrics: { level: none }, logs: { level: ${parts.level}, sampling: { enabled: false } } }
  pipelines:
    traces: { receivers: [otlp, otlp/moving], processors: [${parts.processors}], exporters: [${parts.way}] }
${parts.way === "forward" ? `    traces/out: { receivers: [forward], exporters: [${parts.exporter}] }` : ""}
${parts.more}
${parts.wrong}
`;

type Edit = (parts: Parts, random: () => number) => Partial<Parts>;

const other = (present: string, one: string, two: string) => (present === one ? two : one);

/** One kind of change each; the last two are refused. */
const edits: Readonly<Record<string, Edit>> = {
  batch: (_, random) => ({ batch: `${5 + Math.floor(random() * 40)}ms` }),
  processors: ({ processors }) => ({
    processors: other(processors, "memory_limiter, batch", "memory_limiter, resource, batch"),
  }),
  order: ({ processors }) => ({ processors: other(processors, "batch, resource", "resource, batch") }),
  unbatched: () => ({ processors: "memory_limiter" }),
  exporterName: ({ exporter, way }) => {
    const next = other(exporter, "otlp_http", "otlp_http/other");
    return { exporter: next, way: way === "forward" ? way : next };
  },
  exporterSettings: ({ exporterSettings }) => ({
    exporterSettings: other(exporterSettings, "headers: { a: one }", "headers: { a: two }"),
  }),
  storage: ({ storage }) => ({ storage: other(storage, "", ", storage: file_storage") }),
  connector: ({ way, exporter }) => ({ way: way === "forward" ? exporter : "forward" }),
  signals: ({ more }) => ({ more: other(more, "", "    logs: { receivers: [otlp], exporters: [nop] }") }),
  receiver: ({ movingSettings }) => ({ movingSettings: other(movingSettings, "", ", max_recv_msg_size_mib: 8") }),
  level: ({ level }) => ({ level: other(level, "info", "debug") }),
  extension: ({ health }) => ({ health: other(health, "", ", path: /health") }),
  misspelt: () => ({ wrong: "recievers: {}" }),
  portInUse: () => ({
    wrong: "",
    more: "    traces/more: { receivers: [otlp/taken], exporters: [nop] }",
  }),
};

export interface ReloadReport {
  readonly reloads: number;
  readonly refusedConfigs: number;
  /** Spans that were answered with success. */
  readonly acknowledged: number;
  readonly spansPerSecond: number;
  /** Requests that were not. */
  readonly refused: number;
  readonly lost: number;
  /** Spans that the sink took more than once. */
  readonly duplicates: number;
  /** TCP connections to the receiver that no edit concerns: one per sender that keeps its own. */
  readonly connections: number;
  readonly longestReloadMs: number;
}

/** What three senders send at a time each, how often, and how long it is between two changes at most. */
export interface Load {
  readonly spans: number;
  readonly periodMs: number;
  readonly restMs: number;
}

const light: Load = { spans: 5, periodMs: 4, restMs: 30 };

/**
 * Changes the configuration of an otelpipe under load `reloads` times: gRPC and HTTP over one connection each to a receiver
 * that no edit concerns, and gRPC to one whose settings change on the same port. Every edit is one of 14 kinds. With more
 * than one of `workers`, some of them move components from these to the main thread and back.
 */
export async function reloadLoop(reloads: number, seed: number, load = light, workers = 1): Promise<ReloadReport> {
  const random = seededRandom(seed);
  const sink = await startTraceSink();
  const directory = mkdtempSync(join(tmpdir(), "otelpipe-reload-"));
  const file = join(directory, "pipeline.yaml");
  let parts: Parts = {
    sink: sink.endpoint,
    workers,
    grpc: await freePort(),
    http: await freePort(),
    moving: await freePort(),
    directory,
    batch: "10ms",
    exporter: "otlp_http",
    exporterSettings: "",
    processors: "memory_limiter, batch",
    way: "otlp_http",
    storage: "",
    movingSettings: "",
    more: "",
    level: "info",
    health: "",
    wrong: "",
  };
  const write = (next: Parts, text = configOf(next)) => {
    writeFileSync(`${file}.new`, text);
    renameSync(`${file}.new`, file);
  };
  write(parts);
  const daemon = await Daemon.start({ args: ["--config", file] });
  const senders = [
    grpcOverOneConnection(daemon.grpc),
    httpOverOneConnection(daemon.http),
    grpcClient(`127.0.0.1:${parts.moving}`),
  ];
  const acknowledged: string[] = [];
  let refused = 0;
  let running = true;
  const startedMs = performance.now();
  const sending = senders.map(async ({ send, name }) => {
    const beganMs = performance.now();
    for (let request = 0; running; request++) {
      const traces = someSpans(load.spans, `${name}-${request}`);
      if (await send(traces.toBuffer())) acknowledged.push(...spanNames(traces));
      else refused += 1;
      await delay(Math.max(1, beganMs + (request + 1) * load.periodMs - performance.now()));
    }
  });

  let refusedConfigs = 0;
  let longestReloadMs = 0;
  const kinds = Object.keys(edits);
  for (let reload = 1; reload <= reloads; reload++) {
    const kind = kinds[Math.floor(random() * kinds.length)] ?? "batch";
    const next = { ...parts, ...edits[kind]?.(parts, random) };
    const isWrong = kind === "misspelt" || kind === "portInUse";
    const taken = `  otlp/taken: { protocols: { http: { endpoint: "127.0.0.1:${parts.moving}" } } }\nprocessors:`;
    write(next, kind === "portInUse" ? configOf(next).replace("processors:", taken) : configOf(next));
    const beforeMs = performance.now();
    daemon.signal("SIGHUP");
    const verdict = await verdictOf(daemon, reload);
    longestReloadMs = Math.max(longestReloadMs, performance.now() - beforeMs);
    assert.equal(verdict, isWrong ? "refused" : "applied", `${kind}: ${daemon.log.slice(-3000)}`);
    if (isWrong) refusedConfigs += 1;
    else parts = next;
    await delay(random() * load.restMs);
  }
  running = false;
  await Promise.all(sending);
  const seconds = (performance.now() - startedMs) / 1000;
  const { code, books } = await daemon.stop();
  assert.equal(code, 0);
  for (const [node, { dropped }] of Object.entries(books)) assert.deepEqual(dropped, {}, `${node} dropped`);
  sink.close();
  for (const { close } of senders) close();
  return {
    reloads,
    refusedConfigs,
    acknowledged: acknowledged.length,
    spansPerSecond: Math.round(acknowledged.length / seconds),
    refused,
    lost: acknowledged.filter((name) => !sink.taken.has(name)).length,
    duplicates: [...sink.taken.values()].filter((count) => count > 1).length,
    connections: senders.reduce((sum, { connections }) => sum + connections(), 0),
    longestReloadMs: Math.round(longestReloadMs),
  };
}

const verdicts = /The configuration was (?:changed while running|read again)|The new configuration was refused/g;

async function verdictOf(daemon: Daemon, count: number): Promise<"applied" | "refused"> {
  for (;;) {
    const found = daemon.log.match(verdicts) ?? [];
    if (found.length >= count) return found[count - 1]?.includes("refused") === true ? "refused" : "applied";
    await delay(2);
  }
}

interface Sender {
  readonly name: string;
  /** Whether the request was answered with success. */
  send(body: Buffer): Promise<boolean>;
  /** How many connections it has had, when it counts them. */
  connections(): number;
  close(): void;
}

/** gRPC written by hand, so that no library hides a second connection. */
function grpcOverOneConnection(address: string): Sender {
  let count = 0;
  let session: ClientHttp2Session | undefined;
  const open = () => {
    count += 1;
    session = connect(`http://${address}`);
    session.on("error", () => {}).on("close", () => (session = undefined));
    return session;
  };
  const send = (body: Buffer) =>
    new Promise<boolean>((resolve) => {
      const stream = (session ?? open()).request({
        ":method": "POST",
        ":path": path,
        "content-type": "application/grpc",
        te: "trailers",
      });
      let status = "";
      const read = (headers: Readonly<Record<string, unknown>>) =>
        void (status = String(headers["grpc-status"] ?? status));
      stream
        .on("response", read)
        .on("trailers", read)
        .on("error", () => {});
      stream.on("close", () => resolve(status === "0")).resume();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(body.length, 1);
      stream.end(Buffer.concat([head, body]));
    });
  return { name: "grpc", send, connections: () => count, close: () => session?.destroy() };
}

function httpOverOneConnection(url: string): Sender {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  const send = (body: Buffer) =>
    new Promise<boolean>((resolve) => {
      const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
      const posted = request(`${url}/v1/traces`, { method: "POST", agent, headers }, (response) => {
        ports.add(response.socket.localPort);
        response.resume().on("end", () => resolve(response.statusCode === 200));
      });
      posted.on("error", () => resolve(false)).end(body);
    });
  return { name: "http", send, connections: () => ports.size, close: () => agent.destroy() };
}

/** A library's client: it may be told to connect anew, and must not lose a call for that. */
function grpcClient(address: string): Sender {
  const client = new Client(address, credentials.createInsecure());
  const same = (bytes: Buffer) => bytes;
  const send = (body: Buffer) =>
    new Promise<boolean>((resolve) => {
      client.makeUnaryRequest(path, same, same, body, (error) => resolve(error === null));
    });
  return { name: "moving", send, connections: () => 0, close: () => client.close() };
}
