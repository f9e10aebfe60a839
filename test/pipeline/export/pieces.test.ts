import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import { recordedDelivery, type SimulatedHost } from "../../support/simulated_host.ts";
import { spanNames, spansOfHeavyResource } from "../../support/traces.ts";
import { bad, type HarnessOptions, harness, said, waiting } from "./harness.ts";

const mebibyte = 1024 * 1024;
const pieceItems = 10;

/** An exporter whose batches are of ten spans at most, and that was given a request of `pieces` of them, each of 1 MiB. */
function cutting(pieces: number, { queue = {}, ...options }: HarnessOptions = {}) {
  const batch = { flush_timeout: "200ms", min_size: pieceItems, max_size: pieceItems };
  const made = harness({ queue: { num_consumers: 3, batch, ...queue }, ...options });
  const data = spansOfHeavyResource(pieces * pieceItems, mebibyte);
  const { delivery, answers } = recordedDelivery(data);
  made.exporter.consume(delivery);
  return { ...made, data, answers };
}

/** Lets every piece that waits for its turn have it. */
function turns(host: SimulatedHost): void {
  for (let turn = 0; turn < 10; turn++) host.advance(0);
}

describe("a sending queue, cutting a large request", () => {
  // Scenario: one request makes 100 pieces of 1 MiB for three consumers.
  // Guarantees: no more pieces are alive than there are consumers; all spans arrive once and in order.
  it("cuts no further while all consumers are busy", async () => {
    const { host, sent, data, answers } = cutting(100, { reply: waiting });
    assert.deepEqual(answers, ["ack"]);
    for (let piece = 0; piece < 100; piece++) {
      turns(host);
      assert.equal(sent.length, Math.min(100, piece + 3));
      assert.ok(host.budget.usedBytes < data.memoryBytes + 3.1 * mebibyte);
      await sent[piece]!.finish();
    }
    assert.deepEqual(
      sent.flatMap(({ names }) => names),
      spanNames(data),
    );
    assert.equal(host.books.sent, 1000);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("lets others run between two pieces", () => {
    const { host, sent } = cutting(50);
    assert.equal(sent.length, 1);
    host.clock.setTimer(() => assert.ok(sent.length <= 2), 0);
    for (let turn = 1; turn < 50; turn++) host.advance(0);
    assert.equal(sent.length, 50);
  });

  it("has one piece at a time while others use up the byte budget", async () => {
    const { host, sent } = cutting(5, { reply: waiting, budgetBytes: mebibyte });
    for (let piece = 0; piece < 5; piece++) {
      turns(host);
      assert.equal(sent.length, piece + 1);
      await sent[piece]!.finish();
    }
    assert.equal(host.budget.usedBytes, 0);
  });

  it("joins a last small piece with what comes next", () => {
    const { host, sent, exporter, push } = cutting(1, { queue: { num_consumers: 1 } });
    exporter.consume(recordedDelivery(spansOfHeavyResource(15, mebibyte)).delivery);
    push("a", "b", "c", "d", "e");
    turns(host);
    assert.deepEqual(
      sent.map(({ names }) => names.length),
      [10, 10, 10],
    );
    assert.deepEqual(sent[2]?.names.slice(4), ["s14", "a", "b", "c", "d", "e"]);
    assert.equal(host.budget.usedBytes, 0);
  });

  it("counts what is left as dropped when it is given up, without cutting it", async () => {
    const { host, sent, exporter } = cutting(20, { reply: waiting });
    await sent[0]!.finish(bad);
    turns(host);
    await exporter.stop?.();
    assert.equal(sent.length, 4);
    assert.deepEqual([...host.dropped].toSorted(), [
      ["not_retryable", 10],
      ["shutdown", 190],
    ]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });
});

describe("a sending queue, when the byte budget is used up", () => {
  const budgetBytes = 10 * mebibyte;
  const consume = (exporter: ReturnType<typeof harness>["exporter"], data: Traces) => {
    const { delivery, answers } = recordedDelivery(data);
    exporter.consume(delivery);
    return answers;
  };

  // Scenario: pieces of one small request, each with its large resource, come to a destination that does not answer.
  // Guarantees: the queue holds a quarter more than the budget at most, not its 1000 requests.
  it("takes nothing more, and tells the sender to come back", async () => {
    const { host, sent, exporter } = harness({ budgetBytes, reply: waiting });
    const answers = Array.from({ length: 100 }, () => consume(exporter, spansOfHeavyResource(1, mebibyte)));
    assert.ok(host.budget.usedBytes <= 14 * mebibyte);
    assert.deepEqual(said(answers[99]!), ["memory for the sending queue is used up"]);
    for (const each of sent.slice()) await each.finish();
    assert.deepEqual(consume(exporter, spansOfHeavyResource(1, mebibyte)), ["ack"]);
  });

  it("takes a request all the same when it holds nothing: else nothing would ever leave", () => {
    const { host, exporter, sent } = harness({ budgetBytes });
    host.budget.take(100 * mebibyte);
    assert.deepEqual(consume(exporter, spansOfHeavyResource(1, mebibyte)), ["ack"]);
    assert.equal(sent.length, 1);
  });
});
