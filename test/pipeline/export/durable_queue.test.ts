import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { RecordLog } from "../../../pipeline/storage/log.ts";
import type { Storage } from "../../../pipeline/storage/storage.ts";
import { SimulatedDisk } from "../../support/simulated_disk.ts";
import { openedLog } from "../storage/opened_log.ts";
import { bad, down, type HarnessOptions, harness, said, settled, waiting } from "./harness.ts";

interface Options extends HarnessOptions {
  disk?: SimulatedDisk;
  log?: RecordLog;
}

/** A started exporter with its queue in a log, on a simulated disk that can outlive it. */
async function started({ disk = new SimulatedDisk(), ...options }: Options = {}) {
  const log = options.log ?? (await openedLog({ disk })).log;
  const storage: Storage = { openQueue: async (name, owner) => log.queue(name).open(owner) };
  const queue = { storage: "file_storage", ...options.queue };
  const one = harness({ ...options, queue, extensions: { file_storage: storage } });
  await one.exporter.start?.();
  const stop = async () => {
    await one.exporter.drain?.(one.host.clock.monotonicMs() + 1000);
    await one.exporter.stop?.();
    await log.close();
  };
  return { ...one, disk, log, stop };
}

/** Lets a few operations of the simulated disk happen. */
async function diskTurns(turns = 20): Promise<void> {
  for (let turn = 0; turn < turns; turn++) await settled();
}

