import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError, type Delivery } from "../../../pipeline/delivery.ts";
import { recordedDelivery } from "../../support/simulated_host.ts";
import { bad, down, harness } from "./harness.ts";
import { numbered, spans } from "./spans.ts";

const waiting = () => "wait" as const;

/** The kinds of answers: `ack`, or the error's message. */
const said = (answers: readonly (ConsumeError | "ack")[]) =>
  answers.map((each) => (each === "ack" ? each : each.message));

describe("a sending queue", () => {
  it("answers a delivery once it holds it, and owns its bytes until it is sent", async () => {
    const { host, sent, push } = harness({ reply: waiting });
    const bytes = spans("a").sizeBytes;
    assert.deepEqual(push("a"), ["ack"]);
    assert.equal(host.budget.usedBytes, bytes);
    await sent[0]?.finish();
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.books.sent, 1);
  });

  it("takes the bytes before it answers, so that nobody else gets them in between", () => {
    const { host, exporter } = harness({ reply: waiting });
    let usedAtAck = 0;
    const { delivery } = recordedDelivery(spans("a"));
    exporter.consume({ ...delivery, ack: () => void (usedAtAck = host.budget.usedBytes) } as Delivery<
      ReturnType<typeof spans>
    >);
    assert.equal(usedAtAck, delivery.data.sizeBytes);
  });

  it("sends num_consumers requests at a time, oldest first", async () => {
    const { sent, push } = harness({ queue: { num_consumers: 2 }, reply: waiting });
    for (const name of ["a", "b", "c", "d"]) push(name);
    assert.deepEqual(
      sent.map((each) => each.names[0]),
      ["a", "b"],
    );
    await sent[1]?.finish();
    assert.deepEqual(
      sent.map((each) => each.names[0]),
      ["a", "b", "c"],
    );
  });

  it("refuses what does not fit with a delay, in a log line a second, and what is being sent counts", async () => {
    const { host, sent, push } = harness({ queue: { queue_size: 2, num_consumers: 1 }, reply: waiting });
    assert.deepEqual([push("a"), push("b")], [["ack"], ["ack"]]);
    const [refused] = push("c", "d");
    assert.ok(refused instanceof ConsumeError);
    assert.deepEqual([refused.message, refused.retryable, refused.delayMs], ["sending queue is full", true, 1000]);
    push("e");
    assert.equal(host.books.refused, 3);
    assert.equal(host.metric("otelcol_exporter_enqueue_failed_spans"), 3);
    assert.deepEqual(host.logs, [
      {
        level: "error",
        fields: { error: "sending queue is full", rejected_items: 2 },
        message: "Exporting failed. Rejecting data.",
      },
    ]);
    host.advance(1000);
    push("f");
    assert.deepEqual(host.logs[1]?.fields, { error: "sending queue is full", rejected_items: 2 });
    await sent[0]?.finish();
    assert.deepEqual(push("g"), ["ack"]);
  });

  it("counts in items or bytes when sizer says so", () => {
    const items = harness({ queue: { sizer: "items", queue_size: 3 }, reply: waiting });
    assert.deepEqual(said(items.push("a", "b")), ["ack"]);
    assert.deepEqual(said(items.push("c", "d")), ["sending queue is full"]);
    assert.deepEqual(said(items.push("c")), ["ack"]);
    const size = spans("a").sizeBytes;
    const bytes = harness({ queue: { sizer: "bytes", queue_size: size * 2 }, reply: waiting });
    assert.deepEqual([said(bytes.push("a")), said(bytes.push("b"))], [["ack"], ["ack"]]);
    assert.deepEqual(said(bytes.push("c")), ["sending queue is full"]);
  });

  it("refuses for good what can never fit", () => {
    const { push } = harness({ queue: { sizer: "items", queue_size: 1 }, reply: waiting });
    const [refused] = push("a", "b");
    assert.ok(refused instanceof ConsumeError && !refused.retryable);
    assert.equal(refused.message, "element size too large");
  });

  it("acks an empty batch and sends nothing", () => {
    const { sent, push } = harness();
    assert.deepEqual(push(), ["ack"]);
    assert.equal(sent.length, 0);
  });

  it("goes on with the others after a failure", () => {
    const { host, push } = harness({
      queue: { num_consumers: 1 },
      reply: (attempt) => (attempt === 0 ? bad : undefined),
    });
    push("a");
    push("b");
    assert.deepEqual([host.books.failed, host.books.sent], [1, 1]);
  });

  it("works through a long queue of sends that end at once without growing the stack", async () => {
    const { host, sent, push } = harness({
      queue: { num_consumers: 1, queue_size: 100_000 },
      reply: (attempt) => (attempt === 0 ? "wait" : undefined),
    });
    for (let index = 0; index < 20_000; index++) push("a");
    await sent[0]?.finish();
    assert.equal(host.books.sent, 20_000);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("shows its size, its capacity and how full it is", async () => {
    const { host, exporter, sent, push } = harness({ queue: { queue_size: 4 }, reply: waiting });
    push("a");
    assert.deepEqual(exporter.facts?.(), [{ label: "queue", text: "25 %" }]);
    assert.equal(host.metric("otelcol_exporter_queue_size"), 1);
    assert.equal(host.metric("otelcol_exporter_queue_capacity"), 4);
    assert.equal(host.metric("otelcol_exporter_in_flight_requests"), 1);
    await sent[0]?.finish();
    assert.equal(host.metric("otelcol_exporter_in_flight_requests"), 0);
  });
});

describe("block_on_overflow", () => {
  const queue = { queue_size: 1, block_on_overflow: true };

  it("lets senders wait for space, in order", async () => {
    const { sent, push } = harness({ queue, reply: waiting });
    const all = [push("a"), push("b"), push("c")];
    assert.deepEqual(all, [["ack"], [], []]);
    await sent[0]?.finish();
    assert.deepEqual(all, [["ack"], ["ack"], []]);
    await sent[1]?.finish();
    assert.deepEqual(all, [["ack"], ["ack"], ["ack"]]);
  });

  it("lets no small request overtake a larger one that waits", async () => {
    const { sent, push } = harness({ queue: { ...queue, sizer: "items", queue_size: 3 }, reply: waiting });
    const [, large, small] = [push("a", "b"), push("c", "d"), push("e")];
    assert.deepEqual([large, small], [[], []]);
    await sent[0]?.finish();
    assert.deepEqual([large, small], [["ack"], ["ack"]]);
    assert.deepEqual(
      sent.map((each) => each.names[0]),
      ["a", "c", "e"],
    );
  });

  it("forgets a sender who has gone away", async () => {
    const { exporter, sent, push } = harness({ queue, reply: waiting });
    push("a");
    const gone = new AbortController();
    const { delivery, answers } = recordedDelivery(spans("b"));
    exporter.consume({ ...delivery, signal: gone.signal });
    gone.abort();
    assert.deepEqual(said(answers), ["gave up waiting for the sending queue"]);
    await sent[0]?.finish();
    assert.equal(sent.length, 1);
  });
});

describe("wait_for_result", () => {
  it("answers with what became of the data", async () => {
    const { host, sent, push } = harness({ queue: { wait_for_result: true }, reply: waiting });
    const [good, refused] = [push("a"), push("b")];
    assert.deepEqual([good, refused], [[], []]);
    await sent[0]?.finish();
    await sent[1]?.finish(bad);
    assert.deepEqual([said(good), said(refused)], [["ack"], ["not retryable error: bad data"]]);
    assert.deepEqual([host.books.sent, host.books.refused, host.books.failed], [1, 1, 0]);
    assert.equal(host.budget.usedBytes, 0);
  });
});

describe("without a queue", () => {
  it("a delivery is answered by the send", async () => {
    const { host, sent, push } = harness({ queue: null, reply: waiting });
    const answers = push("a");
    assert.deepEqual(answers, []);
    await sent[0]?.finish();
    assert.deepEqual(answers, ["ack"]);
    assert.equal(host.books.sent, 1);
  });

  it("a failure goes back to the sender, who keeps the data", () => {
    const { host, push, messages } = harness({ queue: null, reply: () => bad });
    const answers = push("a");
    assert.deepEqual(said(answers), ["not retryable error: bad data"]);
    assert.equal(host.books.refused, 1);
    assert.deepEqual(messages(), [
      "Exporting failed. Rejecting data. Try enabling sending_queue to survive temporary failures.",
    ]);
  });

  it("retries end when the sender has gone away", () => {
    const { host, exporter, sent } = harness({ queue: null, reply: () => down });
    const gone = new AbortController();
    const { delivery, answers } = recordedDelivery(spans("a"));
    exporter.consume({ ...delivery, signal: gone.signal });
    gone.abort();
    assert.deepEqual(said(answers), ["request is cancelled or timed out: backend down"]);
    host.advance(60_000);
    assert.equal(sent.length, 1);
    assert.equal(host.clock.pendingTimers, 0);
  });
});

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
