import { createHash } from "node:crypto";
import plotly from "../../exporters/plotly/index.ts";
import { Dashboard } from "../../extensions/dashboard/index.ts";
import type { GraphEdge, GraphNode, GraphShown, GraphSource, SpanDetail, SpanField } from "../../pipeline/board.ts";
import type { ExtensionHost } from "../../pipeline/host.ts";
import { encode, type Traces } from "../../pipeline/pdata/index.ts";
import { systemClock } from "../../pipeline/process/clock.ts";
import type { EdgeView, NodeView, ReloadVerdict, ServiceView } from "../../pipeline/view.ts";
import { recordedDelivery, seededRandom, simulatedHost } from "./simulated_host.ts";

/** One span of the synthetic traces, with what it was made from. */
export interface MadeSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly status: "OK" | "ERROR" | "UNSET";
  readonly startUnixMs: number;
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, string | number>>;
}

const models = ["llama-3.3-70b", "qwen2.5-coder-32b", "llama-3.1-8b", "bge-m3"];
const tools = ["execute_tool sql_query", "execute_tool search", "retrieval docs-index", "execute_tool fetch"];

/** `count` traces spread over the `windowMs` before `untilUnixMs`: lone chats, chains, and agents with many calls. */
export function makeTraces(count: number, untilUnixMs: number, seed = 7, windowMs = 14 * 60_000): MadeSpan[] {
  const random = seededRandom(seed);
  const gauss = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, (_, trace): MadeSpan[] => {
    const traceId = hex(random, 32);
    const startUnixMs = untilUnixMs - windowMs * (1 - (trace + random()) / count);
    const rootId = hex(random, 16);
    const kind = random();
    const calls = kind < 0.25 ? 6 + Math.floor(random() * 12) : kind < 0.8 ? 1 + Math.floor(random() * 2) : 0;
    const failsAll = random() < 0.06;
    const chats = Array.from({ length: Math.max(1, calls) }, (_unused, call): MadeSpan => {
      const model = models[Math.floor(random() ** 2 * models.length)] ?? "";
      const isTool = calls > 3 && random() < 0.35;
      const failed = failsAll && call >= calls - 2;
      const input = Math.round(Math.exp(6.9 + 1.1 * gauss()));
      const output = failed ? 0 : Math.round(Math.exp(4.6 + 1.2 * gauss()));
      const durationMs = failed
        ? 200 + 400 * random()
        : Math.min(32_000, (300 + 14 * output) * Math.exp(0.35 * gauss()));
      return {
        traceId,
        spanId: calls === 0 ? rootId : hex(random, 16),
        parentSpanId: calls === 0 ? "" : rootId,
        name: isTool ? (tools[call % tools.length] ?? "") : `chat ${model}`,
        status: failed ? "ERROR" : random() < 0.02 ? "UNSET" : "OK",
        startUnixMs: startUnixMs + call * 40,
        durationMs: isTool ? durationMs / 20 : durationMs,
        attributes: isTool
          ? { "gen_ai.operation.name": "execute_tool" }
          : {
              "gen_ai.operation.name": "chat",
              "gen_ai.request.model": model,
              "gen_ai.usage.input_tokens": input,
              "gen_ai.usage.output_tokens": output,
              "gen_ai.input.messages": `[{"role":"user","content":"secret prompt of trace ${trace}, call ${call}"}]`,
              ...(failed && { "error.type": "context_length_exceeded" }),
            },
      };
    });
    if (calls === 0) return chats;
    const end = Math.max(...chats.map((span) => span.startUnixMs + span.durationMs));
    const name = calls > 3 ? "invoke_agent support-triage" : "POST /v1/chat/completions";
    const status = failsAll && calls <= 3 ? "ERROR" : "OK";
    const attributes = { "gen_ai.operation.name": "invoke_agent" };
    return [
      {
        traceId,
        spanId: rootId,
        parentSpanId: "",
        name,
        status,
        startUnixMs,
        durationMs: end - startUnixMs,
        attributes,
      },
      ...chats,
    ];
  }).flat();
}

