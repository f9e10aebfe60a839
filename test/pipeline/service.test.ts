import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { queryObjects } from "node:v8";
import { ConsumeError } from "../../pipeline/delivery.ts";
import { Pipeline } from "../../pipeline/graph/pipeline.ts";
import { runningService } from "../support/running_service.ts";
import { SimulatedClock } from "../support/simulated_host.ts";
import { someSpans } from "../support/traces.ts";
import { turns } from "../support/turns.ts";

const base = `
receivers:
  source: {}
  source/two: {}
processors:
  batch: { timeout: 10s }
  resource: { attributes: [{ key: a, value: b, action: insert }] }
exporters:
  sink: {}
  sink/slow: { holds: true }
connectors:
  forward: {}
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [source], processors: [], exporters: [sink] }
`;

const replace = (from: string, to: string) => (yaml: string) => {
  assert.ok(yaml.includes(from), `${from} is not in ${yaml}`);
  return yaml.replace(from, to);
};
const exportTo = (from: string, to: string) => replace(`exporters: [${from}] }`, `exporters: [${to}] }`);
const processWith = (from: string, to: string) => replace(`processors: [${from}]`, `processors: [${to}]`);

const start = async (edit: (yaml: string) => string = (yaml) => yaml) => {
  const clock = new SimulatedClock();
  return { clock, ...(await runningService(edit(base), { clock })) };
};

const empty = { in: 0, out: 0, refused: 0, held: 0, dropped: {} };

