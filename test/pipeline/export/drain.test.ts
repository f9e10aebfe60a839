import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { down, harness, said, waiting } from "./harness.ts";

describe("draining", () => {
  it("sends everything that is held, also a batch that waits for more", async () => {
    const { host, exporter, sent, push } = harness({ queue: { batch: { min_size: 100 } } });
    push("a");
    push("b");
    await exporter.drain?.(10_000);
    assert.deepEqual(
      sent.map((each) => each.names),
      [["a", "b"]],
    );
    assert.deepEqual([host.books.sent, host.budget.usedBytes, host.clock.pendingTimers], [2, 0, 0]);
  });

  it("tries at once what waits for its next attempt", async () => {
    const { host, exporter, push } = harness({ reply: (attempt) => (attempt === 0 ? down : undefined) });
    push("a");
    await exporter.drain?.(1_000);
    assert.equal(host.books.sent, 1);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("is prepared by hurrying: what waits is tried at once, and data is still taken", () => {
    for (const queue of [{}, null]) {
      const { host, exporter, push } = harness({ queue, reply: (attempt) => (attempt === 0 ? down : undefined) });
      push("a");
      exporter.hurry?.(10_000);
      assert.equal(host.books.sent, 1);
      push("b");
      assert.equal(host.books.sent, 2);
    }
  });

  it("drops what is left at the deadline, counted as shutdown and logged", async () => {
    const { host, exporter, sent, push } = harness({ queue: { num_consumers: 1 }, reply: waiting });
    push("a");
    push("b", "c");
    const drained = exporter.drain?.(1_000);
    host.advance(1_000);
    await drained;
    assert.equal(sent[0]?.attempt.signal.aborted, true);
    assert.deepEqual([...host.dropped], [["shutdown", 3]]);
    assert.deepEqual(
      host.logs.map((line) => line.fields["dropped_items"]),
      [1, 2],
    );
    assert.deepEqual([host.budget.usedBytes, host.clock.pendingTimers], [0, 0]);
  });

  it("goes on retrying each second until the deadline, no longer", async () => {
    const { host, exporter, sent, push } = harness({ reply: () => down });
    push("a");
    await Promise.all([exporter.drain?.(3_000), (async () => host.advance(20_000))()]);
    assert.deepEqual(
      sent.map((each) => each.atMs),
      [0, 0, 1_000, 2_000],
    );
    assert.deepEqual([...host.dropped], [["shutdown", 1]]);
  });

  it("finds a destination that comes back in time", async () => {
    const { host, exporter, push } = harness({ reply: (attempt) => (attempt < 6 ? down : undefined) });
    push("a");
    host.advance(60_000); // the next attempt would be half a minute away
    await Promise.all([exporter.drain?.(70_000), (async () => host.advance(10_000))()]);
    assert.equal(host.books.sent, 1);
  });

  it("turns away those who wait for space", async () => {
    const { exporter, sent, push } = harness({ queue: { queue_size: 1, block_on_overflow: true }, reply: waiting });
    push("a");
    const blocked = push("b");
    const drained = exporter.drain?.(1_000);
    assert.deepEqual(said(blocked), ["shutdown"]);
    await sent[0]?.finish();
    await drained;
  });

  it("of an exporter without a queue waits for what is on its way", async () => {
    const { exporter, sent, push } = harness({ queue: null, reply: waiting });
    const answers = push("a");
    const drained = exporter.drain?.(1_000);
    await sent[0]?.finish();
    await drained;
    assert.deepEqual(answers, ["ack"]);
  });

  it("is not needed: stop drops what is left, and may be called twice", async () => {
    const { host, exporter, push } = harness({ queue: { num_consumers: 1 }, reply: waiting });
    push("a");
    push("b");
    await exporter.stop?.();
    await exporter.stop?.();
    assert.deepEqual([...host.dropped], [["shutdown", 2]]);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("is not needed for a batch that waits for more either", async () => {
    const { host, exporter, push } = harness({ queue: { batch: { min_size: 100 } } });
    push("a");
    await exporter.stop?.();
    assert.deepEqual([...host.dropped], [["shutdown", 1]]);
    assert.deepEqual([host.budget.usedBytes, host.clock.pendingTimers], [0, 0]);
  });
});
