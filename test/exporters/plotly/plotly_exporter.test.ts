import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { setImmediate } from "node:timers/promises";
import plotly from "../../../exporters/plotly/index.ts";
import { stringColumn } from "../../../pipeline/frame/builders.ts";
import { TableHistory } from "../../../pipeline/frame/tables.ts";
import { bytesOfNestedCalls } from "../../../pipeline/llm/nested_calls.ts";
import { type SpanSketch, tracesOf } from "../../pipeline/frame/build_spans.ts";
import { runningClock } from "../../pipeline/frame/running_clock.ts";
import { recordedDelivery, simulatedHost } from "../../support/simulated_host.ts";
import { turns } from "../../support/turns.ts";

const cleanups: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0)) await cleanup();
});

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "otelpipe-plotly-"));
  cleanups.push(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

async function open(given: { directory?: string; [key: string]: unknown } = {}) {
  const settings = { directory: "", ...given };
  const host = simulatedHost({ id: "plotly" });
  runningClock(host.clock);
  const exporter = plotly.traces!(plotly.config.parse(settings), host);
  await exporter.start?.();
  cleanups.push(async () => exporter.stop?.());
  host.advance(0); // the first figures are drawn once everything has started
  await turns(50);
  if (settings.directory !== "") await firstFiles(settings.directory);
  const consume = (spans: SpanSketch[]) => {
    const { delivery, answers } = recordedDelivery(tracesOf(spans));
    exporter.consume(delivery);
    return answers;
  };
  const figures = () => host.board.find("figures", "plotly")?.figures() ?? [];
  const figure = (name: string) => {
    const found = figures().find((candidate) => candidate.name === name);
    assert.ok(found !== undefined, name);
    return JSON.parse(found.json().toString());
  };
  const drain = () => exporter.drain?.(Number.POSITIVE_INFINITY);
  return { host, exporter, consume, drain, figures, figure };
}

/** Waits until the files that are written after the start are there, complete. */
async function firstFiles(directory: string): Promise<void> {
  const isWhole = (files: string[]) => files.length === 5 && files.every((file) => !file.startsWith("."));
  while (!isWhole(await readdir(directory))) await setImmediate();
}

function chat(endUnixMs: number, changes: Partial<SpanSketch> = {}): SpanSketch {
  const attributes = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "gemma",
    "gen_ai.usage.input_tokens": 12,
    "gen_ai.usage.output_tokens": 30,
  };
  return { startUnixMs: endUnixMs - 500, endUnixMs, attributes, ...changes };
}

