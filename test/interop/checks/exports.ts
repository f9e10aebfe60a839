import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { zstdDecompressSync } from "node:zlib";
import { oracleType } from "../../pipeline/pdata/oracle/protobuf.ts";
import { Daemon } from "../../support/daemon.ts";
import { Backend, type Received } from "../backend.ts";
import { check, type Findings } from "../check.ts";
import { oddCorpus, post } from "../corpus.ts";
import { comparable, type Item, itemsOf } from "../otlp_items.ts";
import { freePorts, runFolder } from "../peers/server.ts";
import { compare, type Observations, type Program } from "../scenarios.ts";
import { exportReasons } from "./exports/differences.ts";

/** What leaves: the requests of the OTLP exporters as they come over the wire, and the files of the file exporter. */
export const exported = check({
  name: "exports",
  area: "Data: requests and files of the exporters",
  needs: ["collector_released"],
  run: ({ collector_released }): Promise<Findings> =>
    compare(
      collector_released,
      async (program) => ({ ...(await observeRequests(program)), ...(await observeFiles(program)) }),
      exportReasons,
    ),
});

/** Settings of an OTLP exporter, given the ports of the backend. */
const senders: readonly (readonly [name: string, exporter: string, settings: (backend: Backend) => string])[] = [
  ["otlp_http as it is", "otlp_http", (backend) => `endpoint: "http://127.0.0.1:${backend.httpPort}"`],
  ...["none", "gzip", "zstd", "snappy", "zlib", "deflate", "lz4", "x-snappy-framed"].map(
    (compression) =>
      [
        `otlp_http, ${compression}`,
        "otlp_http",
        (backend: Backend) => `endpoint: "http://127.0.0.1:${backend.httpPort}", compression: ${compression}`,
      ] as const,
  ),
  ["otlp_http, JSON", "otlp_http", (backend) => `endpoint: "http://127.0.0.1:${backend.httpPort}", encoding: json`],
  [
    "otlp_http, a path and a slash at the end",
    "otlp_http",
    (backend) => `endpoint: "http://127.0.0.1:${backend.httpPort}/a/b/"`,
  ],
  [
    "otlp_http, an endpoint for traces alone",
    "otlp_http",
    ({ httpPort }) =>
      `endpoint: "http://127.0.0.1:${httpPort}", traces_endpoint: "http://127.0.0.1:${httpPort}/only?traces=1"`,
  ],
  [
    "otlp_http, headers",
    "otlp_http",
    ({ httpPort }) =>
      `endpoint: "http://127.0.0.1:${httpPort}", headers: { X-Tenant: a, content-type: no, user-agent: mine, Host: backend.test }`,
  ],
  [
    "otlp_http, basicauth",
    "otlp_http",
    ({ httpPort }) => `endpoint: "http://127.0.0.1:${httpPort}", auth: { authenticator: basicauth }`,
  ],
  [
    "otlp_http, bearertokenauth",
    "otlp_http",
    ({ httpPort }) => `endpoint: "http://127.0.0.1:${httpPort}", auth: { authenticator: bearertokenauth }`,
  ],
  ["otlp_grpc as it is", "otlp_grpc", insecure("")],
  ...["none", "gzip", "zstd", "snappy"].map(
    (compression) => [`otlp_grpc, ${compression}`, "otlp_grpc", insecure(`, compression: ${compression}`)] as const,
  ),
  ["otlp_grpc, headers", "otlp_grpc", insecure(", headers: { X-Tenant: a, user-agent: mine }")],
  ["otlp_grpc, an authority", "otlp_grpc", insecure(", authority: backend.test")],
  ["otlp_grpc, a user agent", "otlp_grpc", insecure(", user_agent: mine")],
];

function insecure(more: string): (backend: Backend) => string {
  return ({ grpcPort }) => `endpoint: "127.0.0.1:${grpcPort}", tls: { insecure: true }${more}`;
}

async function observeRequests({ command }: Program): Promise<Observations> {
  const seen: Record<string, string> = {};
  const backend = await Backend.start();
  try {
    for (const [name, exporter, settings] of senders) {
      backend.received.length = 0;
      const [httpPort = 0] = await freePorts(1);
      const exporters = `{ ${exporter}: { ${settings(backend)} } }`;
      const daemon = await Daemon.start({ yaml: config(httpPort, exporters, () => exporter), command });
      await post(httpPort, oddCorpus());
      daemon.signal("SIGTERM");
      await daemon.ended();
      seen[`request: ${name}`] = [...new Set(backend.received.map((each) => describeRequest(each, backend)))]
        .sort()
        .join("; ");
    }
    return seen;
  } finally {
    await backend.stop();
  }
}

/** Of this run, or what the HTTP and gRPC libraries say of themselves. */
const notCompared = new Set([
  ...["content-length", "date", ":method", ":path", ":scheme", "te", "trailers", "traceparent"],
  ...["connection", "accept-encoding", "grpc-accept-encoding"],
]);