function hex(random: () => number, digits: number): string {
  return Array.from({ length: digits }, () => Math.floor(random() * 16).toString(16)).join("");
}

/** The sums a page must show for these spans. */
export function truthOf(spans: readonly MadeSpan[]) {
  const requests = spans.filter((span) => span.attributes["gen_ai.operation.name"] === "chat");
  const sum = (key: string) => requests.reduce((total, span) => total + Number(span.attributes[key] ?? 0), 0);
  return {
    spans: spans.length,
    traces: new Set(spans.map((span) => span.traceId)).size,
    edges: spans.filter((span) => span.parentSpanId !== "").length,
    requests: requests.length,
    failed: requests.filter((span) => span.status === "ERROR").length,
    inputTokens: sum("gen_ai.usage.input_tokens"),
    outputTokens: sum("gen_ai.usage.output_tokens"),
  };
}

/** The spans as OTLP. */
export function traces(spans: readonly MadeSpan[]): Traces {
  const value = (any: string | number) => (typeof any === "string" ? { stringValue: any } : { intValue: BigInt(any) });
  const nano = (ms: number) => BigInt(Math.round(ms * 1000)) * 1000n;
  return encode("traces", {
    resourceSpans: [
      {
        resource: { attributes: [{ key: "service.name", value: { stringValue: "inference-worker" } }] },
        scopeSpans: [
          {
            spans: spans.map((span) => ({
              traceId: Buffer.from(span.traceId, "hex"),
              spanId: Buffer.from(span.spanId, "hex"),
              parentSpanId: Buffer.from(span.parentSpanId, "hex"),
              name: span.name,
              kind: 3,
              startTimeUnixNano: nano(span.startUnixMs),
              endTimeUnixNano: nano(span.startUnixMs + span.durationMs),
              attributes: Object.entries(span.attributes).map(([key, any]) => ({ key, value: value(any) })),
              status: { code: { UNSET: 0, OK: 1, ERROR: 2 }[span.status] },
            })),
          },
        ],
      },
    ],
  });
}

/** A graph of spans with masked prompts, as the graphistry exporter publishes it. */
export class MadeGraph implements GraphSource {
  version = 1;
  viewerUrl: string | undefined;
  spans: readonly MadeSpan[];

  constructor(spans: readonly MadeSpan[]) {
    this.spans = spans;
  }

  async snapshot(): Promise<GraphShown> {
    return this.shown();
  }

  shown(): GraphShown {
    const nodes = this.spans.map(
      (span): GraphNode => ({
        id: `${span.traceId}:${span.spanId}`,
        traceId: span.traceId,
        label: span.name,
        status: span.status,
        durationMs: span.durationMs,
        startUnixMs: span.startUnixMs,
        service: "inference-worker",
        size: span.durationMs,
      }),
    );
    const edges = this.spans
      .filter((span) => span.parentSpanId !== "")
      .map(
        (span): GraphEdge => ({
          source: `${span.traceId}:${span.parentSpanId}`,
          target: `${span.traceId}:${span.spanId}`,
        }),
      );
    return { nodes, edges, traceCount: truthOf(this.spans).traces, spanCount: nodes.length };
  }

  span(traceId: string, spanId: string, reveal?: string): SpanDetail | undefined {
    const span = this.spans.find((one) => one.traceId === traceId && one.spanId === spanId);
    if (span === undefined) return undefined;
    const field = ([key, any]: readonly [string, string | number]): SpanField => {
      const text = String(any);
      if (!key.endsWith("messages") || key === reveal) return { key, type: typeof any, text };
      const digest = createHash("sha256").update(text).digest("hex");
      return { key, type: "string", masked: { sizeBytes: Buffer.byteLength(text), digest } };
    };
    const { parentSpanId, name, status, startUnixMs, durationMs } = span;
    return {
      traceId,
      spanId,
      parentSpanId,
      name,
      kind: "CLIENT",
      status,
      statusMessage: status === "ERROR" ? "context overflow" : "",
      startUnixMs,
      durationMs,
      attributes: Object.entries(span.attributes).map(field),
      resource: [{ key: "service.name", type: "string", text: "inference-worker" }],
      events: [],
    };
  }
}

