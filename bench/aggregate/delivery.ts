import { Agent, createServer, type IncomingMessage, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { performance } from "node:perf_hooks";
import { traceRequest } from "../../test/pipeline/frame/wire_writer.ts";
import { Daemon } from "../../test/support/daemon.ts";
import { seededRandom } from "../../test/support/simulated_host.ts";
import { type Mark, median } from "./marks.ts";
import { million } from "./million.ts";

const rounds = 3;
const spansPerLoad = 2_000;
const spansPerRequest = 50;
const quietRequests = 600;
const hourMs = 3_600_000;

/** How much longer requests take while a window of a million spans is aggregated: the 99th of 100. */
export async function deliveryMark(name: string, engine: string): Promise<Mark> {
  const backend = await Backend.start();
  const daemon = await Daemon.start({ yaml: config(engine, backend.url) });
  if (engine !== "cpu") await daemon.waitFor("The aggregation engine is ready");
  const sender = new Sender(daemon.http);
  const firstHour = Math.floor(Date.now() / hourMs) - 100;
  const quiet: number[] = [];
  const during: number[] = [];
  const rises: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const hour = firstHour + round;
    await sender.load(hour);
    const before = await sender.probe(hour, (sent) => sent < quietRequests);
    const computed = backend.next();
    const meanwhile = await sender.probe(hour + 1, () => !computed.isThere);
    quiet.push(...before);
    during.push(...meanwhile);
    rises.push(p99(meanwhile) - p99(before));
  }
  sender.close();
  await daemon.stop();
  backend.close();
  return {
    name: `${name}, p99 of ${during.length} requests while a million spans are aggregated`,
    ours: `${p99(during).toFixed(1)} ms`,
    theirs: `without ${p99(quiet).toFixed(1)} ms`,
    value: median(rises),
    unit: "ms",
    atMost: 10,
  };
}

const config = (engine: string, endpoint: string) => `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
connectors:
  aggregate:
    window: 1h
    allowed_lateness: 0s
    columns:
      requests: count
      tokens: sum(gen_ai.usage.output_tokens)
      mean_ms: mean(duration)
      p50_ms: quantile(duration, 0.5)
      p95_ms: quantile(duration, 0.95)
      p99_ms: quantile(duration, 0.99)
    engine: ${engine}
exporters: { nop: , otlp_http: { endpoint: "${endpoint}", compression: none } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [nop, aggregate] }
    metrics: { receivers: [aggregate], exporters: [otlp_http] }
`;

function p99(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.ceil(values.length * 0.99) - 1] ?? Number.NaN;
}

/** Takes the metrics of windows: when they come, one is computed. */
class Backend {
  readonly #server: Server;
  #waiting = { isThere: false };

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (incoming: IncomingMessage, response) => {
      this.#waiting.isThere = true;
      incoming.resume().on("end", () => response.end());
    });
  }

  static async start(): Promise<Backend> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    return new Backend(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Says whether the next metrics are there. */
  next(): { readonly isThere: boolean } {
    this.#waiting = { isThere: false };
    return this.#waiting;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** One connection, one request at a time. */
class Sender {
  readonly #url: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });
  readonly #random = seededRandom(17);

  constructor(url: string) {
    this.#url = url;
  }

  /** Fills the window of an hour. */
  async load(hour: number): Promise<void> {
    const bodies = Array.from({ length: 20 }, () => this.#body(hour, spansPerLoad));
    for (let sent = 0; sent < million / spansPerLoad; sent++) await this.#post(bodies[sent % bodies.length]!);
  }

  /** Sends for as long as told; how long each request took, milliseconds. */
  async probe(hour: number, goesOn: (sent: number) => boolean): Promise<readonly number[]> {
    const body = this.#body(hour, spansPerRequest);
    const times: number[] = [];
    while (goesOn(times.length)) {
      const began = performance.now();
      await this.#post(body);
      times.push(performance.now() - began);
    }
    return times;
  }

  close(): void {
    this.#agent.destroy();
  }

  #body(hour: number, count: number): Buffer {
    const random = this.#random;
    const spans = Array.from({ length: count }, () => ({
      endUnixNano: BigInt(Math.floor((hour + random()) * hourMs)) * 1_000_000n,
      durationNano: Math.floor(Math.exp(13 + random() * 10)),
      status: Math.floor(random() * 3),
      model: ["gemma-3-270m", "qwen2.5-3b", "llama-3.1-8b", "gpt-oss-20b"][Math.floor(random() * 4)],
      tokens: Math.floor(random() * 4000),
    }));
    return traceRequest("service", spans);
  }

  #post(body: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      const headers = { "content-type": "application/x-protobuf", "content-length": body.length };
      const outgoing = request(`${this.#url}/v1/traces`, { method: "POST", agent: this.#agent, headers });
      outgoing.on("response", (response) => {
        if (response.statusCode !== 200) reject(new Error(`refused with ${response.statusCode}`));
        response.resume().on("end", () => resolve());
      });
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }
}
