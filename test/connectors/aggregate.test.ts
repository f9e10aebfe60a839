import assert from "node:assert/strict";
import { describe, it } from "node:test";
import aggregate from "../../connectors/aggregate/index.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import type { Outlet } from "../../pipeline/host.ts";
import { decode, type Metrics } from "../../pipeline/pdata/index.ts";
import { type SpanSketch, tracesOf } from "../pipeline/frame/build_spans.ts";
import { runningClock } from "../pipeline/frame/running_clock.ts";
import { recordedDelivery, simulatedHost } from "../support/simulated_host.ts";
import { turns } from "../support/turns.ts";

const settings = {
  group_by: ["resource.service.name", "gen_ai.request.model", "status"],
  columns: {
    requests: "count",
    tokens: "sum(gen_ai.usage.output_tokens)",
    models: "nunique(gen_ai.request.model)",
    p95_ms: "quantile(duration, 0.95)",
    failed: "error_rate",
  },
};

/** The connector, started, with metrics pipelines that answer as `answerWith` says: undefined is yes. */
async function open(changes: object = {}, answerWith: (attempt: number) => ConsumeError | undefined = () => undefined) {
  const offered: Metrics[] = [];
  const outlet: Outlet<Metrics> = {
    offer(metrics, _caller, answer) {
      offered.push(metrics);
      answer(answerWith(offered.length));
    },
  };
  const host = simulatedHost({ id: "aggregate", outlets: { metrics: outlet } });
  runningClock(host.clock);
  const connector = aggregate.create(aggregate.config.parse({ ...settings, ...changes }), host);
  await connector.start?.();
  const consume = (spans: SpanSketch[]) => {
    const { delivery, answers } = recordedDelivery(tracesOf(spans));
    connector.consume(delivery);
    return answers;
  };
  const drain = () => connector.drain?.(host.clock.monotonicMs() + 10_000) ?? Promise.resolve();
  return { host, connector, offered, consume, drain, startMs: host.clock.nowMs() };
}

function span(endUnixMs: number, changes: Partial<SpanSketch> & { model?: string; tokens?: number } = {}): SpanSketch {
  const { model = "gemma", tokens, ...rest } = changes;
  const attributes = {
    "gen_ai.request.model": model,
    ...(tokens !== undefined && { "gen_ai.usage.output_tokens": tokens }),
  };
  return { service: "api", endUnixMs, attributes, ...rest };
}