describe("a change of the configuration while it runs", () => {
  it("leads data to another exporter, and the receiver stays", async () => {
    const { reload, offer, sink, made } = await start();
    offer(someSpans(1, "before"));
    const verdict = await reload(exportTo("sink", "sink/other")).catch(String);
    assert.equal((verdict as { outcome: string }).outcome, "refused", "sink/other is not configured");
    const { outcome, added, removed, kept } = await reload((yaml) =>
      exportTo("sink", "sink/slow")(replace("holds: true", "holds: false")(yaml)),
    );
    assert.deepEqual(
      { outcome, added, removed, kept },
      {
        outcome: "applied",
        added: ["exporter:traces:sink/slow"],
        removed: ["exporter:traces:sink"],
        kept: 1,
      },
    );
    offer(someSpans(1, "after"));
    assert.deepEqual(sink("sink").names, ["before-1"]);
    assert.deepEqual(sink("sink/slow").names, ["after-1"]);
    assert.equal(made.sources, 1);
  });

  it("lets a removed exporter deliver what it holds, without stopping the rest", async () => {
    const { reload, offer, sink, books, service } = await start(exportTo("sink", "sink/slow"));
    const answers = offer(someSpans(2, "held"));
    await reload(exportTo("sink/slow", "sink"));
    await turns();
    assert.deepEqual([answers, sink("sink/slow").stops], [[], 0]);
    assert.deepEqual(offer(someSpans(1, "after")), ["ack"]);
    sink("sink/slow").held[0]?.ack();
    await turns();
    assert.deepEqual([answers, sink("sink/slow").stops], [["ack"], 1]);
    assert.deepEqual(books("receiver:source"), { ...empty, in: 3, out: 3 });
    assert.deepEqual(books("exporter:traces:sink/slow"), { ...empty, in: 2, out: 2 });
    const removed = service.nodes().filter(({ isRemoved }) => isRemoved);
    assert.deepEqual(
      removed.map(({ key }) => key),
      ["exporter:traces:sink/slow"],
    );
    assert.deepEqual(
      service.edges().map(({ from, to, items }) => [from, to, items]),
      [["receiver:source", "exporter:traces:sink", 1]],
    );
  });

  it("gives up what a removed exporter cannot deliver within 20 seconds", async () => {
    const { reload, offer, sink, clock } = await start(exportTo("sink", "sink/slow"));
    offer(someSpans(2, "held"));
    await reload(exportTo("sink/slow", "sink"));
    await turns();
    clock.advance(20_999);
    await turns();
    assert.equal(sink("sink/slow").stops, 0);
    clock.advance(1);
    await turns();
    assert.equal(sink("sink/slow").stops, 1);
  });

  it("keeps what a batch holds, and its timer, while the exporter behind it changes", async () => {
    const { reload, offer, sink, clock, books } = await start(processWith("", "batch"));
    assert.deepEqual(offer(someSpans(2, "held")), ["ack"]);
    clock.advance(6_000);
    const verdict = await reload((yaml) => exportTo("sink", "sink/slow")(replace("holds: true", "holds: false")(yaml)));
    assert.deepEqual([verdict.added, verdict.rebuilt], [["exporter:traces:sink/slow"], []]);
    await turns();
    assert.deepEqual(sink("sink").names, []);
    clock.advance(3_999);
    assert.deepEqual(sink("sink/slow").names, []);
    clock.advance(1);
    assert.deepEqual(sink("sink/slow").names, ["held-1", "held-2"]);
    assert.deepEqual(books("processor:traces:batch"), { ...empty, in: 2, out: 2 });
  });

  it("keeps what a batch holds while processors around it change", async () => {
    const { reload, offer, sink, clock } = await start(processWith("", "batch"));
    offer(someSpans(1, "held"));
    assert.deepEqual((await reload(processWith("batch", "resource, batch"))).added, ["processor:traces:resource"]);
    assert.deepEqual((await reload(processWith("resource, batch", "batch"))).removed, ["processor:traces:resource"]);
    await turns();
    assert.deepEqual(sink("sink").names, []);
    clock.advance(10_000);
    assert.deepEqual(sink("sink").names, ["held-1"]);
  });

  it("flushes a processor that is rebuilt, removed or moved, to what stands behind it", async () => {
    for (const edit of [
      replace("timeout: 10s", "timeout: 20s"),
      processWith("resource, batch", "resource"),
      processWith("resource, batch", "batch, resource"),
      replace("timeout: 10s", "timeout: 10s, send_batch_size: 5000"),
    ]) {
      const { reload, offer, sink, books } = await start(processWith("", "resource, batch"));
      offer(someSpans(3, "held"));
      assert.equal((await reload(edit)).outcome, "applied");
      await turns();
      assert.deepEqual(sink("sink").names, ["held-1", "held-2", "held-3"]);
      assert.deepEqual(books("processor:traces:batch"), { ...empty, in: 3, out: 3 });
      offer(someSpans(1, "after"));
    }
  });

  it("keeps a connector, and leads it to other pipelines", async () => {
    const joined = (yaml: string) =>
      `${exportTo("sink", "forward")(yaml)}    traces/a: { receivers: [forward], exporters: [sink] }\n`;
    const { reload, offer, sink, books } = await start(joined);
    offer(someSpans(1, "one"));
    const verdict = await reload((yaml) =>
      replace(
        "traces/a: {",
        "traces/b: {",
      )(yaml).replace("exporters: [sink] }", "processors: [resource], exporters: [sink] }"),
    );
    assert.deepEqual([verdict.added, verdict.rebuilt, verdict.removed], [["processor:traces/b:resource"], [], []]);
    offer(someSpans(1, "two"));
    assert.deepEqual(sink("sink").names, ["one-1", "two-1"]);
    assert.deepEqual(books("connector:traces_to_traces:forward"), { ...empty, in: 2, out: 2 });
    assert.deepEqual(books("processor:traces/b:resource"), { ...empty, in: 1, out: 1 });
  });

  it("gives a receiver that stays the signals of its pipelines, and takes them away", async () => {
    const { reload, signals, made } = await start();
    assert.deepEqual(signals(), ["traces"]);
    const verdict = await reload((yaml) =>
      `${yaml}    logs: { receivers: [source], exporters: [debug] }\n`.replace("  sink: {}", "  sink: {}\n  debug: {}"),
    );
    assert.deepEqual([verdict.added, signals()], [["exporter:logs:debug"], ["traces", "logs"]]);
    await reload((yaml) => yaml.replace(/ {4}logs: .*\n/, ""));
    assert.deepEqual([signals(), made.sources], [["traces"], 1]);
  });

  it("adds a pipeline that shares an aggregation with one that stays", async () => {
    const {
      reload,
      service: running,
      offer,
    } = await start((yaml) =>
      processWith(
        "",
        "aggregate",
      )(replace("  batch:", "  aggregate: { window: 10s, columns: { n: count } }\n  batch:")(yaml)),
    );
    offer(someSpans(1, "one"));
    const verdict = await reload(
      (yaml) => `${yaml}    traces/two: { receivers: [source/two], processors: [aggregate], exporters: [sink] }\n`,
    );
    assert.deepEqual([verdict.outcome, verdict.rebuilt], ["applied", []]);
    assert.equal(running.nodes().find(({ key }) => key === "processor:traces:aggregate")?.isRemoved, false);
  });

  it("says that nothing changes when nothing does, and notices that only the wiring does", async () => {
    const { reload, sink } = await start(
      (yaml) => `${yaml}    traces/two: { receivers: [source/two], exporters: [sink] }\n`,
    );
    assert.equal((await reload((yaml) => yaml)).outcome, "unchanged");
    const rewired = await reload(replace("receivers: [source]", "receivers: [source, source/two]"));
    assert.deepEqual([rewired.outcome, rewired.added, rewired.rebuilt], ["applied", [], []]);
    assert.equal(sink("sink").starts, 1);
  });

  it("refuses a wrong configuration with all errors at their places, and runs on", async () => {
    const { reload, offer, sink, logs, service } = await start();
    const verdict = await reload((yaml) =>
      yaml.replace("batch: { timeout: 10s", "batch: { timeot: 10s").replace("holds", "hold"),
    );
    assert.equal(verdict.outcome, "refused");
    assert.deepEqual(
      verdict.problems.map(({ place, path, message, hint }) => [place, path, message, hint]),
      [
        ["pipeline.yaml:6:12", "processors.batch", 'unknown key "timeot"', 'did you mean "timeout"?'],
        ["pipeline.yaml:10:16", "exporters.sink/slow", 'unknown key "hold"', 'did you mean "holds"?'],
      ],
    );
    assert.equal(service.lastReload(), verdict);
    const line = logs.find(({ level }) => level === "error");
    assert.deepEqual(line?.message, "The new configuration was refused; the old one runs on.");
    const { problems = [] } = (line?.fields ?? {}) as { problems?: string[] };
    assert.equal(problems[0], 'pipeline.yaml:6:12: processors.batch: unknown key "timeot" (did you mean "timeout"?)');
    offer(someSpans(1, "after"));
    assert.deepEqual(sink("sink").names, ["after-1"]);
  });

  it("refuses a configuration of which a component does not start, says which, and leaves nothing of it behind", async () => {
    const { reload, offer, sink, books, service, clock } = await start(processWith("", "batch"));
    offer(someSpans(1, "held"));
    const timers = clock.pendingTimers;
    const verdict = await reload((yaml) =>
      exportTo("sink", "sink/slow")(yaml.replace("holds: true", "fails: true").replace("10s", "20s")),
    );
    assert.equal(verdict.outcome, "refused");
    assert.deepEqual(verdict.problems, [
      { message: 'cannot start pipelines: failed to start "sink/slow" exporter: no such destination' },
    ]);
    assert.equal(clock.pendingTimers, timers);
    assert.deepEqual(
      service.nodes().map(({ key }) => key),
      ["exporter:traces:sink", "processor:traces:batch", "receiver:source"],
    );
    clock.advance(10_000);
    assert.deepEqual(sink("sink").names, ["held-1"]);
    assert.deepEqual(books("processor:traces:batch"), { ...empty, in: 1, out: 1 });
  });

  it("goes on with the books of a component that comes back", async () => {
    const { reload, offer, books, service } = await start();
    offer(someSpans(1));
    await reload((yaml) => exportTo("sink", "sink/slow")(replace("holds: true", "holds: false")(yaml)));
    await reload(exportTo("sink/slow", "sink"));
    offer(someSpans(2));
    assert.deepEqual(books("exporter:traces:sink"), { ...empty, in: 3, out: 3 });
    assert.equal(service.edges()[0]?.items, 3);
  });

  it("applies once more what it is asked for while it works, however often", async () => {
    const { service, logs } = await start();
    const first = service.reload?.();
    const others = Array.from({ length: 50 }, () => service.reload?.());
    await Promise.all([first, ...others]);
    const lines = logs.filter(({ message }) => message === "The configuration was read again; nothing changes.");
    assert.equal(lines.length, 2);
  });

  it("changes the log level at once, and says what only a start applies", async () => {
    const { reload, logs, service } = await start();
    await reload(replace("metrics: { level: none }", "logs: { level: error }, metrics: { level: none }"));
    const count = logs.length;
    await service.reload?.();
    assert.equal(logs.length, count, "a line below the level was written");
    await reload(
      replace(
        "logs: { level: error }, metrics: { level: none }",
        "logs: { encoding: json }, metrics: { level: none }, resource: { a: b }",
      ),
    );
    const said = logs.filter(({ level }) => level === "warn").map(({ message, fields }) => [message, fields]);
    assert.deepEqual(said, [
      ["Settings of own telemetry take effect at the next start.", { settings: ["logs", "resource"] }],
    ]);
  });

  it("keeps nothing of configurations that have gone", async () => {
    const { reload } = await start(processWith("", "batch"));
    const changes = async (first: number) => {
      for (let seconds = first; seconds < first + 10; seconds++) {
        await reload((yaml) => yaml.replace(/timeout: \d+s/, `timeout: ${seconds}s`));
      }
      await turns();
      return queryObjects(Pipeline, { format: "count" });
    };
    assert.equal(await changes(100), await changes(200));
  });

  it("stops in order while something still leaves", async () => {
    const { reload, offer, sink, service } = await start(exportTo("sink", "sink/slow"));
    const answers = offer(someSpans(2, "held"));
    await reload(exportTo("sink/slow", "sink"));
    const stopped = service.stop(1_000);
    await turns();
    sink("sink/slow").held[0]?.ack();
    const { nodes, unanswered } = await stopped;
    assert.deepEqual([answers, unanswered, nodes.map(({ books }) => books.held)], [["ack"], 0, [0, 0, 0]]);
  });

  it("is refused once it stops", async () => {
    const { service } = await start();
    await service.stop(0);
    assert.deepEqual((await service.reload?.())?.problems, [{ message: "the service is stopped" }]);
  });

  it("tells a sender to come back whose exporter refuses while it leaves", async () => {
    const { reload, offer, sink } = await start(exportTo("sink", "sink/slow"));
    const answers = offer(someSpans(1));
    await reload(exportTo("sink/slow", "sink"));
    sink("sink/slow").held[0]?.nack(new ConsumeError("busy", { retryable: true }));
    assert.ok(answers[0] instanceof ConsumeError && answers[0].retryable);
  });
});
