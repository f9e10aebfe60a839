import { Daemon } from "../../support/daemon.ts";
import { check, type Findings } from "../check.ts";
import { corpus, post, type Request } from "../corpus.ts";
import * as jaeger from "../peers/jaeger.ts";
import type { Peer } from "../peers/peer.ts";
import { eventually, freePorts } from "../peers/server.ts";
import { compare, type Observations, type Program } from "../scenarios.ts";
import { withServers } from "../with_servers.ts";

/** The trace of `corpus_requests.ts`. */
const oddTraceId = "0102030405060708090a0b0c0d0e0f10";

const ways = ["otlp_grpc", "otlp_http"] as const;

/** Each program sends the same traces to a Jaeger of its own; what Jaeger's API then says must be the same. */
export const jaegerTraces = check({
  name: "jaeger",
  area: "Real Jaeger, by its API",
  needs: ["python_sdk", "go_sdk", "jaeger", "collector_released"],
  async run(peers): Promise<Findings> {
    const requests = (await corpus(peers)).filter(({ path }) => path === "/v1/traces").map(withoutInfinity);
    return await compare(peers.collector_released, (program) => observe(program, peers.jaeger, requests));
  },
});

/** Jaeger's API answers 500 for a trace that holds NaN or an infinity. */
function withoutInfinity(request: Request): Request {
  if (request.contentType !== "application/json") return request;
  const body = request.body.toString().replaceAll(/"(NaN|-Infinity)"(?=\})/g, "0.5");
  return { ...request, body: Buffer.from(body) };
}

async function observe(program: Program, peer: Peer, requests: readonly Request[]): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const exporter of ways) {
    await withServers(async (started) => {
      const backend = started(await jaeger.start(peer));
      await send(program, exporter, backend, requests);
      for (const [index, traceId] of [oddTraceId, ...traceIdsIn(requests)].entries()) {
        const trace = await traceOf(traceId, index === 0 ? 4 : 10, backend);
        seen[`Jaeger behind ${exporter}: the trace of ${["every kind of value", "python_sdk", "go_sdk"][index]}`] =
          digest(trace);
      }
      seen[`Jaeger behind ${exporter}: services`] = (await backend.services()).sort().join(", ");
    });
  }
  return seen;
}

/** The trace, once it has so many spans. */
async function traceOf(traceId: string, count: number, backend: jaeger.Jaeger): Promise<jaeger.JaegerTrace> {
  return await eventually(async () => {
    const trace = await backend.trace(traceId);
    return (trace?.spans.length ?? 0) >= count ? trace : undefined;
  });
}

/** The ids of the traces in the requests of SDKs: field 1 of the first span, behind its two bytes. */
function traceIdsIn(requests: readonly Request[]): string[] {
  return requests
    .filter(({ contentType }) => contentType !== "application/json")
    .map(({ body }) => {
      const at = body.indexOf(Buffer.from([0x0a, 0x10]));
      return body.subarray(at + 2, at + 18).toString("hex");
    });
}

async function send(
  { command }: Program,
  exporter: (typeof ways)[number],
  { grpcPort, httpPort }: jaeger.Jaeger,
  requests: readonly Request[],
): Promise<void> {
  const [port = 0] = await freePorts(1);
  const endpoint = exporter === "otlp_grpc" ? `127.0.0.1:${grpcPort}` : `http://127.0.0.1:${httpPort}`;
  const yaml = `receivers:
  otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } }
exporters:
  ${exporter}: { endpoint: "${endpoint}", tls: { insecure: true } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [${exporter}] } }
`;
  const daemon = await Daemon.start({ yaml, command });
  try {
    await post(port, requests);
  } finally {
    // It sends what is queued before it ends.
    daemon.signal("SIGTERM");
    await daemon.ended();
  }
}

/** What Jaeger says of a trace, in an order of its own; the names of processes are numbers of no meaning. */
function digest({ spans, processes }: jaeger.JaegerTrace): string {
  const lines = spans.map((span) => {
    const tags = span.tags.filter(({ key }) => key !== "@jaeger@warnings");
    // Jaeger warns of one of two spans with the same id, whichever it meets first.
    const told = { ...span, tags, warnings: undefined, processID: undefined, process: processes[span.processID] };
    return JSON.stringify(sorted(told));
  });
  return `${spans.length} spans: ${lines.sort().join("\n")}`;
}

/** The value with the keys of its objects, and the tags and fields of Jaeger's lists, in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}
