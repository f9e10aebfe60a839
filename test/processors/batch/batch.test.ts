import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { Traces } from "../../../pipeline/pdata/index.ts";
import { batch } from "../../../processors/batch/batcher.ts";
import definition, { type BatchSettings } from "../../../processors/batch/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans, spanNames } from "../../support/traces.ts";
import { batchSettings } from "./settings.ts";

function batching(changes: Partial<BatchSettings> = {}) {
  const host = simulatedHost();
  return { host, ...run<Traces>(batch(batchSettings(changes), host)) };
}

const later = new ConsumeError("come back", { retryable: true });
const never = new ConsumeError("no", { retryable: false });

describe("batch", () => {
  it("has the Collector's defaults", () => {
    assert.deepEqual(definition.config.parse({}), batchSettings({ send_batch_size: 8192 }));
  });

  it("answers at once and sends what it holds once the timeout has passed, not before", () => {
    const { host, sent, push } = batching();
    assert.deepEqual(push(someSpans(2)), ["ack"]);
    assert.deepEqual(push(someSpans(3, "span", 3)), ["ack"]);
    host.advance(199);
    assert.equal(sent.length, 0);
    host.advance(1);
    assert.deepEqual(
      sent.map(({ data }) => data.itemCount),
      [5],
    );
    assert.deepEqual(spanNames(sent[0]!.data), ["span-1", "span-2", "span-3", "span-4", "span-5"]);
  });

  it("sends as soon as there are enough items, all of them, and starts the timeout anew", () => {
    const { host, sent, push } = batching();
    push(someSpans(9));
    host.advance(150);
    push(someSpans(4));
    assert.deepEqual(
      sent.map(({ data }) => data.itemCount),
      [13],
    );
    push(someSpans(1));
    host.advance(199);
    assert.equal(sent.length, 1);
    host.advance(1);
    assert.equal(sent.length, 2);
  });

  it("splits by the largest size, keeping the order of spans", () => {
    const { sent, push, complete } = batching({ send_batch_max_size: 10 });
    push(someSpans(25));
    complete();
    assert.deepEqual(
      sent.map(({ data }) => data.itemCount),
      [10, 10, 5],
    );
    const want = Array.from({ length: 25 }, (_, index) => `span-${index + 1}`);
    assert.deepEqual(
      sent.flatMap(({ data }) => spanNames(data)),
      want,
    );
  });

  for (const changes of [{ timeout: 0 }, { send_batch_size: 0 }]) {
    it(`sends each request at once with ${JSON.stringify(changes)}`, () => {
      const { host, sent, push } = batching(changes);
      push(someSpans(1));
      push(someSpans(2));
      assert.deepEqual(
        sent.map(({ data }) => data.itemCount),
        [1, 2],
      );
      assert.equal(host.clock.pendingTimers, 0);
    });
  }

  it("keeps clients apart by the values of its metadata keys, and only those travel on", () => {
    const { host, sent, push } = batching({ metadata_keys: ["X-Tenant"] });
    const tenant = (name: string) => ({
      metadata: new Map([
        ["x-tenant", [name]],
        ["other", ["1"]],
      ]),
    });
    push(someSpans(1, "a"), tenant("a"));
    push(someSpans(1, "b"), tenant("b"));
    push(someSpans(1, "c"), tenant("a"));
    host.advance(200);
    assert.deepEqual(
      sent.map(({ data }) => spanNames(data)),
      [["a-1", "c-1"], ["b-1"]],
    );
    assert.deepEqual(
      sent.map(({ client }) => [...(client.metadata ?? [])]),
      [[["x-tenant", ["a"]]], [["x-tenant", ["b"]]]],
    );
  });

  it("refuses permanently what would be one value combination too many", () => {
    const { push } = batching({ metadata_keys: ["tenant"], metadata_cardinality_limit: 1 });
    assert.deepEqual(push(someSpans(1), { metadata: new Map([["tenant", ["a"]]]) }), ["ack"]);
    const [refusal] = push(someSpans(1), { metadata: new Map([["tenant", ["b"]]]) });
    assert.ok(refusal instanceof ConsumeError && !refusal.retryable);
    assert.equal(refusal.message, "too many batcher metadata-value combinations");
  });

  // Scenario: what comes next refuses for now, then takes.
  // Guarantees: the batch is neither lost nor doubled; it is sent again after the delay, and nothing overtakes it.
  it("keeps a batch that was refused for now and sends it again", () => {
    const { host, sent, push } = batching();
    push(someSpans(10));
    sent[0]!.nack(new ConsumeError("full", { retryable: true, delayMs: 700 }));
    push(someSpans(10, "next"));
    host.advance(699);
    assert.equal(sent.length, 1);
    host.advance(1);
    assert.deepEqual(spanNames(sent[1]!.data), spanNames(sent[0]!.data));
    sent[1]!.ack();
    assert.deepEqual(spanNames(sent[2]!.data)[0], "next-1");
    sent[2]!.ack();
    assert.equal(host.budget.usedBytes, 0);
    assert.deepEqual([...host.dropped], []);
  });

  it("waits longer each time it is refused", () => {
    const { host, sent, push } = batching();
    push(someSpans(10));
    for (const waitMs of [500, 1000, 2000]) {
      const before = sent.length;
      sent.at(-1)!.nack(later);
      host.advance(waitMs - 1);
      assert.equal(sent.length, before);
      host.advance(1);
      assert.equal(sent.length, before + 1);
    }
  });

  it("pushes back behind a refused batch instead of collecting without end", () => {
    const { sent, push } = batching();
    push(someSpans(10));
    sent[0]!.nack(later);
    for (let taken = 0; taken < 40; taken += 10) assert.deepEqual(push(someSpans(10)), ["ack"]);
    const [refusal] = push(someSpans(1));
    assert.ok(refusal instanceof ConsumeError && refusal.retryable);
  });

  it("drops with a reason what is refused for good", () => {
    const { host, sent, push } = batching();
    push(someSpans(10));
    sent[0]!.nack(never);
    assert.deepEqual([...host.dropped], [["refused_downstream", 10]]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.logs.at(-1)?.message, "Sender failed");
  });

  it("counts what it holds against the byte budget until it has been taken", () => {
    const { host, sent, push } = batching();
    const data = someSpans(10);
    push(data);
    assert.equal(host.budget.usedBytes, data.memoryBytes);
    sent[0]!.ack();
    assert.equal(host.budget.usedBytes, 0);
  });

  it("balances the byte budget after splitting", () => {
    const { host, sent, push, complete } = batching({ send_batch_max_size: 10 });
    push(someSpans(25));
    complete();
    for (const delivery of [...sent]) delivery.ack();
    assert.equal(host.budget.usedBytes, 0);
  });

  it("flushes on completion, and completes when everything has been taken", () => {
    const { host, sent, push, complete, isComplete } = batching();
    push(someSpans(3));
    complete();
    assert.equal(sent.length, 1);
    assert.equal(isComplete(), false);
    sent[0]!.nack(later);
    host.advance(500);
    sent[1]!.ack();
    assert.equal(isComplete(), true);
    assert.equal(host.clock.pendingTimers, 0);
  });

  // Scenario: the destination was gone for long, so the next attempt is half a minute away; then the service stops.
  // Guarantees: what waits is sent at once, then each second: a destination that is back in time misses nothing.
  it("on completion does not sit out the wait that a refused batch has grown", () => {
    const { host, sent, push, complete, isComplete } = batching();
    push(someSpans(10));
    for (const waitMs of [500, 1000, 2000, 4000, 8000]) {
      sent.at(-1)!.nack(later);
      host.advance(waitMs);
    }
    sent.at(-1)!.nack(later);
    push(someSpans(10, "next"));
    const before = sent.length;
    complete();
    assert.equal(sent.length, before + 2);
    for (const delivery of sent.slice(before)) delivery.nack(later);
    host.advance(1000);
    assert.equal(sent.length, before + 4);
    for (const delivery of sent.slice(before + 2)) delivery.ack();
    assert.equal(isComplete(), true);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("counts what is left as dropped by shutdown when it is given up", () => {
    const { host, sent, push, stop } = batching();
    push(someSpans(10));
    push(someSpans(4));
    sent[0]!.nack(later);
    stop();
    assert.deepEqual([...host.dropped], [["shutdown", 14]]);
    assert.equal(host.budget.usedBytes, 0);
    assert.equal(host.clock.pendingTimers, 0);
  });

  it("measures what the Collector measures", () => {
    const { host, push } = batching();
    push(someSpans(10));
    push(someSpans(1));
    host.advance(200);
    assert.equal(host.metric("otelcol_processor_batch_batch_size_trigger_send"), 1);
    assert.equal(host.metric("otelcol_processor_batch_timeout_trigger_send"), 1);
    assert.equal(host.metric("otelcol_processor_batch_batch_send_size"), 11);
  });

  it("takes its metadata keys as a list or as one text, as the Collector does", () => {
    assert.deepEqual(definition.config.parse({ metadata_keys: "a,b" }).metadata_keys, ["a", "b"]);
  });

  for (const { yaml, message } of [
    { yaml: { timeout: "-1s" }, message: "timeout must be greater or equal to 0" },
    {
      yaml: { send_batch_size: 10, send_batch_max_size: 5 },
      message: "send_batch_max_size must be greater or equal to send_batch_size",
    },
    { yaml: { metadata_keys: ["a", "A"] }, message: 'duplicate entry in metadata_keys: "a" (case-insensitive)' },
  ]) {
    it(`refuses ${JSON.stringify(yaml)}`, () => {
      const result = definition.config.safeParse(yaml);
      assert.deepEqual(
        result.error?.issues.map((issue) => issue.message),
        [message],
      );
    });
  }
});
