import { Daemon } from "../../../support/daemon.ts";
import { Backend } from "../../backend.ts";
import { oddCorpus, post } from "../../corpus.ts";
import { eventually, freePorts } from "../../peers/server.ts";
import type { Observations, Program } from "../../scenarios.ts";
import { ask, frame } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";
import { describeFamily, parseExposition } from "./exposition.ts";

/** How own metrics are told to come out. */
const settings = [
  { name: "level none", metrics: "{ level: none }" },
  ...["basic", "normal", "detailed"].map((level) => ({
    name: `level ${level}`,
    metrics: `{ level: ${level}, ${reader("")} }`,
  })),
  {
    name: "with suffixes and scopes",
    metrics: `{ level: normal, ${reader("without_scope_info: false, without_type_suffix: false, without_units: false")} }`,
  },
  {
    name: "with a constant label",
    metrics: `{ level: basic, ${reader('with_resource_constant_labels: { included: ["service.name"] }')} }`,
  },
] as const;

function reader(more: string): string {
  const prometheus = `host: 127.0.0.1, port: "\${env:METRICS_PORT}"${more === "" ? "" : `, ${more}`}`;
  return `readers: [{ pull: { exporter: { prometheus: { ${prometheus} } } } }]`;
}

/** Every family of own metrics after the same load, at each level. */
export async function observeOwnMetrics(program: Program): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const { name, metrics } of settings) {
    for (const [family, told] of await afterLoad(program, metrics)) seen[`own metrics, ${name}: ${family}`] = told;
  }
  return seen;
}

/** What the endpoint says, family by family; `otelpipe_*` is ours alone. */
async function afterLoad({ command }: Program, metrics: string): Promise<[family: string, told: string][]> {
  const backend = await Backend.start();
  // Nothing behind the batch processor may be sent twice, and one request is refused for good.
  backend.script = ({ body, protocol }) => {
    if (!body.includes("refused")) return undefined;
    return protocol === "http" ? { status: 400 } : { code: 3 };
  };
  const [httpPort = 0, grpcPort = 0, metricsPort = 0] = await freePorts(3);
  const env = { METRICS_PORT: String(metricsPort) };
  const daemon = await Daemon.start({ yaml: config(metrics, httpPort, grpcPort, backend), env, command });
  try {
    await load(httpPort, grpcPort, backend);
    const ports = new Map([
      [String(backend.httpPort), "backend's HTTP port"],
      [String(backend.grpcPort), "backend's gRPC port"],
      [String(httpPort), "HTTP port"],
      [String(grpcPort), "gRPC port"],
    ]);
    if (metrics.includes("none")) return [["the endpoint", await isOpen(metricsPort)]];
    const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`);
    const families = [...parseExposition(await response.text())];
    return [
      ["content type", response.headers.get("content-type") ?? ""],
      ...families
        .filter(([name]) => !name.startsWith("otelpipe_"))
        .map(([name, family]): [string, string] => [name, describeFamily(name, family, ports)]),
    ];
  } finally {
    daemon.signal("SIGKILL");
    await daemon.ended();
    await backend.stop();
  }
}

async function isOpen(port: number): Promise<string> {
  return await fetch(`http://127.0.0.1:${port}/metrics`).then(
    () => "open",
    () => "closed",
  );
}

const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** All signals over HTTP, spans over gRPC, a body that cannot be read and a span that both backends refuse. */
async function load(httpPort: number, grpcPort: number, backend: Backend): Promise<void> {
  const ports = { httpPort, grpcPort };
  await post(httpPort, oddCorpus());
  const grpc = { name: "", protocol: "grpc", path: exportPath } as const;
  await ask(ports, { ...grpc, body: frame(goodTraces()) });
  await ask(ports, { ...grpc, body: frame(goodTraces({ name: "refused" })) });
  const headers = { "content-type": "application/x-protobuf" };
  await ask(ports, { name: "", protocol: "http", path: "/v1/traces", headers, body: Buffer.from([0x0a, 0x05, 0x01]) });
  // Two exporters, and each request leaves by itself: the batch processor is on a pipeline of its own.
  const requests = (oddCorpus().length + 2) * 2;
  await eventually(async () => backend.received.length >= requests || undefined, 10_000).catch(() => undefined);
}

function config(metrics: string, httpPort: number, grpcPort: number, backend: Backend): string {
  const pipeline = "{ receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc, otlp_http/b] }";
  const batched = "{ receivers: [otlp], processors: [batch], exporters: [nop] }";
  return `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${grpcPort}" }, http: { endpoint: "127.0.0.1:${httpPort}" } } }
processors:
  batch: { send_batch_size: 4, send_batch_max_size: 4, timeout: 1h }
  memory_limiter: { check_interval: 1s, limit_mib: 4000 }
exporters:
  otlp_grpc: { endpoint: "127.0.0.1:${backend.grpcPort}", tls: { insecure: true }, compression: none }
  otlp_http/b: { endpoint: "http://127.0.0.1:${backend.httpPort}", compression: none, sending_queue: { queue_size: 77 } }
  nop:
service:
  telemetry: { metrics: ${metrics} }
  pipelines:
    traces: ${pipeline}
    metrics: ${pipeline}
    logs: ${pipeline}
    traces/batched: ${batched}
    metrics/batched: ${batched}
    logs/batched: ${batched}
`;
}