describe("the aggregate connector", () => {
  it("turns each closed window into metrics, with resources and point attributes from group_by", async () => {
    const { host, offered, consume, drain, startMs, connector } = await open();
    consume([
      span(startMs, { startUnixMs: startMs - 40, tokens: 10 }),
      span(startMs + 1, { startUnixMs: startMs - 39, tokens: 20 }),
      span(startMs + 2, { startUnixMs: startMs - 68, status: 2 }),
      span(startMs + 3, { service: "jobs", startUnixMs: startMs - 7, tokens: 1 }),
    ]);
    await drain();
    assert.equal(offered.length, 1);
    const [api, jobs] = decode(offered[0]!).resourceMetrics;
    const text = (key: string, stringValue: string) => ({ key, stringValue });
    const attributes = (list: { key: string; value: { stringValue?: string } }[]) =>
      list.map(({ key, value }) => ({ key, stringValue: value.stringValue }));
    assert.deepEqual(attributes(api?.resource?.attributes as never), [text("service.name", "api")]);
    assert.deepEqual(attributes(jobs?.resource?.attributes as never), [text("service.name", "jobs")]);
    assert.deepEqual(api?.scopeMetrics[0]?.scope?.name, "otelpipe.aggregate");
    const shapes = api?.scopeMetrics[0]?.metrics.map(({ name, unit, sum, gauge }) => ({
      name,
      unit,
      ...(sum !== undefined && { temporality: sum.aggregationTemporality, monotonic: sum.isMonotonic }),
      points: (sum ?? gauge)?.dataPoints.map((point) => [
        point.attributes.map(({ value }) => value?.stringValue).join(" "),
        point.asInt ?? point.asDouble,
      ]),
    }));
    assert.deepEqual(shapes, [
      {
        name: "requests",
        unit: "{span}",
        temporality: 1,
        monotonic: true,
        points: [
          ["gemma OK", 2n],
          ["gemma ERROR", 1n],
        ],
      },
      { name: "tokens", unit: "{token}", temporality: 1, monotonic: true, points: [["gemma OK", 30]] },
      {
        name: "models",
        unit: "{value}",
        points: [
          ["gemma OK", 1n],
          ["gemma ERROR", 1n],
        ],
      },
      {
        name: "p95_ms",
        unit: "ms",
        points: [
          ["gemma OK", 40],
          ["gemma ERROR", 70],
        ],
      },
      {
        name: "failed",
        unit: "1",
        points: [
          ["gemma OK", 0],
          ["gemma ERROR", 1],
        ],
      },
    ]);
    const point = api?.scopeMetrics[0]?.metrics[0]?.sum?.dataPoints[0];
    assert.deepEqual(
      point?.attributes.map(({ key }) => key),
      ["gen_ai.request.model", "status"],
    );
    assert.equal(point?.startTimeUnixNano, BigInt(startMs) * 1_000_000n);
    assert.equal(point?.timeUnixNano, BigInt(startMs + 10_000) * 1_000_000n);
    assert.deepEqual(host.fatals, []);
    await connector.stop?.();
    await connector.stop?.();
  });

  it("encodes a window of many groups in steps, every point once", async () => {
    const { offered, consume, drain, startMs, connector, host } = await open({
      columns: { n: "count", mean_ms: "mean(duration)" },
    });
    const spans = Array.from({ length: 700 }, (_, row) =>
      span(startMs, { model: `model ${row % 350}`, service: `service ${row % 2}` }),
    );
    consume(spans);
    await drain();
    assert.equal(offered.length, 1);
    assert.equal(offered[0]?.itemCount, 2 * 350);
    assert.ok((offered[0]?.chunks.length ?? 0) >= 7, "a hundred points a step");
    const points = decode(offered[0]!).resourceMetrics.flatMap(({ scopeMetrics }) =>
      scopeMetrics.flatMap(({ metrics }) => metrics.flatMap(({ sum }) => sum?.dataPoints ?? [])),
    );
    assert.equal(points.length, 350);
    assert.ok(points.every(({ asInt }) => asInt === 2n));
    assert.equal(host.books.sent, 700);
    await connector.stop?.();
  });

  it("sends nothing for a window without any value, and keeps its books", async () => {
    const { offered, consume, drain, startMs, connector, host } = await open({
      columns: { tokens: "sum(gen_ai.usage.output_tokens)" },
    });
    consume([span(startMs)]);
    await drain();
    assert.equal(offered.length, 0);
    assert.equal(host.books.sent, 1);
    await connector.stop?.();
  });

  it("marks the row of what exceeds max_groups", async () => {
    const { offered, consume, drain, startMs, connector } = await open({ max_groups: 1 });
    consume([span(startMs), span(startMs, { model: "b" }), span(startMs, { model: "c", service: "jobs" })]);
    await drain();
    const resources = decode(offered[0]!).resourceMetrics;
    const overflow = resources[1]?.scopeMetrics[0]?.metrics[0]?.sum?.dataPoints[0];
    assert.deepEqual(resources[1]?.resource?.attributes, []);
    assert.deepEqual(
      overflow?.attributes.map(({ key, value }) => [key, value?.boolValue]),
      [["otel.metric.overflow", true]],
    );
    assert.equal(overflow?.asInt, 2n);
    await connector.stop?.();
  });

  // Scenario: spans in two windows; the first window closes while the second is open; one span comes too late.
  // Guarantees: spans are acked at once and held in the books until the metrics of their window are taken.
  it("keeps its books by windows", async () => {
    const { host, consume, drain, startMs, connector } = await open();
    host.advance(40_000);
    assert.deepEqual(consume([span(startMs), span(startMs + 1), span(startMs + 2)]), ["ack"]);
    assert.equal(host.books.sent, 0);
    assert.deepEqual(consume([span(startMs + 20_000)]), ["ack"]);
    await turns(50);
    assert.equal(host.books.sent, 3);
    assert.deepEqual(consume([span(startMs + 3), span(startMs + 20_001)]), ["ack"]);
    assert.deepEqual(Object.fromEntries(host.dropped), { late: 1 });
    await drain();
    assert.equal(host.books.sent, 5);
    assert.equal(host.budget.usedBytes, 0);
    await connector.stop?.();
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("closes the last window without further data", async () => {
    const { host, offered, consume, startMs, connector } = await open();
    consume([span(startMs)]);
    host.advance(60_000);
    await turns(50);
    assert.equal(offered.length, 1);
    await connector.stop?.();
  });

  it("offers metrics again that were refused for now, after the pause the refusal asks for", async () => {
    const busy = new ConsumeError("busy", { retryable: true, delayMs: 300 });
    const { host, offered, consume, startMs, connector } = await open({}, (attempt) =>
      attempt < 3 ? busy : undefined,
    );
    consume([span(startMs), span(startMs + 30_000)]);
    host.advance(60_000);
    consume([span(startMs + 60_000)]);
    await turns(50);
    assert.equal(offered.length, 1);
    host.advance(299);
    assert.equal(offered.length, 1);
    host.advance(1);
    assert.equal(offered.length, 2);
    host.advance(300);
    assert.equal(offered.length, 3);
    assert.equal(offered[0], offered[2]);
    assert.equal(host.books.sent, 1);
    await connector.stop?.();
  });

  it("drops a window's spans with a reason when its metrics are refused for good", async () => {
    const bad = new ConsumeError("no such field", { retryable: false });
    const { host, consume, drain, startMs, connector } = await open({}, () => bad);
    consume([span(startMs), span(startMs)]);
    await drain();
    assert.equal(host.books.sent, 0);
    assert.deepEqual(Object.fromEntries(host.dropped), { metrics_refused: 2 });
    assert.ok(host.logs.some(({ level }) => level === "error"));
    await connector.stop?.();
  });

  it("gives up at the deadline of a drain, and says so in the books", async () => {
    const busy = new ConsumeError("busy", { retryable: true });
    const { host, consume, drain, startMs, connector } = await open({}, () => busy);
    consume([span(startMs)]);
    const drained = drain();
    await turns(50);
    host.advance(10_000);
    await drained;
    assert.deepEqual(Object.fromEntries(host.dropped), { shutdown: 1 });
    await connector.stop?.();
    assert.equal(host.clock.pendingTimers, 0);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("says in the books what a stop without a drain loses", async () => {
    const { host, consume, startMs, connector } = await open();
    consume([span(startMs), span(startMs)]);
    await connector.stop?.();
    assert.deepEqual(Object.fromEntries(host.dropped), { shutdown: 2 });
    assert.equal(host.budget.usedBytes, 0);
  });

  it("publishes its tables while it runs", async () => {
    const { host, connector } = await open();
    const engine = host.board.find("tables", "aggregate")?.engine;
    assert.match(engine ?? "", /^cpu \((no NVIDIA GPU|rapids: it is starting)\)$/);
    assert.deepEqual(connector.facts?.()[0], { label: "engine", text: engine });
    await connector.stop?.();
    assert.equal(host.board.find("tables", "aggregate"), undefined);
  });
});
