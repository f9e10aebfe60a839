import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { bad, down, harness, settled } from "./harness.ts";

const failing = () => down;
const times = (sent: readonly { readonly atMs: number }[]) => sent.map((each) => each.atMs);

describe("retry_on_failure", () => {
  it("waits 5 s, then half as long again each time, at most 30 s", () => {
    const { host, sent, push } = harness({ reply: failing });
    push("a");
    host.advance(130_000);
    const delays = times(sent)
      .slice(1)
      .map((time, index) => time - (times(sent)[index] as number));
    assert.deepEqual(delays, [5000, 7500, 11_250, 16_875, 25_312.5, 30_000, 30_000]);
  });

  it("spreads each delay by randomization_factor around its interval", () => {
    const delays: number[] = [];
    for (let seed = 1; seed <= 200; seed++) {
      const { host, sent, push } = harness({ reply: failing, seed, retry: { randomization_factor: 0.5 } });
      push("a");
      host.advance(7_500);
      delays.push(times(sent)[1] as number);
    }
    const [least, most] = [Math.min(...delays), Math.max(...delays)];
    assert.ok(least >= 2500 && least < 3000, `least ${least}`);
    assert.ok(most <= 7500 && most > 7000, `most ${most}`);
  });

  it("gives up when the next attempt would start after max_elapsed_time, and counts the items by reason", () => {
    const { host, sent, push, messages } = harness({
      reply: failing,
      retry: { max_elapsed_time: "31s", max_interval: "30s" },
    });
    const answers = push("a", "b");
    host.advance(1e6);
    assert.deepEqual(times(sent), [0, 5000, 12_500, 23_750]);
    assert.deepEqual(answers, ["ack"]);
    assert.deepEqual([...host.dropped], [["retries_exhausted", 2]]);
    assert.equal(host.books.failed, 2);
    assert.equal(messages().at(-1), "Exporting failed. Dropping data.");
    assert.deepEqual(host.logs.at(-1)?.fields, { error: "no more retries left: backend down", dropped_items: 2 });
    assert.equal(host.budget.usedBytes, 0);
  });

  it("goes on for ever with max_elapsed_time 0", () => {
    const { host, sent, push } = harness({ reply: failing, retry: { max_elapsed_time: 0 } });
    push("a");
    host.advance(3_600_000);
    assert.ok(sent.length > 100);
    assert.equal(host.dropped.size, 0);
  });

  it("says each retry with its interval", () => {
    const { host, push } = harness({ reply: (attempt) => (attempt === 0 ? down : undefined) });
    push("a");
    host.advance(5000);
    assert.deepEqual(host.logs, [
      {
        level: "info",
        fields: { error: "backend down", interval: "5s" },
        message: "Exporting failed. Will retry the request after interval.",
      },
    ]);
    assert.equal(host.books.sent, 1);
  });

  // Scenario: ten consumers have a batch each and their destination is dead; each retries after 100 ms.
  // Guarantees: one line a second, not a hundred.
  it("says so once a second at most, however many batches wait", () => {
    const retry = { initial_interval: "100ms", max_interval: "100ms", max_elapsed_time: 0 };
    const { host, push, sent } = harness({ reply: () => down, queue: { num_consumers: 10 }, retry });
    for (let batch = 0; batch < 10; batch++) push(`span ${batch}`);
    host.advance(4_950);
    assert.equal(sent.length, 10 * 50);
    assert.equal(host.logs.filter(({ message }) => message.includes("Will retry")).length, 5);
  });

  it("waits as long as the server asks, when that is longer than its own delay", () => {
    const asked = [20_000, 1_000].map((delayMs) => new ConsumeError("busy", { retryable: true, delayMs }));
    const { host, sent, push } = harness({ reply: (attempt) => asked[attempt] });
    push("a");
    host.advance(60_000);
    assert.deepEqual(times(sent), [0, 20_000, 27_500]);
  });

  it("drops at once what is refused for good", () => {
    const { host, sent, push } = harness({ reply: () => bad });
    push("a");
    host.advance(60_000);
    assert.equal(sent.length, 1);
    assert.deepEqual([...host.dropped], [["not_retryable", 1]]);
    assert.equal(host.logs[0]?.fields["error"], "not retryable error: bad data");
  });

  it("treats any other throw as a permanent failure of that batch", () => {
    const { host, sent, push } = harness({
      reply: (attempt) => {
        if (attempt === 0) throw new TypeError("a bug");
        return undefined;
      },
    });
    push("a");
    push("b");
    assert.deepEqual([...host.dropped], [["not_retryable", 1]]);
    assert.deepEqual([sent.length, host.books.sent], [2, 1]);
  });

  it("does not retry when it is off, and hints at it", () => {
    const { host, sent, push, messages } = harness({ reply: failing, retry: { enabled: false } });
    push("a");
    host.advance(60_000);
    assert.equal(sent.length, 1);
    assert.deepEqual([...host.dropped], [["retry_disabled", 1]]);
    assert.deepEqual(messages(), [
      "Exporting failed. Dropping data. Try enabling retry_on_failure config option to retry on retryable errors.",
    ]);
  });
});

describe("timeout", () => {
  it("ends an attempt that does not, tells it to stop, and retries", async () => {
    const { host, sent, push } = harness({ reply: () => "wait", timeoutMs: 1000 });
    push("a");
    assert.equal(sent[0]?.attempt.signal.aborted, false);
    host.advance(1000);
    assert.equal(sent[0]?.attempt.signal.aborted, true);
    host.advance(5000);
    assert.equal(sent.length, 2);
    await sent[0]?.finish(); // too late to count
    assert.equal(host.books.sent, 0);
    await sent[1]?.finish();
    assert.equal(host.books.sent, 1);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("leaves no timer behind an attempt that ends in time", async () => {
    const { host, sent, push } = harness({ reply: () => "wait", timeoutMs: 1000 });
    push("a");
    await sent[0]?.finish();
    assert.equal(host.clock.pendingTimers, 0);
    await settled();
    assert.equal(host.books.sent, 1);
  });
});