describe("the plotly exporter", () => {
  it("publishes four figures, in both forms of their names, from the start", async () => {
    const { figures } = await open();
    assert.deepEqual(
      figures().map(({ name, title }) => [name, title]),
      [
        ["request_latency", "Request latency"],
        ["tokens_over_time", "Tokens over time"],
        ["input_against_output", "Input against output"],
        ["request_rate", "Request rate"],
      ],
    );
  });

  it("takes every span, and answers once it has looked at it", async () => {
    const { host, consume, drain, figure } = await open();
    const now = host.clock.nowMs();
    assert.deepEqual(consume([chat(now), { endUnixMs: now, name: "GET /" }]), ["ack"]);
    assert.equal(host.books.sent, 2);
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 1);
  });

  for (const { what, span, kind, isRequest } of [
    { what: "chat", span: { "gen_ai.operation.name": "chat" }, isRequest: true },
    { what: "text_completion", span: { "gen_ai.operation.name": "text_completion" }, isRequest: true },
    { what: "embeddings", span: { "gen_ai.operation.name": "embeddings" }, isRequest: true },
    { what: "an operation of the sender's own", span: { "gen_ai.operation.name": "rerank" }, isRequest: true },
    { what: "a model without an operation", span: { "gen_ai.request.model": "m" }, isRequest: true },
    { what: "a response model without an operation", span: { "gen_ai.response.model": "m" }, isRequest: true },
    { what: "no gen_ai attribute", span: { "http.route": "/" }, isRequest: false },
    {
      what: "an agent",
      span: { "gen_ai.operation.name": "invoke_agent", "gen_ai.request.model": "m" },
      isRequest: false,
    },
    { what: "a tool", span: { "gen_ai.operation.name": "execute_tool" }, isRequest: false },
    { what: "a retrieval", span: { "gen_ai.operation.name": "retrieval" }, isRequest: false },
    { what: "an in-process model", span: { "gen_ai.operation.name": "chat" }, kind: 1, isRequest: true },
    { what: "the server's side", span: { "gen_ai.operation.name": "chat" }, kind: 2, isRequest: false },
    { what: "a producer", span: { "gen_ai.operation.name": "chat" }, kind: 4, isRequest: false },
  ] as { what: string; span: Record<string, string>; kind?: number; isRequest: boolean }[]) {
    it(`${isRequest ? "draws" : "does not draw"} ${what}`, async () => {
      const { host, consume, drain, figure } = await open();
      consume([{ endUnixMs: host.clock.nowMs(), attributes: span, kind: kind ?? 3 }]);
      await drain();
      assert.equal(figure("request_rate").layout.meta.requests, isRequest ? 1 : 0);
    });
  }

  it("draws anew once a second while spans come, and every ten seconds while none come", async () => {
    const { host, consume, figures } = await open();
    const versions = async (ms: number) => {
      const before = figures()[0]?.version ?? 0;
      for (let passed = 0; passed < ms; passed += 100) {
        host.advance(100);
        await turns(50);
      }
      return (figures()[0]?.version ?? 0) - before;
    };
    consume([chat(host.clock.nowMs())]);
    assert.equal(await versions(900), 0);
    assert.equal(await versions(100), 1);
    consume([chat(host.clock.nowMs())]);
    consume([chat(host.clock.nowMs())]);
    assert.equal(await versions(1000), 1);
    assert.equal(await versions(9000), 0);
    assert.equal(await versions(1000), 1);
  });

  it("forgets a request once it has left the window", async () => {
    const { host, consume, drain, figure } = await open({ window: "1m" });
    consume([chat(host.clock.nowMs())]);
    host.advance(50_000);
    await turns(50);
    consume([chat(host.clock.nowMs())]);
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 2);
    host.advance(20_000);
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 1);
    host.advance(60_000);
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 0);
    assert.equal(host.budget.usedBytes, bytesOfNestedCalls);
  });

  it("counts a start in the future as now", async () => {
    const { host, consume, drain, figure } = await open();
    const now = host.clock.nowMs();
    consume([chat(now + 3_600_500)]);
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 1);
    host.advance(16 * 60_000);
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 0);
  });

  it("reads a long batch in steps and answers when all of it is drawn", async () => {
    const { host, consume, drain, figure } = await open();
    const answers = consume(Array.from({ length: 20_000 }, () => chat(host.clock.nowMs())));
    assert.deepEqual(answers, []);
    await drain();
    assert.deepEqual(answers, ["ack"]);
    assert.equal(host.books.sent, 20_000);
    const { meta } = figure("request_latency").layout;
    assert.deepEqual([meta.requests, meta.input_tokens, meta.output_tokens], [20_000, 240_000, 600_000]);
  });

  it("leaves nothing behind when it stops, twice", async () => {
    const { host, exporter, consume } = await open();
    consume([chat(host.clock.nowMs())]);
    await exporter.stop?.();
    await exporter.stop?.();
    assert.equal(host.clock.pendingTimers, 0);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.board.find("figures", "plotly"), undefined);
  });

  it("writes each figure and the board as a file, with no temporary ones left", async () => {
    const directory = join(await temporaryDirectory(), "made", "on", "demand");
    const { host, consume, drain } = await open({ directory });
    consume([chat(host.clock.nowMs())]);
    await drain();
    assert.deepEqual((await readdir(directory)).sort(), [
      "dashboard.json",
      "input_against_output.json",
      "request_latency.json",
      "request_rate.json",
      "tokens_over_time.json",
    ]);
    const board = JSON.parse(await readFile(join(directory, "dashboard.json"), "utf8"));
    assert.deepEqual(board.data[1].y, [42]);
    assert.equal(board.layout.meta.requests, 1);
  });

  // Scenario: a reader opens a file over and over while figures of very different length are written.
  // Guarantees: it always reads a whole figure.
  it("replaces files atomically", async () => {
    const directory = await temporaryDirectory();
    const { host, consume, drain } = await open({ directory });
    const path = join(directory, "dashboard.json");
    let writing = true;
    let reads = 0;
    const reading = (async () => {
      while (writing) {
        assert.equal(JSON.parse(await readFile(path, "utf8")).data.length, 4);
        reads++;
      }
    })();
    for (const count of [3000, 1, 4000, 2, 5000]) {
      consume(Array.from({ length: count }, () => chat(host.clock.nowMs())));
      await drain();
      host.advance(16 * 60_000);
      await drain();
    }
    writing = false;
    await reading;
    assert.ok(reads > 0);
  });

  // Scenario: figures are drawn every second, files written every 10 s; requests come all the time.
  // Guarantees: the files follow the figures, but no more often than they were asked to; at the end they are complete.
  it("writes files no more often than write_interval says, and at the end", async () => {
    const directory = await temporaryDirectory();
    const { host, consume, drain, figure } = await open({ directory, write_interval: "10s" });
    const written = async () =>
      JSON.parse(await readFile(join(directory, "dashboard.json"), "utf8")).layout.meta.requests;
    for (let second = 1; second <= 8; second++) {
      consume([chat(host.clock.nowMs())]);
      host.advance(1000);
      await turns(50);
    }
    assert.ok(figure("request_rate").layout.meta.requests > 0);
    assert.equal(await written(), 0);
    await drain();
    assert.equal(await written(), 8);
  });

  it("refuses to start where its directory cannot be", async () => {
    const file = join(await temporaryDirectory(), "file");
    await writeFile(file, "");
    await assert.rejects(open({ directory: join(file, "figures") }), /ENOTDIR/);
  });

  it("goes on when a file cannot be written, saying so once a minute", async () => {
    const directory = await temporaryDirectory();
    const { host, exporter, consume, drain, figure } = await open({ directory });
    await rm(directory, { recursive: true });
    assert.deepEqual(consume([chat(host.clock.nowMs())]), ["ack"]);
    await drain();
    await drain();
    assert.equal(figure("request_rate").layout.meta.requests, 1);
    assert.deepEqual(
      host.logs.map(({ level, message }) => [level, message]),
      [
        ["info", "Files with figures are written here."],
        ["warn", "A file with figures could not be written."],
      ],
    );
    assert.ok(exporter.facts?.().some(({ text }) => text === "cannot be written"));
  });
});

