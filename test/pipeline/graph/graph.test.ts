import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Observable } from "rxjs";
import type { Operator } from "../../../pipeline/component.ts";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { ConnectorHost, ProcessorHost } from "../../../pipeline/host.ts";
import { mapData } from "../../../pipeline/operators.ts";
import { filterSpans, type Traces } from "../../../pipeline/pdata/index.ts";
import { batch } from "../../../processors/batch/batcher.ts";
import { accept, collector, testGraph } from "../../support/test_graph.ts";
import { someSpans } from "../../support/traces.ts";

const later = new ConsumeError("come back", { retryable: true, delayMs: 5 });
const never = new ConsumeError("no", { retryable: false });

/** Drops every span but the first of a batch. */
const keepFirst = (host: ProcessorHost) => {
  return mapData<Traces>(
    host,
    (data) => {
      let index = 0;
      return filterSpans(data, () => index++ === 0);
    },
    "sampled_out",
  );
};

const smallBatch = (host: ProcessorHost) =>
  batch<Traces>(
    { timeout: 200, send_batch_size: 100, send_batch_max_size: 0, metadata_keys: [], metadata_cardinality_limit: 0 },
    host,
  );

const empty = { in: 0, out: 0, refused: 0, held: 0, dropped: {} };

describe("the graph", () => {
  it("takes a batch through processors to every exporter and answers when all have", () => {
    const one = collector();
    const two = collector();
    const { offer, books, edges } = testGraph({
      processors: { first: keepFirst },
      exporters: { one: one.create, two: two.create },
      pipelines: { traces: { receivers: ["in"], processors: ["first"], exporters: ["one", "two"] } },
    });
    const answers = offer(someSpans(3));
    one.taken[0]!.ack();
    assert.deepEqual(answers, []);
    assert.deepEqual(books("receiver:in"), { ...empty, in: 3, held: 3 });
    two.taken[0]!.ack();
    assert.deepEqual(answers, ["ack"]);
    assert.deepEqual(books("receiver:in"), { ...empty, in: 3, out: 3 });
    assert.deepEqual(books("processor:traces:first"), { ...empty, in: 3, out: 1, dropped: { sampled_out: 2 } });
    assert.deepEqual(edges(), [
      "processor:traces:first -> exporter:traces:one: 1",
      "processor:traces:first -> exporter:traces:two: 1",
      "receiver:in -> processor:traces:first: 3",
    ]);
  });

  it("refuses the whole when one branch refuses, permanently if one branch does, and balances its books", () => {
    const one = collector();
    const two = collector();
    const { offer, books, edges } = testGraph({
      processors: { first: keepFirst },
      exporters: { one: one.create, two: two.create },
      pipelines: { traces: { receivers: ["in"], processors: ["first"], exporters: ["one", "two"] } },
    });
    const retryable = offer(someSpans(2));
    one.taken[0]!.nack(later);
    two.taken[0]!.ack();
    assert.ok(retryable[0] instanceof ConsumeError && retryable[0].retryable && retryable[0].delayMs === 5);
    const permanent = offer(someSpans(2));
    one.taken[1]!.nack(later);
    two.taken[1]!.nack(never);
    assert.ok(permanent[0] instanceof ConsumeError && !permanent[0].retryable);
    assert.deepEqual(books("receiver:in"), { ...empty, in: 4, refused: 4 });
    assert.deepEqual(books("processor:traces:first"), { ...empty, in: 4, refused: 4 });
    assert.deepEqual(books("exporter:traces:one"), { ...empty, in: 2, refused: 2 });
    assert.ok(edges().includes("receiver:in -> processor:traces:first: 0"));
  });

  it("goes on after a component has thrown: only that delivery is refused", () => {
    let calls = 0;
    const broken = collector((delivery, host) => {
      calls += 1;
      if (calls === 1) throw new Error("first time");
      accept(delivery, host);
    });
    const { offer, host } = testGraph({
      exporters: { out: broken.create },
      pipelines: { traces: { receivers: ["in"], exporters: ["out"] } },
    });
    const [refusal] = offer(someSpans(1));
    assert.ok(refusal instanceof ConsumeError && !refusal.retryable && refusal.message === "first time");
    assert.deepEqual(offer(someSpans(1)), ["ack"]);
    assert.deepEqual(host.fatals, []);
  });

  // Scenario: a processor that sets a timer when it is subscribed to, as memory_limiter does.
  // Guarantees: building a graph, as for a check of a config, runs nothing; draining one that never ran ends at once.
  it("sets no timer before it is started", async () => {
    const ticking =
      (host: ProcessorHost): Operator<Traces> =>
      (source) =>
        new Observable((subscriber) => {
          const timer = host.clock.setTimer(() => {}, 1000);
          subscriber.add(() => host.clock.clearTimer(timer));
          return source.subscribe(subscriber);
        });
    const { host, graph, drain } = testGraph({
      processors: { ticking },
      exporters: { out: collector(accept).create },
      pipelines: { traces: { receivers: ["in"], processors: ["ticking"], exporters: ["out"] } },
      unstarted: true,
    });
    assert.equal(host.clock.pendingTimers, 0);
    await drain();
    for (const pipeline of graph.pipelines) pipeline.start();
    assert.equal(host.clock.pendingTimers, 0, "a pipeline that has ended does not begin again");
    const started = testGraph({
      processors: { ticking },
      exporters: { out: collector(accept).create },
      pipelines: { traces: { receivers: ["in"], processors: ["ticking"], exporters: ["out"] } },
    });
    assert.equal(started.host.clock.pendingTimers, 1);
    await started.drain();
    assert.equal(started.host.clock.pendingTimers, 0);
  });

  it("ignores a second answer and reports it as a bug", async () => {
    const out = collector();
    const { offer, books, drain, host } = testGraph({
      exporters: { out: out.create },
      pipelines: { traces: { receivers: ["in"], exporters: ["out"] } },
    });
    const answers = offer(someSpans(1));
    out.taken[0]!.ack();
    out.taken[0]!.nack(never);
    assert.deepEqual(answers, ["ack"]);
    assert.deepEqual(books("exporter:traces:out").refused, 0);
    assert.equal(host.logs.at(-1)?.message, "A delivery was answered twice; this is a bug in otelpipe.");
    assert.equal((await drain()).faults, 1);
  });

  // Scenario: an exporter without a queue that retries for ever holds a batch, behind a fan-out and a processor.
  // Guarantees: it is no bug however long it takes, it is still counted as unanswered, and it is refused at the end.
  it("lets a delivery wait that a setting holds", async () => {
    const patient = collector((delivery) => delivery.mayWait?.());
    const { offer, graph, drain, host } = testGraph({
      processors: { first: keepFirst },
      exporters: { patient: patient.create, quick: collector(accept).create },
      pipelines: { traces: { receivers: ["in"], processors: ["first"], exporters: ["patient", "quick"] } },
    });
    const answers = offer(someSpans(2));
    host.advance(3_600_000);
    assert.deepEqual([answers, graph.ledger.faults, graph.ledger.unanswered], [[], 0, 1]);
    assert.equal((await drain()).unanswered, 1);
    assert.equal(answers.length, 1);
  });

  it("tells a sender to come back when nobody has answered for five minutes", () => {
    const out = collector();
    const { offer, graph, host } = testGraph({
      exporters: { out: out.create },
      pipelines: { traces: { receivers: ["in"], exporters: ["out"] } },
    });
    const answers = offer(someSpans(1));
    host.advance(299_000);
    assert.equal(answers.length, 0);
    host.advance(11_000);
    assert.ok(answers[0] instanceof ConsumeError && answers[0].retryable);
    assert.equal(graph.ledger.faults, 1);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("admits by one byte budget and gives the bytes back with the answer", () => {
    const out = collector();
    const data = someSpans(10);
    const { offer, books, host } = testGraph({
      exporters: { out: out.create },
      pipelines: { traces: { receivers: ["in"], exporters: ["out"] } },
      budgetBytes: data.memoryBytes + 10,
    });
    const first = offer(data);
    const [refusal] = offer(data);
    assert.ok(refusal instanceof ConsumeError && refusal.retryable && refusal.delayMs === 1000);
    assert.deepEqual(books("receiver:in"), { ...empty, in: 20, refused: 10, held: 10 });
    out.taken[0]!.ack();
    assert.deepEqual(first, ["ack"]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(offer(data).length, 0);
  });

  // Scenario: requests of one span, 60 bytes on the wire and some 2 kB in memory, that nobody answers.
  // Guarantees: they are refused before they take a multiple of the budget.
  it("counts what tiny requests take in memory, not only their bytes", () => {
    const out = collector();
    const { offer } = testGraph({
      exporters: { out: out.create },
      pipelines: { traces: { receivers: ["in"], exporters: ["out"] } },
      budgetBytes: 1_000_000,
    });
    for (let index = 0; index < 1000; index++) offer(someSpans(1));
    assert.ok(out.taken.length > 300 && out.taken.length < 500, `${out.taken.length} were taken`);
  });

  it("shares an exporter among pipelines and gives each its own processor", () => {
    const out = collector(accept);
    const { offer, books } = testGraph({
      processors: { first: keepFirst },
      exporters: { out: out.create },
      pipelines: {
        traces: { receivers: ["in"], processors: ["first"], exporters: ["out"] },
        "traces/all": { receivers: ["in"], exporters: ["out"] },
      },
    });
    assert.deepEqual(offer(someSpans(3)), ["ack"]);
    assert.deepEqual(books("exporter:traces:out"), { ...empty, in: 4, out: 4 });
    assert.deepEqual(books("receiver:in"), { ...empty, in: 3, out: 3 });
  });

  it("hands a delivery on through a connector, and drains in the order of the flow", async () => {
    const out = collector(accept);
    const order: string[] = [];
    const relay = (host: ConnectorHost) => {
      const held: Traces[] = [];
      return {
        consume(delivery: { data: Traces; ack(): void }) {
          held.push(delivery.data);
          delivery.ack();
        },
        async drain() {
          order.push("connector");
          for (const data of held.splice(0)) {
            host.outlets.traces?.offer(data, { client: { address: "", transport: "internal" } }, () =>
              host.sent(data.itemCount),
            );
          }
        },
      };
    };
    const { offer, books, drain, host } = testGraph({
      processors: { batch: smallBatch },
      connectors: { relay },
      exporters: { out: out.create },
      pipelines: {
        "traces/behind": { receivers: ["relay"], processors: ["batch"], exporters: ["out"] },
        traces: { receivers: ["in"], processors: ["batch"], exporters: ["relay"] },
      },
    });
    assert.deepEqual(offer(someSpans(3)), ["ack"]);
    const report = await drain();
    assert.deepEqual(order, ["connector"]);
    assert.equal(out.taken.length, 1);
    assert.deepEqual(books("connector:traces_to_traces:relay"), { ...empty, in: 3, out: 3 });
    assert.deepEqual(books("exporter:traces:out"), { ...empty, in: 3, out: 3 });
    assert.deepEqual([report.unanswered, report.faults], [0, 0]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });

  // Scenario: the exporter of one pipeline takes nothing any more; batches of the pipelines around it wait for more.
  // Guarantees: those are sent at once, while there is time to deliver them.
  it("drains pipelines side by side, so that a stuck one takes no time from the others", async () => {
    const stuck = collector((delivery) => delivery.nack(later));
    const good = collector(accept);
    const exported = (name: string, exporter: string) => ({
      [`traces/${name}`]: { receivers: [name], processors: ["batch"], exporters: [exporter] },
    });
    const { offer, drain, host } = testGraph({
      processors: { batch: smallBatch },
      exporters: { stuck: stuck.create, good: good.create },
      pipelines: { ...exported("first", "good"), ...exported("second", "stuck"), ...exported("third", "good") },
    });
    for (const receiver of ["first", "second", "third"]) offer(someSpans(1), receiver);
    const draining = drain(1000);
    await new Promise(setImmediate);
    assert.equal(good.taken.length, 2);
    host.advance(1000);
    await draining;
  });

  it("tells exporters to hurry when it begins, before it waits for processors", async () => {
    const deadlines: number[] = [];
    const stuck = collector((delivery) => delivery.nack(later));
    const { offer, drain, host } = testGraph({
      processors: { batch: smallBatch },
      exporters: { out: (own) => ({ ...stuck.create(own), hurry: (deadlineMs) => void deadlines.push(deadlineMs) }) },
      pipelines: { traces: { receivers: ["in"], processors: ["batch"], exporters: ["out"] } },
    });
    offer(someSpans(1));
    const draining = drain(1000);
    await new Promise(setImmediate);
    assert.deepEqual(deadlines, [1000]);
    host.advance(1000);
    await draining;
  });

  it("refuses what comes after the drain has begun, retryably", async () => {
    const out = collector(accept);
    const { offer, drain } = testGraph({
      exporters: { out: out.create },
      pipelines: { traces: { receivers: ["in"], exporters: ["out"] } },
    });
    await drain();
    const [refusal] = offer(someSpans(1));
    assert.ok(refusal instanceof ConsumeError && refusal.retryable);
  });

  // Scenario: an exporter never answers; the deadline of the drain passes.
  // Guarantees: the sender is told to come back, what a processor held is counted as dropped, the books balance.
  it("gives up at the deadline and says so", async () => {
    const out = collector();
    const { offer, books, drain, host } = testGraph({
      processors: { batch: smallBatch },
      exporters: { out: out.create },
      pipelines: {
        traces: { receivers: ["in"], exporters: ["out"] },
        "traces/batched": { receivers: ["other"], processors: ["batch"], exporters: ["out"] },
      },
    });
    const answers = offer(someSpans(2));
    assert.deepEqual(offer(someSpans(3), "other"), ["ack"]);
    const draining = drain(1000);
    await Promise.resolve();
    while (host.clock.pendingTimers > 0) {
      host.advance(500);
      await new Promise(setImmediate);
    }
    const report = await draining;
    assert.equal(report.unanswered, 1);
    assert.ok(answers[0] instanceof ConsumeError && answers[0].retryable);
    out.taken[1]!.nack(later);
    assert.deepEqual(books("processor:traces/batched:batch"), { ...empty, in: 3, dropped: { shutdown: 3 } });
  });

  it("ends the service when a stream breaks by an RxJS error, which is a bug", () => {
    const { offer, host } = testGraph({
      processors: {
        broken: () => (source) =>
          new Observable((subscriber) => source.subscribe(() => subscriber.error(new Error("bug")))),
      },
      exporters: { out: collector(accept).create },
      pipelines: { traces: { receivers: ["in"], processors: ["broken"], exporters: ["out"] } },
    });
    offer(someSpans(1));
    assert.match(host.fatals[0]?.message ?? "", /pipeline "traces" ended/);
    assert.ok(offer(someSpans(1))[0] instanceof ConsumeError);
  });
});