function describeRequest({ path, headers, body }: Received, { httpPort, grpcPort }: Backend): string {
  const told = Object.entries(headers)
    .filter(([name]) => !notCompared.has(name))
    .map(
      ([name, value]) => `${name}: ${own(name, String(value)).replace(`:${httpPort}`, "").replace(`:${grpcPort}`, "")}`,
    );
  const compressed = headers["content-type"]?.startsWith("application/grpc") ? `, compressed ${body[0]}` : "";
  return `${path}${compressed}, ${told.sort().join(", ")}`;
}

/** Neither versions, nor names of libraries, nor how long is left. */
function own(name: string, value: string): string {
  if (name === "user-agent") return value.replace(/^[\w -]+\/[\d.]+/, "program/version").replace(/ grpc\S*$/, "");
  return name === "grpc-timeout" ? "some" : value;
}

const files: readonly (readonly [name: string, settings: string])[] = [
  ["as it is", ""],
  ["flushed", "flush_interval: 50ms"],
  ["appended to", "append: true"],
  ["proto", "format: proto"],
  ["JSON, zstd", "compression: zstd"],
  ["proto, zstd", "format: proto, compression: zstd"],
  ["rotated", "rotation: { max_megabytes: 1, max_backups: 3 }"],
  ["in a new folder", "create_directory: true"],
  ["grouped by an attribute", "group_by: { enabled: true, resource_attribute: service.name }"],
];

/** All files that are written, as the items in them. Of protobuf each signal has its own: a message does not say its signal. */
async function observeFiles({ command }: Program): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const [name, settings] of files) {
    const folder = await runFolder("files");
    const file = settings.includes("create_directory") ? "a/b/out" : settings.includes("group_by") ? "*" : "out";
    const [httpPort = 0] = await freePorts(1);
    const written = signals.map((signal) => {
      const path = settings.includes("proto") ? `${signal}.out` : file;
      return `file/${signal}: { path: ${JSON.stringify(join(folder, path))}, ${settings} }`;
    });
    const isOne = !settings.includes("proto");
    const exporters = `{ ${(isOne ? written.slice(0, 1) : written).join(", ")} }`;
    const idOf = (signal: string) => `file/${isOne ? signals[0] : signal}`;
    const daemon = await Daemon.start({ yaml: config(httpPort, exporters, idOf), command });
    await post(httpPort, oddCorpus());
    daemon.signal("SIGTERM");
    await daemon.ended();
    seen[`file exporter: ${name}`] = await describeFiles(folder, settings);
  }
  return seen;
}

async function describeFiles(folder: string, settings: string): Promise<string> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  const told = names.map(async ({ parentPath, name }) => {
    const bytes = await readFile(join(parentPath, name));
    const path = join(parentPath, name).slice(folder.length + 1);
    return `${path}: ${framed(settings) ? describeFrames(bytes, settings, path) : describeLines(bytes)}`;
  });
  return (await Promise.all(told)).sort().join("; ");
}

function framed(settings: string): boolean {
  return /proto|compression/.test(settings);
}

function describeLines(bytes: Buffer): string {
  const lines = bytes
    .toString()
    .split("\n")
    .filter((line) => line !== "");
  const items = comparable(lines.flatMap((line) => itemsOf(JSON.parse(line))));
  return `${lines.length} lines, ${items.length} items: ${items.join(" ")}`;
}

/** Messages behind four bytes of their length. */
function describeFrames(bytes: Buffer, settings: string, path: string): string {
  const messages: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const message = bytes.subarray(at + 4, at + 4 + length);
    messages.push(settings.includes("zstd") ? zstdDecompressSync(message) : message);
    at += 4 + length;
  }
  const signal = signals.find((each) => path.startsWith(each));
  const read = (message: Buffer) =>
    signal === undefined ? itemsOf(JSON.parse(String(message))) : decoded(signal, message);
  const items = comparable(messages.flatMap(read));
  return `${messages.length} messages, ${items.length} items: ${items.join(" ")}`;
}

const signals = ["traces", "metrics", "logs"] as const;

/** The items of a message as protobufjs reads it. */
function decoded(signal: (typeof signals)[number], message: Buffer): Item[] {
  const type = oracleType(signal);
  return itemsOf(type.toObject(type.decode(message), { longs: String, bytes: String }));
}

function config(httpPort: number, exporters: string, idOf: (signal: string) => string): string {
  const pipelines = signals.map((signal) => `${signal}: { receivers: [otlp], exporters: [${idOf(signal)}] }`);
  return `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${httpPort}" } } }
exporters: ${exporters}
extensions:
  basicauth: { client_auth: { username: user, password: secret } }
  bearertokenauth: { token: t0ken }
service:
  extensions: [basicauth, bearertokenauth]
  telemetry: { metrics: { level: none } }
  pipelines: { ${pipelines.join(", ")} }
`;
}
