import { Daemon } from "../../../support/daemon.ts";
import { Backend, type Reply } from "../../backend.ts";
import { post, type Request } from "../../corpus.ts";
import { eventually, freePorts } from "../../peers/server.ts";
import type { Observations, Program } from "../../scenarios.ts";
import { type Answer, ask, frame, type Question } from "../answers/ask.ts";
import { goodTraces } from "../answers/bodies.ts";
import { type Case, grpcCases, httpCases } from "./replies.ts";

/** An exporter of one protocol, with a queue and retries or with neither, and the receiver before it. */
interface Way {
  readonly exporter: "otlp" | "otlp_http";
  readonly queue: boolean;
  readonly httpPort: number;
  readonly grpcPort: number;
}

/**
 * What becomes of a request that the backend answers with each code: with a queue, how often it is sent and whether it
 * arrives; without, what the client is told over either protocol.
 */
export async function observeCodes(program: Program): Promise<Observations> {
  const backend = await Backend.start();
  const ports = await freePorts(8);
  const ways = (["otlp", "otlp_http"] as const).flatMap((exporter, index) =>
    [true, false].map((queue, at) => {
      const [httpPort = 0, grpcPort = 0] = ports.slice((index * 2 + at) * 2);
      return { exporter, queue, httpPort, grpcPort };
    }),
  );
  const daemon = await Daemon.start({ yaml: config(ways, backend), command: program.command });
  try {
    const seen: Record<string, string> = {};
    for (const way of ways) Object.assign(seen, way.queue ? await queued(way, backend) : await direct(way, backend));
    return seen;
  } finally {
    daemon.signal("SIGTERM");
    await daemon.ended();
    await backend.stop();
  }
}

const casesOf = ({ exporter }: Way): readonly Case[] => (exporter === "otlp" ? grpcCases : httpCases);
const protocolOf = ({ exporter }: Way): string => (exporter === "otlp" ? "gRPC" : "HTTP");

/** One after another: there is one sender, so the request after a case is sent when the case is done with. */
async function queued(way: Way, backend: Backend): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const { name, replies } of casesOf(way)) {
    const attempts = scripted(backend, name, replies);
    await post(way.httpPort, [request(name), request(`${name} is over`)]);
    await eventually(async () => attempts.isOver() || undefined);
    seen[`backend over ${protocolOf(way)}, queue: ${name}`] = attempts.told();
  }
  return seen;
}

/** Waits with the answer, so the client is told what the backend said. */
async function direct(way: Way, backend: Backend): Promise<Observations> {
  const seen: Record<string, string> = {};
  for (const { name, replies } of casesOf(way)) {
    for (const protocol of ["http", "grpc"] as const) {
      scripted(backend, name, replies);
      const answer = await ask(way, protocol === "http" ? httpQuestion(name) : grpcQuestion(name));
      const client = protocol === "http" ? "HTTP" : "gRPC";
      seen[`backend over ${protocolOf(way)}, no queue, client over ${client}: ${name}`] = told(answer);
    }
  }
  return seen;
}

function told({ status, code, headers, details }: Answer): string {
  const retryAfter = headers["retry-after"];
  return [
    `${status}`,
    ...(code === undefined ? [] : [`code ${code}`]),
    ...(retryAfter === undefined ? [] : [`Retry-After ${retryAfter}`]),
    ...(details === undefined ? [] : [`details: ${detailsIn(details)}`]),
  ].join(", ");
}

/** A name for what an error carries. */
function detailsIn(hex: string): string {
  return Buffer.from(hex, "hex").includes("google.rpc.RetryInfo") ? "RetryInfo" : hex;
}

/** Lets the backend answer the attempts of one case as it says, and counts them. */
function scripted(backend: Backend, name: string, replies: readonly Reply[]) {
  const attempts: { at: number; reply: Reply | undefined }[] = [];
  let isOver = false;
  backend.script = ({ body, at }) => {
    if (body.includes(`${name} is over`)) isOver = true;
    else if (body.includes(name)) {
      const reply = replies[attempts.length];
      attempts.push({ at, reply });
      return reply;
    }
    return undefined;
  };
  return {
    isOver: () => isOver,
    told(): string {
      const last = attempts.at(-1);
      const [first = 0, second] = attempts.map(({ at }) => at);
      const hasWaited = second !== undefined && second - first > 900;
      const arrived = last !== undefined && last.reply === undefined;
      const times = attempts.length === 1 ? "sent once" : `sent ${attempts.length} times`;
      return `${times}${hasWaited ? " a second apart" : ""}${arrived ? ", the last was taken" : ""}`;
    },
  };
}

const protobuf = { "content-type": "application/x-protobuf" };
const exportPath = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

function request(name: string): Request {
  return { path: "/v1/traces", contentType: protobuf["content-type"], body: goodTraces({ name }) };
}

function httpQuestion(name: string): Question {
  return { name, protocol: "http", path: "/v1/traces", headers: protobuf, body: goodTraces({ name }) };
}

function grpcQuestion(name: string): Question {
  return { name, protocol: "grpc", path: exportPath, body: frame(goodTraces({ name })) };
}

const retries =
  "retry_on_failure: { initial_interval: 50ms, max_interval: 50ms, multiplier: 1, randomization_factor: 0, max_elapsed_time: 30s }";

function config(ways: readonly Way[], backend: Backend): string {
  const idOf = ({ exporter, queue }: Way): string => `${exporter}/${queue ? "queue" : "direct"}`;
  const receiver = (way: Way): string =>
    `  otlp/${idOf(way).replace("/", "_")}: { protocols: { grpc: { endpoint: "127.0.0.1:${way.grpcPort}" }, http: { endpoint: "127.0.0.1:${way.httpPort}" } } }`;
  const exporter = (way: Way): string => {
    const endpoint = way.exporter === "otlp" ? `127.0.0.1:${backend.grpcPort}` : `http://127.0.0.1:${backend.httpPort}`;
    const delivery = way.queue
      ? `sending_queue: { num_consumers: 1 }, ${retries}`
      : "sending_queue: { enabled: false }, retry_on_failure: { enabled: false }";
    return `  ${idOf(way)}: { endpoint: "${endpoint}", tls: { insecure: true }, compression: none, timeout: 1s, ${delivery} }`;
  };
  const pipeline = (way: Way): string => {
    const name = idOf(way).replace("/", "_");
    return `    traces/${name}: { receivers: [otlp/${name}], exporters: [${idOf(way)}] }`;
  };
  return `receivers:
${ways.map(receiver).join("\n")}
exporters:
${ways.map(exporter).join("\n")}
service:
  telemetry: { metrics: { level: none } }
  pipelines:
${ways.map(pipeline).join("\n")}
`;
}