/** A service like the one in the quickstart: three pipelines, a sampler, four exporters. `flow` moves items through it. */
export class MadeService implements ServiceView {
  readonly command = "otelpipe";
  readonly version = "0.0.0-test";
  readonly configSources = ["configs/quickstart.yaml"];
  readonly startedUnixMs: number;
  present: ReturnType<ServiceView["state"]> = "running";
  readonly counts = new Map<string, { in: number; out: number; refused: number; dropped: Map<string, number> }>();
  readonly facts = new Map<string, { label: string; text: string }[]>();
  readonly #lines = [
    {
      pipeline: "traces",
      signal: "traces",
      line: ["memory_limiter", "gen_ai_normalizer", "aggregate/llm", "batch"],
      ends: ["plotly", "graphistry"],
    },
    {
      pipeline: "traces/jaeger",
      signal: "traces",
      line: ["probabilistic_sampler", "batch/jaeger"],
      ends: ["otlp/jaeger"],
    },
    { pipeline: "metrics", signal: "metrics", line: ["batch/metrics"], ends: ["debug"] },
  ] as const;

  constructor(startedUnixMs: number) {
    this.startedUnixMs = startedUnixMs;
    this.facts.set("receiver:otlp", [
      { label: "", text: "506 kB/s in" },
      { label: "answers in", text: "3 ms" },
    ]);
    this.facts.set("processor:traces:memory_limiter", [{ label: "", text: "7 % of budget" }]);
    this.facts.set("processor:traces:aggregate/llm", [{ label: "cpu,", text: "10 s windows" }]);
    this.facts.set("exporter:traces:plotly", [
      { label: "", text: "4 figures" },
      { label: "", text: "0.3 s old" },
    ]);
    this.facts.set("exporter:traces:graphistry", [{ label: "", text: "local files, no account" }]);
    this.facts.set("exporter:traces:otlp/jaeger", [
      { label: "queue", text: "0 %" },
      { label: "answers in", text: "6 ms" },
    ]);
  }

  /** Takes `spans` and `points` in, keeps a quarter for Jaeger, and holds nothing. */
  flow(spans: number, points: number): void {
    this.#pass("receiver:otlp", spans + points);
    for (const { pipeline, signal, line, ends } of this.#lines) {
      let items: number = signal === "metrics" ? points : spans;
      for (const id of line) {
        const kept = id === "probabilistic_sampler" ? Math.round(items / 4) : items;
        this.#pass(`processor:${pipeline}:${id}`, items, kept, "sampled_out");
        items = kept;
      }
      for (const id of ends) this.#pass(`exporter:${signal}:${id}`, items);
    }
  }

  #pass(key: string, taken: number, passed = taken, reason = ""): void {
    const books = this.books(key);
    books.in += taken;
    books.out += passed;
    if (passed < taken) books.dropped.set(reason, (books.dropped.get(reason) ?? 0) + taken - passed);
  }

  books(key: string) {
    const found = this.counts.get(key) ?? { in: 0, out: 0, refused: 0, dropped: new Map<string, number>() };
    this.counts.set(key, found);
    return found;
  }

  state() {
    return this.present;
  }

  onState(listener: (state: ReturnType<ServiceView["state"]>) => void) {
    listener(this.present);
    return () => {};
  }

  reload: ServiceView["reload"];
  latest: ReloadVerdict | undefined;
  readonly removed = new Set<string>();

  lastReload(): ReloadVerdict | undefined {
    return this.latest;
  }

  nodes(): NodeView[] {
    const node = (kind: NodeView["kind"], key: string, id: string, pipelineId?: string): NodeView => {
      const books = this.books(key);
      const left = [...books.dropped.values()].reduce((sum, items) => sum + items, 0);
      const held = books.in - books.out - books.refused - left;
      return {
        key,
        kind,
        id,
        ...(pipelineId !== undefined && { pipelineId }),
        books: { ...books, passed: 0, held },
        isRemoved: this.removed.has(key),
        facts: () => this.facts.get(key) ?? [],
      };
    };
    return [
      node("receiver", "receiver:otlp", "otlp"),
      ...this.#lines.flatMap(({ pipeline, line }) =>
        line.map((id) => node("processor", `processor:${pipeline}:${id}`, id, pipeline)),
      ),
      ...this.#lines.flatMap(({ signal, ends }) => ends.map((id) => node("exporter", `exporter:${signal}:${id}`, id))),
    ];
  }

  pipelines(): [] {
    return [];
  }

  extensions(): [] {
    return [];
  }

  ownSpans(): undefined {
    return undefined;
  }

  async featureGates(): Promise<[]> {
    return [];
  }

  edges(): EdgeView[] {
    return this.#lines.flatMap(({ pipeline, signal, line, ends }) => {
      const stops = ["receiver:otlp", ...line.map((id) => `processor:${pipeline}:${id}`)];
      const links = stops.slice(1).map((to, index) => [stops[index] ?? "", to] as const);
      const last = ends.map((id) => [stops.at(-1) ?? "", `exporter:${signal}:${id}`] as const);
      return [...links, ...last].map(([from, to]) => ({
        from,
        to,
        pipelineId: pipeline,
        signal,
        items: this.books(to).in,
      }));
    });
  }

  process() {
    return {
      rssBytes: 90_000_000,
      memoryLimitBytes: 1.2 * 1024 ** 3,
      budgetUsedBytes: 0,
      budgetLimitBytes: 4e8,
      loopLagMs: 1.4,
      cpuCores: 0.11,
    };
  }
}

