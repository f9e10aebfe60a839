import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Tick } from "../../../dashboard/wire/messages.ts";
import { isLoss, Sampler } from "../../../extensions/dashboard/sampler.ts";
import { createBoard } from "../../../pipeline/telemetry/board.ts";
import { MadeGraph, MadeService } from "../../support/dashboard_data.ts";
import { refusedReload } from "../../support/refused_reload.ts";

const start = Date.UTC(2026, 0, 1);

/** A service and its sampler; `second` moves items and takes a sample a second later. */
function watched() {
  const service = new MadeService(start);
  const board = createBoard();
  const sampler = new Sampler(service, board, { figures: undefined, graph: undefined });
  let atMs = 0;
  const second = (spans: number, points = 0): Tick => {
    service.flow(spans, points);
    atMs += 1000;
    return sampler.take(atMs, start + atMs);
  };
  return { service, board, sampler, second };
}

function said(tick: Tick): string {
  return [...tick.sentence.headline, { text: " | " }, ...tick.sentence.detail]
    .map((run) => run.text)
    .join("")
    .replaceAll("\u00a0", " ");
}

describe("what the page is sent", () => {
  it("counts items and gives their rate per edge over the last seconds", () => {
    const { second } = watched();
    second(1000, 50);
    second(1000, 50);
    const tick = second(1000, 50);
    const edge = tick.edges.find(({ to }) => to === "processor:traces:batch");
    assert.deepEqual([edge?.items, edge?.rate], [3000, 1000]);
    const jaeger = tick.edges.find(({ to }) => to === "exporter:traces:otlp/jaeger");
    assert.deepEqual([jaeger?.items, jaeger?.rate], [750, 250]);
    const metrics = tick.edges.find(({ to }) => to === "exporter:metrics:debug");
    assert.deepEqual([metrics?.items, metrics?.rate, metrics?.signal], [150, 50, "metrics"]);
  });

  it("has no rate before there are two samples, and forgets what is older than five seconds", () => {
    const { second } = watched();
    assert.equal(second(100).edges[0]?.rate, 0);
    for (let at = 0; at < 10; at++) second(100);
    for (let at = 0; at < 5; at++) second(0);
    assert.equal(second(0).edges[0]?.rate, 0);
  });

  it("keeps the books in one row: what settings dropped apart from what was lost", () => {
    const { service, second } = watched();
    second(1000, 40);
    service.books("exporter:traces:otlp/jaeger").out -= 10;
    service.books("exporter:traces:otlp/jaeger").dropped.set("send_failed", 10);
    const { books } = second(0);
    assert.deepEqual(
      [books.received, books.delivered, books.lost, books.held, books.unbalanced],
      [1040, 1000 + 1000 + 240 + 40, 10, 0, []],
    );
    assert.deepEqual(
      books.dropped.map(({ reason, items, lost }) => [reason, items, lost]),
      [["sampled_out", 750, false]],
    );
  });

  it("shows no component that was removed, and goes on counting what it had delivered", () => {
    const { service, second } = watched();
    const { delivered } = second(1000).books;
    service.removed.add("exporter:traces:otlp/jaeger");
    const tick = second(0);
    assert.ok(!tick.nodes.some(({ key }) => key === "exporter:traces:otlp/jaeger"));
    assert.equal(tick.books.delivered, delivered);
  });

  it("names a component that gave out more than it took", () => {
    const { service, second } = watched();
    second(10);
    service.books("processor:traces:batch").out += 3;
    const tick = second(0);
    assert.deepEqual(tick.books.unbalanced, [{ key: "processor:traces:batch", difference: -3 }]);
    assert.match(said(tick), /^The books of batch are off by 3\./);
  });

  it("lists all figures and the first graph, or those the config names", () => {
    const service = new MadeService(start);
    const board = createBoard();
    const json = () => Buffer.from("{}");
    const figure = (name: string) => ({ name, title: name, version: 1, json, jsonOf: async () => json() });
    board.publish("figures", "plotly", { figures: () => [figure("latency")] });
    board.publish("figures", "plotly/other", { figures: () => [figure("tokens")] });
    board.publish("graph", "graphistry", new MadeGraph([]));
    board.publish("graph", "graphistry/other", new MadeGraph([]));
    const all = new Sampler(service, board, { figures: undefined, graph: undefined }).take(0, 0);
    assert.deepEqual(
      [all.figures.map(({ name }) => name), all.graph?.component],
      [["latency", "tokens"], "graphistry"],
    );
    const one = new Sampler(service, board, { figures: ["plotly/other"], graph: "graphistry/other" }).take(0, 0);
    assert.deepEqual([one.figures.map(({ name }) => name), one.graph?.component], [["tokens"], "graphistry/other"]);
  });

  it("calls a drop a loss by who dropped it and why", () => {
    assert.deepEqual(
      [
        isLoss("processor", "sampled_out"),
        isLoss("processor", "filtered_out"),
        isLoss("exporter", "rejected by peer"),
        isLoss("processor", "queue_full"),
      ],
      [false, false, true, true],
    );
  });
});

