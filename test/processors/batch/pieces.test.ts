import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import { batch } from "../../../processors/batch/batcher.ts";
import definition from "../../../processors/batch/index.ts";
import { run, type SimulatedHostOptions, simulatedHost } from "../../support/simulated_host.ts";
import { spanNames, spansOfHeavyResource } from "../../support/traces.ts";

const mebibyte = 1024 * 1024;
const pieceItems = 10;

/** A request of which every ten spans make a piece of 1 MiB. */
function heavy(pieces: number): Traces {
  return spansOfHeavyResource(pieces * pieceItems, mebibyte);
}

function cutting(options: SimulatedHostOptions = {}) {
  const host = simulatedHost(options);
  const settings = definition.config.parse({ send_batch_size: pieceItems, send_batch_max_size: pieceItems });
  return { host, ...run<Traces>(batch(settings, host)) };
}

const later = new ConsumeError("come back", { retryable: true, delayMs: 1000 });

describe("batch, cutting a large request", () => {
  // Scenario: one request makes 100 pieces of 1 MiB; what comes next answers none of them.
  // Guarantees: only a few are cut, and the next one only when one of them has been answered.
  it("cuts no further while what it has sent is unanswered", () => {
    const { host, sent, push, answers } = cutting();
    push(heavy(100));
    host.advance(10_000);
    const ahead = sent.length;
    assert.ok(ahead >= 2 && ahead <= 9, `${ahead} pieces`);
    assert.ok(host.budget.usedBytes < 12 * mebibyte);
    for (let answered = 1; ahead + answered < 99; answered++) {
      sent[answered - 1]!.ack();
      host.advance(1);
      assert.equal(sent.length, ahead + answered);
    }
    for (let piece = 98 - ahead; piece < 100; piece++) sent[piece]!.ack();
    assert.deepEqual(
      sent.flatMap(({ data }) => spanNames(data)),
      Array.from({ length: 1000 }, (_, index) => `s${index}`),
    );
    assert.deepEqual(answers(), [["ack"]]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });

  // Scenario: what comes next takes each piece at once.
  // Guarantees: nobody waits for all of them: a timer that is due runs after the first.
  it("lets others run between two pieces", () => {
    const { host, sent, push } = cutting();
    let sentBefore = 0;
    host.clock.setTimer(() => void (sentBefore = sent.length), 0);
    push(heavy(50));
    assert.equal(sent.length, 1);
    for (let turn = 0; turn < 100; turn++) {
      for (const delivery of sent.slice(turn, turn + 1)) delivery.ack();
      host.advance(1);
    }
    assert.equal(sentBefore, 1);
    assert.equal(sent.length, 50);
  });

  it("cuts no further while a piece is refused, and pushes back past a bound", () => {
    const { host, sent, push } = cutting();
    push(heavy(20));
    sent[0]!.nack(later);
    host.advance(999);
    assert.equal(sent.length, 1);
    const [refusal] = push(heavy(1));
    assert.ok(refusal instanceof ConsumeError && refusal.retryable);
    host.advance(1);
    assert.deepEqual(spanNames(sent[1]!.data), spanNames(sent[0]!.data));
    assert.ok(host.budget.usedBytes < 12 * mebibyte);
  });

  it("pushes back past a bound while what it has sent is unanswered", () => {
    const { host, sent, push } = cutting();
    push(heavy(20));
    host.advance(100);
    const [refusal] = push(heavy(1));
    assert.ok(refusal instanceof ConsumeError && refusal.retryable);
    for (let piece = 0; piece < 20; piece++) {
      sent[piece]!.ack();
      host.advance(1);
    }
    assert.deepEqual(push(heavy(1)), ["ack"]);
  });

  it("goes on after a piece that was refused for good", () => {
    const { host, sent, push } = cutting();
    push(heavy(20));
    for (let piece = 0; piece < 20; piece++) {
      host.advance(1);
      sent[piece]!.nack(new ConsumeError("no", { retryable: false }));
    }
    assert.equal(sent.length, 20);
    assert.deepEqual([...host.dropped], [["refused_downstream", 200]]);
    assert.equal(host.budget.usedBytes, 0);
  });

  // Scenario: queues behind it have taken all of the byte budget and answer each piece at once.
  // Guarantees: pieces do not flood in, and do not stop for ever either.
  it("slows down while others use up the byte budget", () => {
    const { host, sent, push } = cutting({ budgetBytes: 4 * mebibyte });
    host.budget.take(5 * mebibyte);
    push(heavy(50));
    for (let turn = 0; turn < 1000; turn++) {
      for (const delivery of sent.slice(turn, turn + 1)) delivery.ack();
      host.advance(1);
    }
    assert.ok(sent.length > 5 && sent.length < 15, `${sent.length} pieces in a second`);
    host.budget.give(5 * mebibyte);
    for (let turn = 0; turn < 1000; turn++) {
      for (const delivery of sent.slice(turn, turn + 1)) delivery.ack();
      host.advance(1);
    }
    assert.equal(sent.length, 50);
  });

  it("sends the rest when the stream ends, and drops what is left when it is given up", () => {
    const { host, sent, push, complete, isComplete } = cutting();
    push(heavy(20));
    complete();
    for (let piece = 0; piece < 20; piece++) {
      assert.equal(isComplete(), false);
      sent[piece]!.ack();
      host.advance(1);
    }
    assert.equal(isComplete(), true);
    assert.equal(host.clock.pendingTimers, 0);
    assert.equal(host.budget.usedBytes, 0);

    const other = cutting();
    other.push(heavy(20));
    other.sent[0]!.ack();
    other.stop();
    assert.deepEqual([...other.host.dropped], [["shutdown", 190]]);
    assert.equal(other.host.budget.usedBytes, 0);
    assert.equal(other.host.clock.pendingTimers, 0);
  });
});
