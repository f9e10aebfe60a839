import { receive, toJson } from "../../../../pipeline/pdata/index.ts";
import { Daemon } from "../../../support/daemon.ts";
import { Backend, type Received } from "../../backend.ts";
import { attributesOf, type Item, itemsOf } from "../../otlp_items.ts";
import { eventually, freePorts } from "../../peers/server.ts";
import type { Observations, Program } from "../../scenarios.ts";
import { ask, frame } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";

const callers = "0af7651916cd43dd8448eb211c80319c";
const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/** What is sent, and how many own spans come of it. */
const requests = [
  { name: "HTTP with a caller's trace", protocol: "http", header: "traceparent", body: goodTraces(), spans: 8 },
  { name: "HTTP without", protocol: "http", header: "x-none", body: goodTraces(), spans: 8 },
  {
    name: "HTTP that backends refuse",
    protocol: "http",
    header: "b3",
    body: goodTraces({ name: "refused" }),
    spans: 8,
  },
  { name: "gRPC with a caller's trace", protocol: "grpc", header: "traceparent", body: goodTraces(), spans: 8 },
] as const;

/** The tree of own spans of each request. */
export async function observeOwnSpans({ command }: Program): Promise<Observations> {
  const backend = await Backend.start();
  const sink = await Backend.start();
  backend.script = ({ body, protocol }) => {
    if (!body.includes("refused")) return undefined;
    return protocol === "http" ? { status: 400 } : { code: 3 };
  };
  const [httpPort = 0, grpcPort = 0] = await freePorts(2);
  const daemon = await Daemon.start({ yaml: config(httpPort, grpcPort, backend, sink), command });
  const ports = new Map([
    [String(backend.httpPort), "backend's HTTP port"],
    [String(backend.grpcPort), "backend's gRPC port"],
    [String(httpPort), "HTTP port"],
    [String(grpcPort), "gRPC port"],
  ]);
  const seen: Record<string, string> = {};
  try {
    for (const { name, protocol, header, body, spans } of requests) {
      const before = sink.received.length;
      const value = header === "b3" ? `${callers}-b7ad6b7169203331-1` : `00-${callers}-b7ad6b7169203331-01`;
      const headers = { [header]: value, "user-agent": "interop" };
      const isHttp = protocol === "http";
      await ask(
        { httpPort, grpcPort },
        {
          name,
          protocol,
          path: isHttp ? "/v1/traces" : exportPath,
          headers: isHttp ? { ...headers, "content-type": "application/x-protobuf" } : headers,
          body: isHttp ? body : frame(body),
        },
      );
      const items = () => sink.received.slice(before).flatMap(itemsIn);
      await eventually(async () => items().length >= spans || undefined, 10_000).catch(() => undefined);
      for (const [path, told] of treeOf(items(), ports)) seen[`own spans, ${name}: ${path}`] = told;
    }
    return seen;
  } finally {
    daemon.signal("SIGKILL");
    await daemon.ended();
    await backend.stop();
    await sink.stop();
  }
}

function itemsIn({ body }: Received): Item[] {
  return itemsOf(JSON.parse(toJson(receive("traces", body)).toString()));
}

/** Every span by its way from the outermost, in words that can be compared. */
function treeOf(items: readonly Item[], ports: ReadonlyMap<string, string>): [path: string, told: string][] {
  const byId = new Map(items.map((each) => [String(each.item["spanId"]), each]));
  const pathOf = ({ item }: Item): string => {
    const parent = byId.get(String(item["parentSpanId"]));
    return parent === undefined ? String(item["name"]) : `${pathOf(parent)} > ${item["name"]}`;
  };
  return items.map((each): [string, string] => [pathOf(each), described(each, ports)]).sort();
}

function described({ scope, item }: Item, ports: ReadonlyMap<string, string>): string {
  const events = Array.isArray(item["events"]) ? item["events"] : [];
  const happened = events.map((event) => `${event.name} ${attributeText(event, ports)}`);
  const { code = 0 } = (item["status"] ?? {}) as { readonly code?: number };
  const trace = item["traceId"] === callers ? "the caller's trace" : "a trace of its own";
  const parts = [
    `kind ${item["kind"]} in ${trace}, flags ${item["flags"]}, status ${code}`,
    `scope ${scope["name"]} (${attributeText(scope, ports)})`,
    attributeText(item, ports),
    happened.join("; "),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function attributeText(holder: Item["item"], ports: ReadonlyMap<string, string>): string {
  return Object.entries(attributesOf(holder))
    .map(([key, value]) => `${key}=${placeholder(key, value, ports)}`)
    .sort()
    .join(", ");
}

function placeholder(key: string, value: unknown, ports: ReadonlyMap<string, string>): string {
  if (key === "network.peer.port") return "…";
  let text = String(value);
  for (const [port, name] of ports) text = text.replace(port, name);
  return text;
}

function config(httpPort: number, grpcPort: number, backend: Backend, sink: Backend): string {
  const exporter = `otlp: { protocol: http/protobuf, endpoint: "http://127.0.0.1:${sink.httpPort}" }`;
  return `receivers:
  otlp: { protocols: { grpc: { endpoint: "127.0.0.1:${grpcPort}" }, http: { endpoint: "127.0.0.1:${httpPort}" } } }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 4000 }
exporters:
  otlp_grpc: { endpoint: "127.0.0.1:${backend.grpcPort}", tls: { insecure: true }, compression: none }
  otlp_http: { endpoint: "http://127.0.0.1:${backend.httpPort}", compression: none }
service:
  telemetry:
    metrics: { level: none }
    traces:
      propagators: [tracecontext, b3]
      processors: [{ batch: { schedule_delay: 100, exporter: { ${exporter} } } }]
  pipelines:
    traces: { receivers: [otlp], processors: [memory_limiter], exporters: [otlp_grpc, otlp_http] }
`;
}