describe("a queue on disk", () => {
  it("answers when the storage has the data, not before", async () => {
    const { push, sent, stop } = await started();
    const answers = push("a");
    assert.deepEqual([said(answers), sent.length], [[], 0]);
    await diskTurns();
    assert.deepEqual([said(answers), sent.map(({ names }) => names)], [["ack"], [["a"]]]);
    await stop();
  });

  it("sends after a restart what was not sent, and what was being sent, and books it as come in", async () => {
    const first = await started({ queue: { num_consumers: 1 }, reply: waiting });
    first.push("a");
    first.push("b");
    await diskTurns();
    assert.equal(first.sent.length, 1);
    const stopping = first.stop();
    await diskTurns();
    first.host.advance(1000);
    await stopping;
    assert.deepEqual([...first.host.dropped], []);
    assert.equal(first.host.budget.usedBytes, 0);
    const second = await started({ disk: first.disk });
    await diskTurns();
    assert.deepEqual(second.sent.map(({ names }) => names).sort(), [["a"], ["b"]]);
    assert.deepEqual([second.host.books.restored, second.host.books.sent], [2, 2]);
    await second.stop();
    const third = await started({ disk: first.disk });
    assert.equal(third.host.books.restored, 0);
    await third.stop();
  });

  it("does not wait at a shutdown for a destination that is down, and drops nothing", async () => {
    const one = await started({ reply: () => down });
    one.push("a");
    await diskTurns();
    await one.stop();
    assert.equal(one.sent.length, 1);
    assert.deepEqual([one.host.books.failed, one.host.clock.pendingTimers], [0, 0]);
    const again = await started({ disk: one.disk });
    await diskTurns();
    assert.deepEqual(again.sent[0]?.names, ["a"]);
    await again.stop();
  });

  it("forgets what the destination refuses for good, and counts it", async () => {
    const one = await started({ reply: () => bad });
    one.push("a");
    await diskTurns();
    await one.stop();
    assert.deepEqual([...one.host.dropped], [["not_retryable", 1]]);
    const again = await started({ disk: one.disk });
    assert.equal(again.host.books.restored, 0);
    await again.stop();
  });

  // Scenario: the destination is down for longer than max_elapsed_time, which is 5 minutes unless told otherwise.
  // Guarantees: as the Collector's, the queue gives up then; it is counted, and the log says what would have kept it.
  it("drops what could not be sent for max_elapsed_time, and says what keeps it", async () => {
    for (const { retry, isKept } of [
      { retry: {}, isKept: false },
      { retry: { max_elapsed_time: 0 }, isKept: true },
    ]) {
      const one = await started({ retry, reply: () => down });
      one.push("a", "b");
      await diskTurns();
      for (let seconds = 0; seconds < 400; seconds += 10) one.host.advance(10_000);
      const { message, fields } = one.host.logs.findLast(({ level }) => level === "error") ?? {};
      assert.deepEqual([...one.host.dropped], isKept ? [] : [["retries_exhausted", 2]]);
      assert.equal(fields?.["dropped_items"], isKept ? undefined : 2);
      if (!isKept)
        assert.match(message ?? "", /^Exporting failed\. Dropping data\. With max_elapsed_time: 0 .* stay on disk/);
      await one.stop();
      const again = await started({ disk: one.disk });
      assert.equal(again.host.books.restored, isKept ? 2 : 0);
      await again.stop();
    }
  });

  it("refuses retryably when the queue is full, counting what is being sent and what an earlier run left", async () => {
    const first = await started({ queue: { queue_size: 2 }, reply: waiting });
    first.push("a");
    first.push("b");
    await diskTurns();
    const refused = first.push("c");
    assert.deepEqual(said(refused), ["sending queue is full"]);
    assert.equal(first.host.metric("otelcol_exporter_queue_size"), 2);
    assert.equal(first.host.metric("otelcol_exporter_enqueue_failed_spans"), 1);
    const stopping = first.stop();
    await diskTurns();
    first.host.advance(1000);
    await stopping;
    const second = await started({ disk: first.disk, queue: { queue_size: 2 }, reply: waiting });
    assert.deepEqual(said(second.push("d")), ["sending queue is full"]);
    await diskTurns();
    await second.sent[0]!.finish();
    const taken = second.push("e");
    await diskTurns();
    assert.deepEqual(said(taken), ["ack"]);
  });

  it("lets senders wait for space when told to", async () => {
    const one = await started({ queue: { queue_size: 1, block_on_overflow: true }, reply: waiting });
    one.push("a");
    await diskTurns();
    const answers = one.push("b");
    await diskTurns();
    assert.deepEqual(said(answers), []);
    await one.sent[0]!.finish();
    await diskTurns();
    assert.deepEqual(said(answers), ["ack"]);
  });

  it("answers retryably when the disk is full, and sends what it has", async () => {
    const disk = new SimulatedDisk();
    const one = await started({ disk });
    disk.capacityBytes = disk.usedBytes;
    const answers = one.push("a");
    await diskTurns();
    const [error] = answers;
    assert.ok(error instanceof ConsumeError && error.retryable);
    assert.match(error.message, /no space left/);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    const later = one.push("b");
    await diskTurns();
    assert.deepEqual([said(later), one.sent.map(({ names }) => names)], [["ack"], [["b"]]]);
    await one.stop();
  });

  // Scenario: more is queued than is kept in memory; then the destination is there again.
  // Guarantees: it is read back in its order, and memory holds a part of it only.
  it("keeps in memory a part of what waits, and reads the rest back in order", async () => {
    const names = Array.from({ length: 20 }, (_, index) => `${index}-${"x".repeat(3_000_000)}`);
    let isDown = true;
    const one = await started({
      queue: { num_consumers: 1 },
      retry: { max_elapsed_time: 0 },
      reply: () => (isDown ? down : undefined),
    });
    for (const name of names) {
      one.push(name);
      await diskTurns();
    }
    assert.ok(one.host.budget.usedBytes < 40 * 1024 * 1024, `${one.host.budget.usedBytes} bytes in memory`);
    isDown = false;
    one.host.advance(60_000);
    await diskTurns(200);
    const got = one.sent.map((each) => each.names[0]?.split("-")[0]);
    assert.deepEqual(
      [...new Set(got)],
      names.map((name) => name.split("-")[0]),
    );
    assert.equal(one.host.budget.usedBytes, 0);
    await one.stop();
  });

  it("counts a record that is damaged while it waits as dropped, and sends the others", async () => {
    const disk = new SimulatedDisk();
    const first = await started({ disk, queue: { num_consumers: 1 }, reply: () => down });
    for (const name of ["a", "b", "c"]) first.push(name);
    await diskTurns();
    await first.stop();
    const { log } = await openedLog({ disk });
    disk.contents("queue-0000000001.log")![160]! ^= 4;
    const second = await started({ disk, log });
    await diskTurns(50);
    assert.equal(second.host.books.sent, 2);
    assert.deepEqual([...second.host.dropped], [["damaged", 1]]);
    assert.equal(second.host.metric("otelcol_exporter_queue_size"), 0);
    await second.stop();
  });

  it("keeps the parts of a batch that were not sent at a shutdown", async () => {
    const batch = { min_size: 3, max_size: 3, flush_timeout: "1h" };
    const one = await started({ queue: { batch, num_consumers: 1 } });
    one.push("a", "b", "c", "d");
    await diskTurns();
    assert.deepEqual(
      one.sent.map(({ names }) => names),
      [["a", "b", "c"]],
    );
    await one.stop();
    assert.equal(one.host.clock.pendingTimers, 0);
    const again = await started({ disk: one.disk });
    await diskTurns();
    assert.deepEqual(again.sent[0]?.names, ["a", "b", "c", "d"]);
    await again.stop();
  });

  it("goes to a new instance of its exporter, what is being sent last", async () => {
    const old = await started({ queue: { num_consumers: 1 }, reply: waiting });
    for (const name of ["a", "b", "c"]) old.push(name);
    await diskTurns();
    const next = await started({ log: old.log });
    await diskTurns();
    assert.deepEqual(
      next.sent.map(({ names }) => names),
      [["b"], ["c"]],
    );
    const late = old.push("d");
    await diskTurns();
    assert.deepEqual([said(late), next.sent.at(-1)?.names], [["ack"], ["d"]]);
    const draining = old.exporter.drain?.(old.host.clock.monotonicMs() + 1000);
    old.host.advance(1000);
    await draining;
    await old.exporter.stop?.();
    await diskTurns();
    assert.deepEqual(next.sent.at(-1)?.names, ["a"]);
    await next.stop();
  });

  it("says what is wrong when the storage is none", async () => {
    const one = harness({ queue: { storage: "file_storage" } });
    await assert.rejects(one.exporter.start!(), /no such extension "file_storage"/);
  });
});
