import assert from "node:assert/strict";
import { createReadStream, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { traceRequest } from "../pipeline/frame/wire_writer.ts";
import { Daemon } from "../support/daemon.ts";
import { rapidsDouble } from "../support/rapids_double.ts";
import { seededRandom } from "../support/simulated_host.ts";

const kills = Number(process.env["OTELPIPE_KILLS"] ?? 3);
const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);
const windowMs = 60_000;
const mostSpans = 400;
/** Time under load before a kill. */
const longestRunMs = 120;
const ready = "The aggregation engine is ready.";

const config = (module: string, file: string) => `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
connectors:
  aggregate:
    window: ${windowMs}ms
    allowed_lateness: 0s
    group_by: [gen_ai.request.model, status]
    columns:
      requests: count
      tokens: sum(gen_ai.usage.output_tokens)
      p95_ms: quantile(duration, 0.95)
    engine: { type: node_rapids, node: ${process.execPath}, module: ${module} }
exporters: { file: { path: ${file} } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [aggregate] }
    metrics: { receivers: [aggregate], exporters: [file] }
`;

interface Totals {
  requests: number;
  tokens: number;
}

// Scenario: every request is a window of its own; while they come, the engine's process is killed at random moments, again
// as soon as another one is there.
// Guarantees: each window comes out once, with exactly the spans and tokens that were sent: none is lost, none counted
// twice, whoever computed it.
it(`loses no window and counts no span twice through ${kills} kills of its engine (OTELPIPE_KILLS, OTELPIPE_SEED=${seed})`, {
  timeout: 60_000 + kills * 20_000,
}, async () => {
  const file = join(mkdtempSync(join(tmpdir(), "otelpipe-engine-")), "metrics.json");
  const daemon = await Daemon.start({ yaml: config(`${rapidsDouble()}/node_modules/@rapidsai/cudf`, file) });
  const load = new Load(daemon.http, seededRandom(seed));
  const sending = load.run();
  const random = seededRandom(seed + 1);
  for (let kill = 1; kill <= kills; kill++) {
    const pid = await startedWorker(daemon, kill);
    await delay(random() * longestRunMs);
    process.kill(pid, "SIGKILL");
  }
  await startedWorker(daemon, kills + 1);
  load.stop();
  await sending;
  const { code, books } = await daemon.stop();
  assert.equal(code, 0);
  assert.equal(daemon.log.split("The aggregation engine is lost").length - 1, kills);
  assert.deepEqual(await totalsIn(file), load.sent);
  const spans = [...load.sent.values()].reduce((sum, { requests }) => sum + requests, 0);
  console.log(JSON.stringify({ seed, kills, windows: load.sent.size, spans }));
  assert.ok(load.sent.size > kills, "there was load");
  const [aggregate] = Object.entries(books).filter(([node]) => node.includes("aggregate"));
  assert.deepEqual(aggregate?.[1].dropped, {});
});

/** The process id of the `count`th worker, once it is there. */
async function startedWorker(daemon: Daemon, count: number): Promise<number> {
  for (;;) {
    const started = daemon.lines().filter(({ message, fields }) => message === ready && "pid" in fields);
    if (started.length >= count) return Number(started[count - 1]!.fields["pid"]);
    await delay(5);
  }
}

/** A sender with one request under way, each later than the one before by a window. */
class Load {
  /** What was sent, by the start of its window. */
  readonly sent = new Map<number, Totals>();
  readonly #endpoint: string;
  readonly #random: () => number;
  #window = Math.floor(Date.now() / windowMs) - 1_000_000;
  #isStopped = false;

  constructor(endpoint: string, random: () => number) {
    this.#endpoint = endpoint;
    this.#random = random;
  }

  stop(): void {
    this.#isStopped = true;
  }

  async run(): Promise<void> {
    while (!this.#isStopped) await this.#sendOne();
  }

  async #sendOne(): Promise<void> {
    const startUnixMs = this.#window++ * windowMs;
    const spans = Array.from({ length: 1 + Math.floor(this.#random() * mostSpans) }, () => ({
      endUnixNano: BigInt(startUnixMs + Math.floor(this.#random() * windowMs)) * 1_000_000n,
      durationNano: Math.floor(this.#random() * 1e9),
      status: Math.floor(this.#random() * 3),
      model: ["gemma", "qwen", undefined][Math.floor(this.#random() * 3)],
      tokens: Math.floor(this.#random() * 4000),
    }));
    const body = new Uint8Array(traceRequest("service", spans));
    const headers = { "content-type": "application/x-protobuf" };
    const response = await fetch(`${this.#endpoint}/v1/traces`, { method: "POST", headers, body });
    await response.arrayBuffer();
    assert.equal(response.status, 200);
    const tokens = spans.reduce((sum, span) => sum + span.tokens, 0);
    this.sent.set(startUnixMs, { requests: spans.length, tokens });
  }
}

interface PointJson {
  readonly startTimeUnixNano: string;
  readonly asInt?: string;
  readonly asDouble?: number;
}

interface MetricsJson {
  readonly resourceMetrics: readonly {
    readonly scopeMetrics: readonly {
      readonly metrics: readonly {
        readonly name: string;
        readonly sum?: { readonly dataPoints: readonly PointJson[] };
      }[];
    }[];
  }[];
}

/** What came out, by the start of its window. */
async function totalsIn(file: string): Promise<Map<number, Totals>> {
  const totals = new Map<number, Totals>();
  // Line by line: after 200 kills the file is longer than a string may be.
  for await (const line of createInterface({ input: createReadStream(file) })) {
    const { resourceMetrics } = JSON.parse(line) as MetricsJson;
    for (const { name, sum } of resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics),
    )) {
      for (const { startTimeUnixNano, asInt, asDouble } of sum?.dataPoints ?? []) {
        const startUnixMs = Number(BigInt(startTimeUnixNano) / 1_000_000n);
        const total = totals.get(startUnixMs) ?? { requests: 0, tokens: 0 };
        totals.set(startUnixMs, total);
        if (name === "requests") total.requests += Number(asInt);
        if (name === "tokens") total.tokens += Number(asDouble);
      }
    }
  }
  return totals;
}
