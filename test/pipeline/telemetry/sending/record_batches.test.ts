import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RecordBatches } from "../../../../pipeline/telemetry/sending/record_batches.ts";
import { SimulatedClock } from "../../../support/simulated_host.ts";

/** Batches of numbers, sent when `release` says so. */
function batches(settings: { delayMs?: number; maxBatchSize?: number; maxQueueSize?: number } = {}) {
  const clock = new SimulatedClock();
  const sent: (readonly number[])[] = [];
  const open: (() => void)[] = [];
  let dropped = 0;
  const send = (records: readonly number[]) => {
    sent.push(records);
    return new Promise<void>((resolve) => open.push(resolve));
  };
  const all = {
    delayMs: 100,
    maxBatchSize: 3,
    maxQueueSize: 5,
    timeoutMs: 1000,
    exporter: "console",
    ...settings,
  } as const;
  const under = new RecordBatches<number>(all, clock, send, (records) => (dropped += records));
  const release = async () => {
    open.shift()?.();
    await new Promise(setImmediate);
  };
  return { clock, sent, under, release, dropped: () => dropped };
}

describe("own records", () => {
  it("leave together some time after the first", () => {
    const { clock, sent, under } = batches();
    under.add(1);
    clock.advance(60);
    under.add(2);
    clock.advance(39);
    assert.deepEqual(sent, []);
    clock.advance(1);
    assert.deepEqual(sent, [[1, 2]]);
    assert.equal(clock.pendingTimers, 0);
  });

  it("leave at once when there are enough, one batch after another", async () => {
    const { sent, under, release, clock } = batches();
    for (const record of [1, 2, 3, 4, 5, 6, 7]) under.add(record);
    assert.deepEqual(sent, [[1, 2, 3]]);
    await release();
    assert.deepEqual(sent, [
      [1, 2, 3],
      [4, 5, 6],
    ]);
    await release();
    clock.advance(100);
    assert.deepEqual(sent.at(-1), [7]);
  });

  it("are dropped and counted when too many wait", () => {
    const { sent, under, dropped } = batches();
    for (let record = 1; record <= 10; record += 1) under.add(record);
    assert.deepEqual(sent, [[1, 2, 3]]);
    assert.equal(dropped(), 2); // three are being sent, five wait
  });

  // Scenario: a full batch is being sent and more wait when the service stops.
  // Guarantees: the end comes when all have been sent, and no timer is left.
  it("have all left when it has stopped", async () => {
    const { clock, sent, under, release } = batches();
    for (const record of [1, 2, 3, 4]) under.add(record);
    let hasStopped = false;
    const stopped = under.stop().then(() => (hasStopped = true));
    await release();
    assert.deepEqual(sent, [[1, 2, 3], [4]]);
    assert.equal(hasStopped, false);
    await release();
    await stopped;
    assert.equal(clock.pendingTimers, 0);
  });
});