describe("the plotly exporter with tables", () => {
  function tables() {
    const history = new TableHistory(10, () => []);
    const add = (minute: number, rows: readonly (readonly [model: string | undefined, requests: number])[]) => {
      const texts = rows.map(([model]) => model ?? "");
      const codes = Int32Array.from(rows, ([model], row) => (model === undefined ? -1 : row));
      const values = Float64Array.from(rows, ([, requests]) => requests);
      const columns = [
        stringColumn("gen_ai.request.model", codes, texts),
        { name: "requests", type: "f64", length: rows.length, values } as const,
      ];
      const startUnixMs = Date.UTC(2026, 0, 1, 0, minute);
      history.add({ startUnixMs, endUnixMs: startUnixMs + 60_000, rowCount: rows.length, columns });
    };
    return { history, add };
  }

  it("draws a line per group, the largest first, with names that stay text", async () => {
    const directory = await temporaryDirectory();
    const { host, drain, figure } = await open({ directory, tables: ["aggregate/llm"] });
    const { history, add } = tables();
    host.board.publish("tables", "aggregate/llm", history);
    add(0, [
      ["<b>gemma</b>", 1],
      [undefined, 2],
    ]);
    add(1, [["<b>gemma</b>", 5]]);
    await drain();
    const { data, layout } = figure("aggregate_llm.requests");
    assert.deepEqual(
      data.map(({ name, x, y }: { name: string; x: string[]; y: number[] }) => ({ name, x, y })),
      [
        { name: "&lt;b&gt;gemma&lt;/b&gt;", x: ["2026-01-01T00:01:00.000Z", "2026-01-01T00:02:00.000Z"], y: [1, 5] },
        { name: "not reported", x: ["2026-01-01T00:01:00.000Z", "2026-01-01T00:02:00.000Z"], y: [2, null] },
      ],
    );
    assert.deepEqual(layout.meta, { figure: "aggregate_llm.requests", windows: 2, groups: 2, drawn: 2 });
    assert.ok((await readdir(directory)).includes("aggregate_llm.requests.json"));
  });

  it("draws the last windows of an aggregate that has ended", async () => {
    const { host, drain, figure } = await open({ tables: ["aggregate/llm"] });
    const { history, add } = tables();
    const withdraw = host.board.publish("tables", "aggregate/llm", history);
    add(0, [["gemma", 1]]);
    await drain();
    withdraw();
    add(1, [["gemma", 2]]);
    await drain();
    assert.deepEqual(figure("aggregate_llm.requests").data[0].y, [1, 2]);
  });

  it("forgets groups with the windows that are no longer kept", async () => {
    const { host, drain, figure } = await open({ tables: ["aggregate/llm"] });
    const { history, add } = tables();
    host.board.publish("tables", "aggregate/llm", history);
    add(0, [["retired", 100]]);
    await drain();
    for (let minute = 1; minute <= 10; minute++) add(minute, [["gemma", 1]]);
    await drain();
    const { data, layout } = figure("aggregate_llm.requests");
    assert.deepEqual([data.length, data[0].name, layout.meta.groups], [1, "gemma", 1]);
  });

  it("draws at most eight groups and says how many there are", async () => {
    const { host, drain, figure } = await open({ tables: ["aggregate/llm"] });
    const { history, add } = tables();
    host.board.publish("tables", "aggregate/llm", history);
    add(
      0,
      Array.from({ length: 12 }, (_, model) => [`model ${model}`, model] as const),
    );
    await drain();
    const { data, layout } = figure("aggregate_llm.requests");
    assert.deepEqual([data.length, data[0].name, layout.meta.groups], [8, "model 11", 12]);
  });

  it("warns once of an aggregate that is not there", async () => {
    const { host, drain } = await open({ tables: ["aggregate/typo"] });
    await drain();
    await drain();
    assert.deepEqual(
      host.logs.map(({ level, fields }) => [level, fields]),
      [["warn", { tables: "aggregate/typo" }]],
    );
  });
});
