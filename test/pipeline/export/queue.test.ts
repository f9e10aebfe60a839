import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError, type Delivery } from "../../../pipeline/delivery.ts";
import { recordedDelivery } from "../../support/simulated_host.ts";
import { bad, down, harness, said, waiting } from "./harness.ts";
import { spans } from "./spans.ts";

describe("a sending queue", () => {
  it("answers a delivery once it holds it, and owns its bytes until it is sent", async () => {
    const { host, sent, push } = harness({ reply: waiting });
    const bytes = spans("a").memoryBytes;
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
    assert.equal(usedAtAck, delivery.data.memoryBytes);
  });

  it("asks for the signal of a caller only when that has to wait, since a transport makes it then", () => {
    const { exporter } = harness({ queue: { queue_size: 1, block_on_overflow: true }, reply: waiting });
    let asked = 0;
    const consume = () => {
      const { data, client, ack, nack, signal } = recordedDelivery(spans("a")).delivery;
      exporter.consume({
        ...{ data, client, ack, nack },
        get signal() {
          asked += 1;
          return signal;
        },
      });
    };
    consume();
    assert.equal(asked, 0);
    consume();
    assert.ok(asked > 0);
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

  it("failures are logged once a second, with all their items", () => {
    const { host, push } = harness({ queue: null, reply: () => bad });
    for (let index = 0; index < 10; index++) push("a");
    host.advance(1000);
    push("a");
    const items = host.logs.map((line) => line.fields["rejected_items"]);
    assert.deepEqual(items, [1, 10]);
  });

  it("nothing is sent for a sender who has gone away before", () => {
    const { host, exporter, sent } = harness({ queue: null, reply: () => down });
    const { delivery, answers } = recordedDelivery(spans("a"));
    exporter.consume({ ...delivery, signal: AbortSignal.abort() });
    assert.deepEqual(said(answers), ["request is cancelled or timed out"]);
    assert.equal(sent.length, 0);
    assert.equal(host.clock.pendingTimers, 0);
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
