import assert from "node:assert/strict";
import { join } from "node:path";
import { check, type Findings, type Row } from "../check.ts";
import { corpus, post } from "../corpus.ts";
import { startOtelpipe } from "../otelpipe.ts";
import { comparable, readItems } from "../otlp_items.ts";
import * as collector from "../peers/collector.ts";
import type { Peer } from "../peers/peer.ts";
import { eventually, freePorts, runFolder } from "../peers/server.ts";
import { withServers } from "../with_servers.ts";

/** One way from the first program to the second: an exporter there, a receiver and a file here. */
interface Way {
  readonly name: string;
  readonly exporter: "otlp" | "otlphttp";
  readonly settings: string;
  readonly port: number;
  readonly file: string;
}

/**
 * The same requests through a real Collector into otelpipe, and through otelpipe into a real Collector, over every
 * protocol and compression at once. What comes out must be what the Collector alone makes of them.
 */
export const chains = check({
  name: "chains",
  area: "Data: what leaves over otlp and otlp_http",
  needs: ["python_sdk", "go_sdk", "collector"],
  async run(peers): Promise<Findings> {
    const requests = await corpus(peers);
    const received = await withServers(async (started) => {
      const alone = started(await collector.start(peers.collector));
      await post(alone.httpPort, requests);
      return alone.outputFile;
    });
    const expected = comparable(await readItems(received));
    const inFront = await collectorInFront(peers.collector, requests, expected);
    const behind = await collectorBehind(peers.collector, requests, expected);
    return { rows: [...inFront, ...behind] };
  },
});

type Requests = Awaited<ReturnType<typeof corpus>>;

async function collectorInFront(peer: Peer, requests: Requests, expected: string[]) {
  const ways = await makeWays(everyWay);
  return await withServers(async (started) => {
    started(await startOtelpipe((ports) => secondConfig(ports, ways)));
    const first = started(await collector.start(peer, { config: (ports) => firstConfig(ports, ways) }));
    await post(first.httpPort, requests);
    return await compareWays(ways, expected, "Collector in front of otelpipe");
  });
}

async function collectorBehind(peer: Peer, requests: Requests, expected: string[]) {
  const ways = await makeWays(everyWay);
  return await withServers(async (started) => {
    started(await collector.start(peer, { config: (ports) => secondConfig(ports, ways) }));
    const first = started(await startOtelpipe((ports) => firstConfig(ports, ways)));
    await post(first.httpPort, requests);
    return await compareWays(ways, expected, "Collector behind otelpipe");
  });
}

type Kind = Pick<Way, "name" | "exporter" | "settings">;

const everyWay: readonly Kind[] = [
  { name: "gRPC, gzip", exporter: "otlp", settings: "compression: gzip, tls: { insecure: true }" },
  { name: "gRPC, none", exporter: "otlp", settings: "compression: none, tls: { insecure: true }" },
  { name: "gRPC, snappy", exporter: "otlp", settings: "compression: snappy, tls: { insecure: true }" },
  { name: "gRPC, zstd", exporter: "otlp", settings: "compression: zstd, tls: { insecure: true }" },
  { name: "HTTP, protobuf, gzip", exporter: "otlphttp", settings: "compression: gzip" },
  { name: "HTTP, protobuf, none", exporter: "otlphttp", settings: "compression: none" },
  { name: "HTTP, protobuf, zstd", exporter: "otlphttp", settings: "compression: zstd" },
  { name: "HTTP, protobuf, deflate", exporter: "otlphttp", settings: "compression: deflate" },
  { name: "HTTP, protobuf, zlib", exporter: "otlphttp", settings: "compression: zlib" },
  { name: "HTTP, protobuf, snappy", exporter: "otlphttp", settings: "compression: snappy" },
  { name: "HTTP, protobuf, framed snappy", exporter: "otlphttp", settings: "compression: x-snappy-framed" },
  { name: "HTTP, protobuf, lz4", exporter: "otlphttp", settings: "compression: lz4" },
  { name: "HTTP, JSON, gzip", exporter: "otlphttp", settings: "encoding: json, compression: gzip" },
  { name: "HTTP, JSON, none", exporter: "otlphttp", settings: "encoding: json, compression: none" },
];

async function makeWays(kinds: readonly Kind[]): Promise<Way[]> {
  const ports = await freePorts(kinds.length);
  const folder = await runFolder("ways");
  return kinds.map((kind, index) => ({
    ...kind,
    port: ports[index] ?? 0,
    file: join(folder, `way${index}.jsonl`),
  }));
}

function firstConfig(ports: collector.CollectorPorts, ways: readonly Way[]): string {
  const exporters = ways.map(({ exporter, settings, port }, index) => {
    const endpoint = exporter === "otlp" ? `127.0.0.1:${port}` : `http://127.0.0.1:${port}`;
    return `  ${exporter}/${index}: { endpoint: "${endpoint}", ${settings} }`;
  });
  const ids = ways.map(({ exporter }, index) => `${exporter}/${index}`).join(", ");
  return config(
    ports,
    `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${ports.httpPort}" } } }
exporters:
${exporters.join("\n")}`,
    ["traces", "metrics", "logs"].map((signal) => `${signal}: { receivers: [otlp], exporters: [${ids}] }`),
  );
}

function secondConfig(ports: collector.CollectorPorts, ways: readonly Way[]): string {
  const receivers = ways.map(({ exporter, port }, index) => {
    const protocol = exporter === "otlp" ? "grpc" : "http";
    return `  otlp/${index}: { protocols: { ${protocol}: { endpoint: "127.0.0.1:${port}" } } }`;
  });
  const files = ways.map(
    ({ file }, index) => `  file/${index}: { path: ${JSON.stringify(file)}, flush_interval: 100ms }`,
  );
  return config(
    ports,
    `receivers:\n${receivers.join("\n")}\nexporters:\n${files.join("\n")}`,
    ways.flatMap((_, index) =>
      ["traces", "metrics", "logs"].map(
        (signal) => `${signal}/${index}: { receivers: [otlp/${index}], exporters: [file/${index}] }`,
      ),
    ),
  );
}

function config({ healthPort }: collector.CollectorPorts, components: string, pipelines: readonly string[]): string {
  return `${components}
extensions:
  health_check: { endpoint: "127.0.0.1:${healthPort}" }
service:
  extensions: [health_check]
  telemetry: { metrics: { level: none } }
  pipelines:
${pipelines.map((line) => `    ${line}`).join("\n")}
`;
}

async function compareWays(ways: readonly Way[], expected: string[], peer: string): Promise<Row[]> {
  const rows: Row[] = [];
  for (const { name, file } of ways) {
    await eventually(async () => (await readItems(file)).length >= expected.length || undefined, 60_000).catch(
      () => {},
    );
    assert.deepEqual(comparable(await readItems(file)), expected, `${peer}, ${name}`);
    rows.push({ peer, checked: name, result: `${expected.length} items equal` });
  }
  return rows;
}
