import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bad, harness, said, waiting } from "./harness.ts";
import { numbered, spans } from "./spans.ts";

describe("batch", () => {
  const queue = { num_consumers: 1, batch: { flush_timeout: "200ms", min_size: 4, max_size: 5 } };

  it("joins requests until min_size", () => {
    const { host, sent, push } = harness({ queue });
    push("a", "b");
    push("c");
    assert.equal(sent.length, 0);
    push("d");
    assert.deepEqual(
      sent.map((each) => each.names),
      [["a", "b", "c", "d"]],
    );
    assert.equal(host.clock.pendingTimers, 0);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("sends what it has at flush_timeout after the first item, not before", () => {
    const { host, sent, push } = harness({ queue });
    push("a");
    host.advance(100);
    push("b");
    host.advance(99);
    assert.equal(sent.length, 0);
    host.advance(1);
    assert.deepEqual(
      sent.map((each) => each.names),
      [["a", "b"]],
    );
  });

  it("splits at max_size and keeps a small rest", () => {
    const { host, sent, push } = harness({ queue });
    push(...numbered("a", 3));
    push(...numbered("b", 9));
    assert.deepEqual(
      sent.map((each) => each.names.length),
      [5, 5],
    );
    assert.equal(host.books.sent, 10);
    assert.notEqual(host.budget.usedBytes, 0);
    host.advance(200);
    assert.deepEqual(sent.at(-1)?.names, ["b7", "b8"]);
    assert.equal(host.books.sent, 12);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("counts in bytes when its sizer says so", () => {
    const size = spans("a").sizeBytes;
    const { sent, push } = harness({ queue: { batch: { sizer: "bytes", min_size: size * 2, max_size: size * 2 } } });
    push("a");
    assert.equal(sent.length, 0);
    push("b");
    assert.deepEqual(
      sent.map((each) => each.names),
      [["a", "b"]],
    );
  });

  // Scenario: one request is split over two batches; the first is taken, the second refused for good.
  // Guarantees: each item is counted once, by what became of its batch; the request's memory goes back once.
  it("settles a request with its last part", async () => {
    const { host, sent, push } = harness({ queue: { ...queue, num_consumers: 2 }, reply: waiting });
    push(...numbered("a", 10));
    await sent[0]?.finish();
    assert.equal(host.books.sent, 5);
    assert.notEqual(host.budget.usedBytes, 0);
    await sent[1]?.finish(bad);
    assert.deepEqual([host.books.sent, host.books.failed], [5, 5]);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("tells a waiting sender when any part has failed", async () => {
    const { host, sent, push } = harness({
      queue: { ...queue, num_consumers: 2, wait_for_result: true },
      reply: waiting,
    });
    const answers = push(...numbered("a", 10));
    await sent[0]?.finish(bad);
    assert.deepEqual(answers, []);
    await sent[1]?.finish();
    assert.deepEqual(said(answers), ["not retryable error: bad data"]);
    assert.deepEqual([host.books.sent, host.books.refused, host.books.failed], [0, 10, 0]);
  });

  it("holds no more than the queue while all consumers are busy", () => {
    const { sent, push } = harness({ queue: { ...queue, queue_size: 3 }, reply: waiting });
    assert.deepEqual(said(push(...numbered("a", 4))), ["ack"]);
    assert.deepEqual(
      [said(push("b")), said(push("c")), said(push("d"))],
      [["ack"], ["ack"], ["sending queue is full"]],
    );
    assert.equal(sent.length, 1);
  });
});
