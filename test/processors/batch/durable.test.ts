import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import { batch } from "../../../processors/batch/batcher.ts";
import type { BatchSettings } from "../../../processors/batch/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";
import { accept, collector, testGraph } from "../../support/test_graph.ts";
import { someSpans } from "../../support/traces.ts";
import { batchSettings } from "./settings.ts";

function batching(changes: Partial<BatchSettings> = {}) {
  const host = simulatedHost({ isDurableBehind: true });
  return { host, ...run<Traces>(batch(batchSettings(changes), host)) };
}

const later = new ConsumeError("come back", { retryable: true });
const never = new ConsumeError("no", { retryable: false });

describe("batch in front of a queue on disk", () => {
  it("answers its senders when that queue has their batch", () => {
    const { host, sent, push, answers } = batching();
    push(someSpans(2));
    push(someSpans(3));
    host.advance(200);
    assert.deepEqual([sent.length, answers()], [1, [[], []]]);
    sent[0]!.ack();
    assert.deepEqual(answers(), [["ack"], ["ack"]]);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("answers a sender whose items travel in several batches with the last of them", () => {
    const { host, sent, push, answers } = batching({ send_batch_max_size: 10 });
    push(someSpans(4));
    push(someSpans(14));
    assert.deepEqual(
      sent.map(({ data }) => data.itemCount),
      [10],
    );
    host.advance(200);
    assert.deepEqual(
      sent.map(({ data }) => data.itemCount),
      [10, 8],
    );
    sent[1]!.ack();
    assert.deepEqual(answers(), [[], []]);
    sent[0]!.ack();
    assert.deepEqual(answers(), [["ack"], ["ack"]]);
  });

  it("keeps its senders waiting while the queue refuses for now", () => {
    const { host, sent, push, answers } = batching();
    push(someSpans(10));
    sent[0]!.nack(later);
    assert.deepEqual(answers(), [[]]);
    host.advance(500);
    sent[1]!.ack();
    assert.deepEqual(answers(), [["ack"]]);
  });

  it("counts what is refused for good and answers, as without such a queue", () => {
    const { host, sent, push, answers } = batching();
    push(someSpans(10));
    sent[0]!.nack(never);
    assert.deepEqual([answers(), [...host.dropped]], [[["ack"]], [["refused_downstream", 10]]]);
  });

  it("tells the senders of what it still holds at the end to come back, and drops nothing", () => {
    const { host, sent, push, answers, stop } = batching();
    push(someSpans(10));
    sent[0]!.nack(later);
    push(someSpans(3));
    push(someSpans(20));
    stop();
    assert.deepEqual(answers(), [["nack"], ["nack"], ["nack"]]);
    assert.deepEqual([[...host.dropped], host.books.refused, host.budget.usedBytes], [[], 33, 0]);
    assert.equal(host.clock.pendingTimers, 0);
  });
});

describe("a request in several batches in front of a queue on disk", () => {
  // Scenario: the queue takes one part of it, drops or refuses another, and time is up.
  // Guarantees: its sender is told to come back with all of it; each item stands in the books once.
  for (const { name, first, books } of [
    { name: "taken", first: accept, books: { in: 20, out: 10, refused: 10, held: 0, dropped: {} } },
    {
      name: "dropped",
      first: (delivery) => delivery.nack(never),
      books: { in: 20, out: 0, refused: 10, held: 0, dropped: { refused_downstream: 10 } },
    },
    {
      name: "refused",
      first: (delivery) => delivery.nack(later),
      books: { in: 20, out: 0, refused: 20, held: 0, dropped: {} },
    },
  ] satisfies { name: string; first: Parameters<typeof collector>[0]; books: object }[]) {
    it(`keeps the books when a part of it was ${name}`, async () => {
      let count = 0;
      const disk = collector((delivery, own) => (count++ === 0 ? first(delivery, own) : delivery.nack(later)));
      const {
        offer,
        books: booksOf,
        drain,
        host,
      } = testGraph({
        processors: { batch: (own) => batch(batchSettings({ send_batch_max_size: 10 }), own) },
        exporters: { disk: (own) => ({ ...disk.create(own), isDurable: true }) },
        pipelines: { traces: { receivers: ["in"], processors: ["batch"], exporters: ["disk"] } },
      });
      const answers = offer(someSpans(20));
      host.advance(200);
      const drained = drain(1000);
      await new Promise(setImmediate);
      host.advance(1000);
      await drained;
      assert.ok(answers[0] instanceof ConsumeError && answers[0].retryable && answers.length === 1);
      assert.deepEqual(booksOf("processor:traces:batch"), books);
    });
  }
});

describe("the graph", () => {
  // Scenario: pipelines that end in a queue on disk: directly, next to another exporter, and through a connector.
  // Guarantees: batch waits with its answer in these, and only in these.
  it("tells processors whether a queue on disk is behind them", () => {
    const durable = collector(accept);
    const { offer, host } = testGraph({
      processors: { batch: (own) => batch(batchSettings(), own) },
      exporters: {
        disk: (own) => ({ ...durable.create(own), isDurable: true }),
        memory: collector(accept).create,
      },
      connectors: {
        forward: (own) => ({
          consume(delivery) {
            own.outlets.traces?.offer(delivery.data, delivery, (error) => {
              if (error === undefined) delivery.ack();
              else delivery.nack(error);
            });
          },
        }),
      },
      pipelines: {
        "traces/direct": { receivers: ["direct"], processors: ["batch"], exporters: ["memory", "disk"] },
        "traces/memory": { receivers: ["memory"], processors: ["batch"], exporters: ["memory"] },
        "traces/first": { receivers: ["linked"], processors: ["batch"], exporters: ["forward"] },
        "traces/second": { receivers: ["forward"], exporters: ["disk"] },
      },
    });
    const answers = ["direct", "memory", "linked"].map((receiver) => offer(someSpans(1), receiver));
    assert.deepEqual(answers, [[], ["ack"], []]);
    host.advance(200);
    assert.equal(durable.taken.length, 2);
    assert.deepEqual(answers, [["ack"], ["ack"], ["ack"]]);
  });
});