/** The surroundings of a dashboard in a test: a made service, a board to publish on, the machine's time. */
export function dashboardHost(service: ServiceView) {
  const { board, logs, ...rest } = simulatedHost({ id: "dashboard" });
  const host: ExtensionHost = { ...rest, kind: "extension", board, clock: systemClock, service };
  return { host, board, logs };
}

/** Starts a dashboard with real figures of `spans`, drawn by the plotly exporter, and their graph. */
export async function startDashboard(spans: readonly MadeSpan[], settings: { endpoint?: string } = {}) {
  const service = new MadeService(Date.now() - 15 * 60_000);
  const { host, board, logs } = dashboardHost(service);
  const graph = new MadeGraph(spans);
  board.publish("graph", "graphistry", graph);
  const figures = await drawFigures(board, spans);
  const dashboard = new Dashboard(
    { endpoint: settings.endpoint ?? "localhost:0", figures: undefined, graph: undefined },
    host,
  );
  await dashboard.start();
  const stop = async () => {
    await dashboard.stop();
    await figures?.stop?.();
  };
  return { dashboard, url: dashboard.url, service, board, graph, logs, stop };
}

/** Publishes the real plotly exporter's figures of `spans` on `board`. */
export async function drawFigures(board: ExtensionHost["board"], spans: readonly MadeSpan[]) {
  const host = { ...simulatedHost({ id: "plotly" }), board, clock: systemClock };
  const exporter = plotly.traces?.(plotly.config.parse({ directory: "" }), host);
  await exporter?.start?.();
  const step = 2_000;
  for (let at = 0; at < spans.length; at += step)
    exporter?.consume(recordedDelivery(traces(spans.slice(at, at + step))).delivery);
  await exporter?.drain?.(Number.POSITIVE_INFINITY);
  return exporter;
}
