import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { pageFigures } from "../../../exporters/plotly/page_figures.ts";
import { RequestStore } from "../../../exporters/plotly/request_store.ts";
import { fileFigures } from "../../../exporters/plotly/seed_figures.ts";
import { type Summary, summarize } from "../../../exporters/plotly/summary.ts";
import { Budget } from "../../../pipeline/process/memory.ts";
import { seededRandom } from "../../support/simulated_host.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 17);
const toUnixMs = Date.UTC(2026, 0, 1, 2, 15, 3);
const windowMs = 15 * 60_000;

interface Request {
  readonly startUnixMs: number;
  readonly durationMs: number;
  readonly input: number;
  readonly output: number;
  readonly failed: boolean;
  readonly model: string;
}

function summaryOf(requests: readonly Request[], maxPoints = 5000): Promise<Summary> {
  const store = new RequestStore(1_000_000, new Budget(1e9));
  for (const { startUnixMs, durationMs, input, output, failed, model } of requests) {
    store.add(startUnixMs, durationMs, input, output, failed, model);
  }
  return summarize(store, { toUnixMs, windowMs, maxPoints }, async () => {});
}

/** Requests all over the window, some before it, a twentieth failed, latencies log-normal. */
function generate(count: number): Request[] {
  const random = seededRandom(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return Array.from({ length: count }, (_, row) => {
    const failed = random() < 0.05;
    return {
      startUnixMs: toUnixMs - random() * (windowMs + 60_000),
      durationMs: Math.exp(7 + normal()),
      input: Math.floor(random() * 3000),
      output: failed ? 0 : Math.floor(random() * 500),
      failed,
      model: row % 2 === 0 ? "gemma" : "qwen",
    };
  });
}

// biome-ignore lint/suspicious/noExplicitAny: figures are read as whoever gets the JSON reads them
type Json = any;

function drawn(
  figures: readonly { name: string; draw(summary: Summary): object }[],
  name: string,
  summary: Summary,
): Json {
  const figure = figures.find((candidate) => candidate.name === name);
  assert.ok(figure !== undefined, name);
  return JSON.parse(JSON.stringify(figure.draw(summary)));
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

describe("the figures in the files", () => {
  const three: Request[] = [
    { startUnixMs: toUnixMs - 2000, durationMs: 340, input: 20, output: 5, failed: false, model: "a" },
    { startUnixMs: toUnixMs - 3000, durationMs: 120, input: 12, output: 90, failed: false, model: "a" },
    { startUnixMs: toUnixMs - 1000, durationMs: 60.25, input: 7, output: 0, failed: true, model: "a" },
  ];

  // Guarantees: trace types, order, axes, names and colours of the notebook's dashboard (the expected values are written
  // down from it, not computed).
  it("are the notebook's dashboard, with every request as a point", async () => {
    const { data, layout, config } = drawn(fileFigures, "dashboard", await summaryOf(three));
    const [latency, tokens, scatter, total] = data;
    const times = ["2026-01-01T02:15:00.000Z", "2026-01-01T02:15:01.000Z", "2026-01-01T02:15:02.000Z"];
    assert.deepEqual(
      { ...latency, meta: 0 },
      {
        type: "histogram",
        x: [120, 340, 60.25],
        name: "Latency (ms)",
        marker: { color: "blue" },
        opacity: 0.7,
        meta: 0,
        xaxis: "x",
        yaxis: "y",
      },
    );
    assert.deepEqual(
      { ...tokens, meta: 0 },
      {
        type: "scatter",
        mode: "lines+markers",
        name: "Total Tokens",
        x: times,
        y: [102, 25, 7],
        line: { color: "green" },
        meta: 0,
        xaxis: "x2",
        yaxis: "y2",
      },
    );
    assert.deepEqual(
      [scatter.type, scatter.mode, scatter.name, scatter.xaxis, scatter.yaxis],
      ["scatter", "markers", "Tokens", "x3", "y3"],
    );
    assert.deepEqual(
      [scatter.x, scatter.y],
      [
        [12, 20, 7],
        [90, 5, 0],
      ],
    );
    assert.deepEqual(scatter.marker.size, [12, 34, 6.025]);
    assert.deepEqual(scatter.marker.color, [120, 340, 60.25]);
    assert.deepEqual([scatter.marker.colorscale, scatter.marker.showscale], ["Viridis", true]);
    assert.deepEqual(scatter.marker.colorbar, { title: { text: "Latency (ms)" }, x: 1.15 });
    assert.equal(scatter.text[0], "Latency: 120.0ms<br>In: 12<br>Out: 90");
    assert.equal(scatter.hovertemplate, "%{text}<extra></extra>");
    assert.deepEqual(
      { ...total, meta: 0 },
      {
        type: "scatter",
        mode: "lines",
        name: "Cumulative Requests",
        x: times,
        y: [1, 2, 3],
        line: { color: "red" },
        meta: 0,
        xaxis: "x4",
        yaxis: "y4",
      },
    );
    assert.deepEqual(
      [layout.title, layout.showlegend, layout.height],
      [{ text: "LLM Observability Metrics Dashboard" }, true, 800],
    );
    assert.deepEqual(
      [layout.xaxis, layout.yaxis],
      [
        { anchor: "y", domain: [0, 0.45] },
        { anchor: "x", domain: [0.625, 1] },
      ],
    );
    assert.deepEqual(
      [layout.xaxis4, layout.yaxis4],
      [
        { anchor: "y4", domain: [0.55, 1] },
        { anchor: "x4", domain: [0, 0.375] },
      ],
    );
    assert.deepEqual(
      layout.annotations.map(({ text, x, y }: Json) => [text, x, y]),
      [
        ["Request Latency Distribution", 0.225, 1],
        ["Token Usage Over Time", 0.775, 1],
        ["Tokens per Request (Input vs Output)", 0.225, 0.375],
        ["Request Rate Over Time", 0.775, 0.375],
      ],
    );
    assert.deepEqual(config, { responsive: true, displaylogo: false, showSendToCloud: false, plotlyServerURL: "" });
  });

  it("stand alone, too", async () => {
    const summary = await summaryOf(three);
    for (const [name, type, title] of [
      ["request_latency", "histogram", "Request Latency Distribution"],
      ["tokens_over_time", "scatter", "Token Usage Over Time"],
      ["input_against_output", "scatter", "Tokens per Request (Input vs Output)"],
      ["request_rate", "scatter", "Request Rate Over Time"],
    ] as const) {
      const { data, layout } = drawn(fileFigures, name, summary);
      assert.equal(data[0].type, type);
      assert.deepEqual(layout.title, { text: title });
      assert.equal(layout.meta.requests, 3);
    }
  });

  it("are valid without any request", async () => {
    const { data, layout } = drawn(fileFigures, "dashboard", await summaryOf([]));
    assert.deepEqual(
      data.map(({ x }: Json) => x),
      [[], [], [], []],
    );
    assert.deepEqual(layout.meta.latency, { p50_ms: null, p95_ms: null, max_ms: null });
  });

  // Scenario: eight times as many requests as a trace may have points.
  // Guarantees: no trace is longer than max_points; failed and slow requests are there; bars, totals and the running
  // total are those of all requests.
  it(`are thinned above max_points, with exact totals (OTELPIPE_SEED=${seed})`, async () => {
    const generated = generate(45_000);
    const maxPoints = 5000;
    const summary = await summaryOf(generated, maxPoints);
    const inWindow = generated.filter(({ startUnixMs }) => startUnixMs >= Date.UTC(2026, 0, 1, 2, 0, 0));
    assert.ok(inWindow.length > 8 * maxPoints && inWindow.length < generated.length);
    const { data, layout } = drawn(fileFigures, "dashboard", summary);
    const [latency, tokens, scatter, total] = data;
    for (const trace of data)
      assert.ok(trace.x.length <= maxPoints && trace.x.length > 0, `${trace.name}: ${trace.x.length}`);
    assert.equal(latency.type, "bar");
    assert.equal(sum(latency.y), inWindow.length);
    latency.x.slice(0, -1).forEach((from: number, bar: number) => {
      const within = inWindow.filter(({ durationMs }) => durationMs >= from && durationMs < from + latency.width);
      assert.equal(latency.y[bar], within.length);
    });
    const { meta } = layout;
    assert.equal(meta.requests, inWindow.length);
    assert.equal(meta.failed, inWindow.filter(({ failed }) => failed).length);
    assert.equal(meta.input_tokens, sum(inWindow.map(({ input }) => input)));
    assert.equal(meta.output_tokens, sum(inWindow.map(({ output }) => output)));
    assert.equal(meta.total_tokens, meta.input_tokens + meta.output_tokens);
    assert.equal(meta.latency.max_ms, Math.max(...inWindow.map(({ durationMs }) => durationMs)));
    const durations = inWindow.map(({ durationMs }) => durationMs).sort((a, b) => a - b);
    for (const [name, q] of [
      ["p50_ms", 0.5],
      ["p95_ms", 0.95],
    ] as const) {
      const exact = durations[Math.round((durations.length - 1) * q)]!;
      assert.ok(Math.abs(meta.latency[name] / exact - 1) < 0.0072, `${name}: ${meta.latency[name]}, exact ${exact}`);
    }
    assert.deepEqual([meta.drawn, meta.thinned], [scatter.x.length, true]);
    const shown = new Set(scatter.marker.color);
    for (const { durationMs } of inWindow.filter(({ failed }) => failed))
      assert.ok(shown.has(durationMs), "a failed request is missing");
    const slowest = inWindow
      .filter(({ failed }) => !failed)
      .map(({ durationMs }) => durationMs)
      .sort((a, b) => b - a)
      .slice(0, 1000);
    for (const durationMs of slowest) assert.ok(shown.has(durationMs), "a slow request is missing");
    const starts = inWindow.map(({ startUnixMs }) => startUnixMs).sort((a, b) => a - b);
    total.x.forEach((time: string, place: number) => {
      const count = total.y[place];
      assert.ok(count === 0 || starts[count - 1]! < Date.parse(time), "counts only what has started");
      assert.ok(count === starts.length || starts[count]! >= Date.parse(time), "counts all that has started");
    });
    assert.equal(total.y.at(-1), inWindow.length);
    assert.ok(
      tokens.x.every((time: string, place: number) => place === 0 || tokens.x[place - 1] <= time),
      "in order of time",
    );
  });

  it("keep to max_points when every request failed", async () => {
    const failed = generate(3000).map((request) => ({ ...request, startUnixMs: toUnixMs - 5, failed: true }));
    const { data, layout } = drawn(fileFigures, "input_against_output", await summaryOf(failed, 100));
    assert.ok(data[0].x.length <= 100 && data[0].x.length >= 40, `${data[0].x.length} points`);
    assert.equal(layout.meta.failed, 3000);
  });
});

describe("the figures on the page", () => {
  it(`hold the same requests in bars (OTELPIPE_SEED=${seed})`, async () => {
    const generated = generate(20_000);
    const summary = await summaryOf(generated);
    const inWindow = generated.filter(({ startUnixMs }) => startUnixMs >= summary.fromUnixMs);
    const latency = drawn(pageFigures, "request_latency", summary);
    const [ok, failed] = latency.data;
    assert.deepEqual([ok.meta.role, failed.meta.role, latency.layout.barmode], ["ok", "failed", "stack"]);
    assert.equal(sum(ok.y) + sum(failed.y), inWindow.length);
    assert.equal(sum(failed.y), inWindow.filter((request) => request.failed).length);
    ok.x.forEach((from: number, bar: number) => {
      const within = inWindow.filter(
        ({ durationMs }) => Math.floor(Math.log10(durationMs) * 10) === Math.round(from * 10),
      );
      assert.equal(ok.y[bar] + failed.y[bar], within.length);
    });
    const tokens = drawn(pageFigures, "tokens_over_time", summary);
    assert.deepEqual(
      tokens.data.map(({ meta }: Json) => meta.role),
      ["input_tokens", "output_tokens"],
    );
    tokens.data[0].x.forEach((time: string, bucket: number) => {
      const from = Date.parse(time);
      const within = inWindow.filter(({ startUnixMs }) => startUnixMs >= from && startUnixMs < from + 10_000);
      assert.equal(tokens.data[0].y[bucket], sum(within.map(({ input }) => input)));
      assert.equal(tokens.data[1].y[bucket], sum(within.map(({ output }) => output)));
    });
    const rate = drawn(pageFigures, "request_rate", summary);
    const [rates, , total] = rate.data;
    assert.equal(Math.round(sum(rates.y.slice(0, 90)) * 10 + rates.y[90] * 3), inWindow.length);
    assert.equal(total.y.at(-1), inWindow.length);
    assert.equal(total.yaxis, "y2");
  });

  it("tell failed requests apart, and show hostile model names as text", async () => {
    const base = { startUnixMs: toUnixMs - 1000, durationMs: 1500, input: 99, output: 9 };
    const hostile = '<img src=x onerror="alert(1)">';
    const summary = await summaryOf([
      { ...base, failed: false, model: hostile },
      { ...base, failed: true, model: "" },
    ]);
    const { data } = drawn(pageFigures, "input_against_output", summary);
    const [ok, failed] = data;
    assert.deepEqual([ok.x, ok.y], [[2], [1]]);
    assert.match(ok.text[0], /^&lt;img src=x onerror="alert\(1\)"&gt;<br>99 in, 9 out<br>1\.50.s$/);
    assert.match(failed.text[0], /^model not reported<br>.*, failed$/);
    for (const { draw } of [...pageFigures, ...fileFigures]) {
      const text = JSON.stringify(draw(summary));
      assert.ok(!text.includes("<img"), "unescaped telemetry");
      for (const template of text.matchAll(/"hovertemplate":"([^"]*)"/g))
        assert.equal(template[1], "%{text}<extra></extra>");
    }
  });

  it("stand empty with axes before the first request", async () => {
    const summary = await summaryOf([]);
    for (const { draw } of pageFigures) {
      const { layout } = JSON.parse(JSON.stringify(draw(summary)));
      assert.equal(layout.meta.requests, 0);
      assert.ok(layout.xaxis.range.every((end: unknown) => end !== null));
      assert.ok(layout.yaxis.range.every(Number.isFinite));
    }
  });
});