describe("the sentence", () => {
  it("says how to begin before anything came", () => {
    assert.equal(said(watched().second(0)), "No spans yet. | Send OTLP to localhost:4317, or run otelpipe generate.");
  });

  it("says that everything flows, what a sampler keeps, and that nothing was lost", () => {
    const { second } = watched();
    second(1000);
    const tick = second(1000);
    assert.equal(tick.sentence.level, "ok");
    assert.equal(
      said(tick),
      "Everything is flowing | probabilistic_sampler keeps 25 %. Nothing was lost since the start 2 s ago; the books balance.",
    );
  });

  it("names the exporter that loses, before anything else", () => {
    const { service, second } = watched();
    second(1000);
    service.facts.set("exporter:traces:otlp/jaeger", [{ label: "queue", text: "97 %" }]);
    service.books("exporter:traces:otlp/jaeger").out -= 40;
    service.books("exporter:traces:otlp/jaeger").dropped.set("send_failed", 40);
    const tick = second(1000);
    assert.deepEqual([tick.sentence.level, tick.sentence.node], ["error", "exporter:traces:otlp/jaeger"]);
    assert.equal(said(tick), "otlp/jaeger loses 40 /s. | Reason: send failed. 40 lost since the start.");
  });

  // Scenario: a queue fills by one percent a second for half a minute.
  // Guarantees: a warning that names it; a forecast only once the slope has been steady for 30 s.
  it("names the bottleneck and, when its queue fills steadily, when it overflows", () => {
    const { service, second } = watched();
    const queue = (percent: number) =>
      service.facts.set("exporter:traces:otlp/jaeger", [{ label: "queue", text: `${percent} %` }]);
    queue(50);
    assert.match(said(second(100)), /^otlp\/jaeger is the bottleneck\. Its queue is 50 % full\. \| Nothing is lost/);
    for (let percent = 51; percent < 80; percent++) {
      queue(percent);
      second(100);
    }
    queue(80);
    assert.match(said(second(100)), /Its queue is 80 % full and overflows in about 20 s\./);
    queue(70);
    assert.match(said(second(100)), /Its queue is 70 % full\./);
  });

  it("names who refuses", () => {
    const { service, second } = watched();
    second(100);
    service.books("receiver:otlp").in += 60;
    service.books("receiver:otlp").refused += 60;
    service.books("processor:traces:memory_limiter").in += 60;
    service.books("processor:traces:memory_limiter").refused += 60;
    const tick = second(0);
    assert.equal(tick.sentence.level, "warning");
    assert.match(said(tick), /^memory_limiter refuses 60 \/s\./);
  });

  it("says that a changed configuration was refused, and where it is wrong, until one is taken", () => {
    const { service, second } = watched();
    service.latest = refusedReload;
    assert.equal(
      said(second(1000)),
      "The new configuration was refused; the old one runs on. | " +
        'pipeline.yaml:4:12: processors.batch: unknown key "timeot". And 1 more; the log has all.',
    );
    service.latest = { ...refusedReload, outcome: "applied", problems: [] };
    assert.doesNotMatch(said(second(1000)), /refused/);
  });

  it("says when the service is not running", () => {
    const { service, second } = watched();
    service.present = "draining";
    assert.match(said(second(5)), /^Draining\./);
  });

  it("keeps its meaning while digits change", () => {
    const { second } = watched();
    second(1000);
    assert.equal(second(1000).sentence.meaning, second(2000).sentence.meaning);
  });
});
