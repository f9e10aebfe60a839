import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import { decode } from "../../pipeline/pdata/index.ts";
import aggregate from "../../processors/aggregate/index.ts";
import { tracesOf } from "../pipeline/frame/build_spans.ts";
import { runningClock } from "../pipeline/frame/running_clock.ts";
import { rowsOfTable } from "../pipeline/frame/tables.ts";
import { run, simulatedHost } from "../support/simulated_host.ts";
import { turns } from "../support/turns.ts";

/** The processor with `settings`, at a time that is a multiple of 10 s. */
function open(settings: object) {
  const host = simulatedHost({ id: "aggregate/llm" });
  runningClock(host.clock);
  const operator = aggregate.traces!(aggregate.config.parse(settings), host);
  const pipeline = run(operator);
  const published = () => host.board.find("tables", "aggregate/llm");
  const tables = published();
  assert.ok(tables !== undefined);
  return { host, operator, pipeline, startMs: host.clock.nowMs(), tables, published };
}

describe("the aggregate processor", () => {
  it("passes every delivery on as it came and leaves the answer to who is behind it", async () => {
    const { pipeline, startMs } = open({});
    const traces = tracesOf([{ endUnixMs: startMs - 1 }, { endUnixMs: startMs - 86_400_000 }]);
    pipeline.push(traces);
    assert.equal(pipeline.sent[0]?.data, traces);
    assert.deepEqual(pipeline.answers(), [[]]);
    pipeline.sent[0]?.ack();
    assert.deepEqual(pipeline.answers(), [["ack"]]);
    pipeline.stop();
  });

  it("publishes a table per window, with the columns of the issue's example", async () => {
    const { host, pipeline, startMs, tables } = open({
      window: "10s",
      allowed_lateness: "5s",
      group_by: ["resource.service.name", "gen_ai.request.model", "status"],
      columns: { requests: "count", tokens: "sum(gen_ai.usage.output_tokens)", p95_ms: "quantile(duration, 0.95)" },
      engine: "auto",
    });
    host.advance(10_000);
    const chat = (
      service: string,
      model: string | undefined,
      durationMs: number,
      tokens: number | undefined,
      status = 1,
    ) => ({
      service,
      status,
      startUnixMs: startMs + 9_000 - durationMs,
      endUnixMs: startMs + 9_000,
      attributes: {
        ...(model !== undefined && { "gen_ai.request.model": model }),
        ...(tokens !== undefined && { "gen_ai.usage.output_tokens": tokens }),
      },
    });
    pipeline.push(
      tracesOf([
        chat("api", "gemma", 100, 10),
        chat("api", "gemma", 300, 20),
        chat("api", "gemma", 50, undefined, 2),
        chat("jobs", undefined, 1.5, undefined),
      ]),
    );
    host.advance(20_000);
    await turns(50);
    const windows = tables.windows();
    assert.equal(windows.length, 1);
    assert.equal(windows[0]?.startUnixMs, startMs);
    assert.equal(windows[0]?.endUnixMs, startMs + 10_000);
    assert.deepEqual(rowsOfTable(windows[0]), [
      {
        "resource.service.name": "api",
        "gen_ai.request.model": "gemma",
        status: "OK",
        requests: 2,
        tokens: 30,
        p95_ms: 290,
      },
      { "resource.service.name": "api", "gen_ai.request.model": "gemma", status: "ERROR", requests: 1, p95_ms: 50 },
      { "resource.service.name": "jobs", status: "OK", requests: 1, p95_ms: 1.5 },
    ]);
    assert.match(tables.engine, /^cpu \((no NVIDIA GPU|rapids: it is starting)\)$/);
    pipeline.stop();
  });

  for (const { groupBy, want } of [
    { groupBy: "name", want: "chat" },
    { groupBy: "kind", want: "CLIENT" },
    { groupBy: "status", want: "OK" },
    { groupBy: "trace_id", want: "00000000000000000000000000000001" },
    { groupBy: "span_id", want: "0000000000000001" },
    { groupBy: "parent_span_id", want: undefined },
    { groupBy: "status_message", want: "" },
    { groupBy: "scope.name", want: "tests" },
    { groupBy: "scope.version", want: "1" },
    { groupBy: "scope.missing", want: undefined },
    { groupBy: "resource.service.name", want: "api" },
    { groupBy: "gen_ai.request.model", want: "gemma" },
    { groupBy: "span.gen_ai.request.model", want: "gemma", name: "gen_ai.request.model" },
    { groupBy: "count", want: "3" },
    { groupBy: "share", want: "0.5" },
    { groupBy: "stream", want: "true" },
    { groupBy: "duration", want: "100" },
  ] as { groupBy: string; want: string | undefined; name?: string }[]) {
    it(`groups by ${groupBy}`, async () => {
      const { host, pipeline, startMs, tables } = open({ group_by: [groupBy], columns: { n: "count" } });
      const attributes = { "gen_ai.request.model": "gemma", count: 3, share: 0.5, stream: true };
      pipeline.push(tracesOf([{ service: "api", endUnixMs: startMs, attributes }]));
      pipeline.complete();
      await turns(50);
      const column = groupBy.replace(/^span\./, "");
      assert.deepEqual(rowsOfTable(tables.windows()[0]), [want === undefined ? { n: 1 } : { [column]: want, n: 1 }]);
      assert.equal(host.fatals.length, 0);
      pipeline.stop();
    });
  }

  it("computes rates, extremes and distinct counts, and skips what is no number", async () => {
    const { pipeline, startMs, tables } = open({
      group_by: [],
      columns: {
        failed: "error_rate",
        models: "nunique(model)",
        named: "count(model)",
        mean: "mean(tokens)",
        std: "std(tokens)",
        min: "min(tokens)",
        max: "max(tokens)",
        median: "quantile(tokens, 0.5)",
      },
    });
    const span = (status: number, attributes: Record<string, string | number>) => ({
      endUnixMs: startMs,
      status,
      attributes,
    });
    pipeline.push(
      tracesOf([
        span(2, { model: "a", tokens: 1 }),
        span(1, { model: "b", tokens: 2 }),
        span(0, { model: "a", tokens: "many" }),
        span(1, { tokens: 6.5 }),
      ]),
    );
    pipeline.complete();
    await turns(50);
    const [row] = rowsOfTable(tables.windows()[0]);
    const std = Math.sqrt(((1 - 19 / 6) ** 2 + (2 - 19 / 6) ** 2 + (6.5 - 19 / 6) ** 2) / 2);
    assert.ok(Math.abs(Number(row?.["std"]) - std) < 1e-12);
    assert.deepEqual(
      { ...row, std: 0 },
      { failed: 0.25, models: 2, named: 3, mean: 19 / 6, std: 0, min: 1, max: 6.5, median: 2 },
    );
    pipeline.stop();
  });

  // Scenario: the pipeline ends while windows are open.
  // Guarantees: `complete` goes down when their tables are published, not before; nothing is left running.
  it("closes all windows when the pipeline ends", async () => {
    const { host, pipeline, startMs, tables, published } = open({ group_by: [], columns: { n: "count" } });
    const heard: number[] = [];
    tables.onWindow((window) => void heard.push(window.startUnixMs - startMs));
    pipeline.push(tracesOf([{ endUnixMs: startMs + 1 }, { endUnixMs: startMs - 3_000 }]));
    pipeline.complete();
    assert.equal(pipeline.isComplete(), false);
    await turns(50);
    assert.equal(pipeline.isComplete(), true);
    assert.deepEqual(heard, [-10_000, 0]);
    assert.equal(host.clock.pendingTimers, 0);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(published(), undefined);
  });

  it("counts late spans in a metric, a fact and one log line, and still passes them on", async () => {
    const { host, pipeline, startMs, tables } = open({ group_by: [], columns: { n: "count" } });
    host.advance(60_000);
    pipeline.push(tracesOf([{ endUnixMs: startMs + 50_000 }]));
    pipeline.push(tracesOf([{ endUnixMs: startMs + 1 }, { endUnixMs: startMs + 2 }]));
    pipeline.push(tracesOf([{ endUnixMs: startMs + 3 }]));
    assert.equal(pipeline.sent.length, 3);
    assert.equal(host.metric("otelcol_processor_aggregate_late_spans"), 3);
    assert.deepEqual(
      tables.facts?.().find(({ label }) => label === "late spans"),
      { label: "late spans", text: "3" },
    );
    assert.deepEqual(
      host.logs.map(({ level, fields }) => [level, fields["late"]]),
      [["warn", 2]],
    );
    pipeline.stop();
  });

  it("gathers what exceeds max_groups in one row, and counts it", async () => {
    const { host, pipeline, startMs, tables } = open({
      group_by: ["user", "status"],
      columns: { n: "count" },
      max_groups: 2,
    });
    const users = ["a", "b", "c", "a", "d", "b", "c"];
    pipeline.push(tracesOf(users.map((user) => ({ endUnixMs: startMs, attributes: { user } }))));
    pipeline.complete();
    await turns(50);
    assert.deepEqual(rowsOfTable(tables.windows()[0]), [
      { user: "a", status: "OK", n: 2 },
      { user: "b", status: "OK", n: 2 },
      { user: "otel.metric.overflow", status: "otel.metric.overflow", n: 3 },
    ]);
    assert.equal(host.metric("otelcol_processor_aggregate_overflow_spans"), 3);
    pipeline.stop();
  });

  it("closes a full window early, and says so in a metric, a fact and one log line", async () => {
    const { host, pipeline, startMs, tables } = open({ group_by: [], columns: { n: "count" }, max_spans: 2 });
    host.advance(10_000);
    pipeline.push(tracesOf([1_000, 2_000, 3_000, 4_000, 5_000].map((ms) => ({ endUnixMs: startMs + ms }))));
    pipeline.complete();
    await turns(50);
    assert.deepEqual(
      tables
        .windows()
        .map(({ startUnixMs, endUnixMs, columns: [n] }) => [startUnixMs - startMs, endUnixMs - startMs, n?.values[0]]),
      [
        [0, 2_000, 2],
        [2_000, 4_000, 2],
        [4_000, 10_000, 1],
      ],
    );
    assert.equal(host.metric("otelcol_processor_aggregate_early_windows", { reason: "max_spans" }), 2);
    assert.deepEqual(tables.facts?.().at(-1), { label: "full windows", text: "2" });
    assert.deepEqual(
      host.logs.filter(({ level }) => level === "warn").map(({ fields }) => fields),
      [{ reason: "max_spans", spans: 2, windows: 1 }],
    );
    pipeline.stop();
  });

  it("does not mistake a new text for an absent one when the groups are full", async () => {
    const { pipeline, startMs, tables } = open({ group_by: ["user"], columns: { n: "count" }, max_groups: 2 });
    const users: Record<string, string>[] = [{}, { user: "a" }, { user: "b" }, {}];
    pipeline.push(tracesOf(users.map((attributes) => ({ endUnixMs: startMs, attributes }))));
    pipeline.complete();
    await turns(50);
    assert.deepEqual(rowsOfTable(tables.windows()[0]), [
      { n: 2 },
      { user: "a", n: 1 },
      { user: "otel.metric.overflow", n: 1 },
    ]);
    pipeline.stop();
  });

  it("keeps the latest windows only", async () => {
    const { host, pipeline, startMs, tables } = open({ group_by: [], columns: { n: "count" }, history: 2 });
    host.advance(100_000);
    for (const second of [1, 21, 41, 61]) pipeline.push(tracesOf([{ endUnixMs: startMs + second * 1000 }]));
    pipeline.complete();
    await turns(50);
    assert.deepEqual(
      tables.windows().map((window) => window.startUnixMs - startMs),
      [40_000, 60_000],
    );
    pipeline.stop();
  });

  it("computes with cpu when the engine it was told to take is not there, and says why", async () => {
    const { host, pipeline, startMs, tables } = open({
      engine: { type: "rapids", device: 1, python: "/nowhere/python3" },
      group_by: [],
      columns: { n: "count" },
    });
    while (host.logs.length === 0) await setImmediate();
    pipeline.push(tracesOf([{ endUnixMs: startMs }]));
    pipeline.complete();
    while (tables.windows().length === 0) await setImmediate();
    assert.deepEqual(rowsOfTable(tables.windows()[0]), [{ n: 1 }]);
    assert.match(tables.engine, /^cpu \(rapids: spawn \/nowhere\/python3 ENOENT/);
    assert.deepEqual([host.logs[0]?.level, host.logs[0]?.fields["reason"]], ["warn", "cannot_start"]);
    assert.equal(host.metric("otelpipe_aggregate_windows", { engine: "cpu", reason: "cannot_start" }), 1);
    assert.deepEqual(
      tables.facts?.().find(({ label }) => label === "computed by"),
      { label: "computed by", text: "cpu 1 (cannot_start)" },
    );
    pipeline.stop();
  });

  it("says that cpu computes because there is no GPU, with auto", async () => {
    const { host, pipeline, startMs, tables } = open({ group_by: [], columns: { n: "count" } });
    pipeline.push(tracesOf([{ endUnixMs: startMs }]));
    pipeline.complete();
    while (tables.windows().length === 0) await setImmediate();
    assert.equal(tables.engine, "cpu (no NVIDIA GPU)");
    assert.equal(host.metric("otelpipe_aggregate_windows", { engine: "cpu", reason: "no_gpu" }), 1);
    assert.deepEqual(
      tables.facts?.().find(({ label }) => label === "computed by"),
      { label: "computed by", text: "cpu 1 (no_gpu)" },
    );
    pipeline.stop();
  });

  // Scenario: two pipelines list the same component id; one ends first.
  // Guarantees: their spans meet in one table, which is complete when both have ended.
  it("joins the pipelines that list one id", async () => {
    const { operator, pipeline, startMs, tables, published } = open({ group_by: [], columns: { n: "count" } });
    const other = run(operator);
    pipeline.push(tracesOf([{ endUnixMs: startMs }]));
    pipeline.complete();
    await turns(50);
    assert.equal(pipeline.isComplete(), true);
    assert.equal(published(), tables);
    other.push(tracesOf([{ endUnixMs: startMs }]));
    other.complete();
    await turns(50);
    assert.deepEqual(rowsOfTable(tables.windows()[0]), [{ n: 2 }]);
    assert.equal(published(), undefined);
  });

  // Scenario: old telemetry is replayed, which closes a thousand windows at once.
  // Guarantees: they are computed in steps that let others run in between.
  it("computes many small windows in steps", async () => {
    const { host, pipeline, startMs, tables } = open({ group_by: [], columns: { n: "count" }, history: 2000 });
    host.advance(1000 * 10_000);
    pipeline.push(tracesOf(Array.from({ length: 1000 }, (_, window) => ({ endUnixMs: startMs + window * 10_000 }))));
    await setImmediate();
    assert.ok(tables.windows().length < 100, `${tables.windows().length} windows in one step`);
    pipeline.complete();
    await turns(50);
    assert.equal(tables.windows().length, 1000);
    assert.equal(host.budget.usedBytes, 0);
    pipeline.stop();
  });

  // Scenario: a batch far longer than one step, then a short one.
  // Guarantees: both go on at once; all spans are counted, the long batch in steps with pauses.
  it("reads a long batch in steps", async () => {
    const { host, pipeline, startMs, tables } = open({ group_by: [], columns: { n: "count" } });
    const long = tracesOf(Array.from({ length: 20_000 }, () => ({ endUnixMs: startMs })));
    pipeline.push(long);
    pipeline.push(tracesOf([{ endUnixMs: startMs }]));
    assert.equal(pipeline.sent.length, 2);
    assert.ok(host.budget.usedBytes >= long.sizeBytes);
    pipeline.complete();
    await turns(50);
    assert.deepEqual(rowsOfTable(tables.windows()[0]), [{ n: 20_001 }]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(decode(pipeline.sent[0]!.data).resourceSpans.length, 20_000);
    pipeline.stop();
  });
});
