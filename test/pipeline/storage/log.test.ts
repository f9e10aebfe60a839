import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import { RecordLog } from "../../../pipeline/storage/log.ts";
import { DamagedError, type StoredRecord } from "../../../pipeline/storage/storage.ts";
import { SimulatedDisk, systemError } from "../../support/simulated_disk.ts";
import { simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";
import { batchOf, leftIn, openedLog, ownerless, store } from "./opened_log.ts";

const traces = { id: "otlp", signal: "traces" } as const;
const others = { id: "otlp/other", signal: "traces" } as const;

describe("a log", () => {
  it("gives back after a restart what was stored and not settled, the oldest first", async () => {
    const { disk, log } = await openedLog();
    const queue = log.queue(traces).open(ownerless);
    const [one, two, three] = [batchOf(1, "one"), batchOf(2, "two"), batchOf(3, "three")];
    await store(queue, one.data);
    queue.settle(await store(queue, two.data));
    await store(queue, three.data);
    await queue.close();
    await log.close();
    const again = (await openedLog({ disk })).log.queue(traces).open(ownerless);
    assert.deepEqual(await leftIn(again), [one.text, three.text]);
    assert.deepEqual(
      again.left.map(({ items, sizeBytes }) => [items, sizeBytes]),
      [one, three].map(({ data }) => [data.itemCount, data.sizeBytes]),
    );
  });

  it("keeps who sent it, when that is known", async () => {
    const { disk, log } = await openedLog();
    const metadata = new Map([["x-tenant", ["one", "two"]]]);
    const client = { address: "127.0.0.1:1", transport: "grpc" as const, metadata };
    await new Promise<void>((resolve) =>
      log
        .queue(traces)
        .open(ownerless)
        .append(someSpans(1), client, () => resolve()),
    );
    await log.close();
    const again = (await openedLog({ disk })).log.queue(traces).open(ownerless);
    assert.deepEqual((await again.read(again.left[0]!)).client, client);
  });

  it("writes and syncs what comes together once", async () => {
    const { disk, log } = await openedLog();
    const queue = log.queue(traces).open(ownerless);
    await store(queue, someSpans(1));
    const { writes, syncs } = disk;
    await Promise.all(
      Array.from({ length: 50 }, async (_, index) => await store(queue, someSpans(1, `span-${index}`))),
    );
    assert.deepEqual([disk.writes - writes, disk.syncs - syncs], [1, 1]);
  });

  it("writes a batch that several queues store once, and keeps it until both have settled it", async () => {
    const { disk, log } = await openedLog();
    const queues = [log.queue(traces).open(ownerless), log.queue(others).open(ownerless)];
    const { data, text } = batchOf(100, "shared");
    const [first, second] = await Promise.all(queues.map(async (queue) => await store(queue, data)));
    assert.ok(disk.usedBytes < 1.5 * data.sizeBytes);
    queues[0]!.settle(first!);
    await log.close();
    const again = (await openedLog({ disk })).log;
    assert.deepEqual(await leftIn(again.queue(traces).open(ownerless)), []);
    const other = again.queue(others).open(ownerless);
    assert.deepEqual(await leftIn(other), [text]);
    other.settle(other.left[0]!);
    assert.notEqual(second, undefined);
    await again.close();
    assert.deepEqual(disk.names(), []);
  });

  it("removes a segment when all its records are settled, and no other", async () => {
    const { disk, log } = await openedLog({ segmentBytes: 2000 });
    const queue = log.queue(traces).open(ownerless);
    const records = [];
    for (let index = 0; index < 6; index++) records.push(await store(queue, batchOf(20, `batch-${index}`).data));
    assert.ok(log.segmentCount >= 3);
    for (const record of records.slice(1)) queue.settle(record);
    await log.close();
    const segments = disk.names().filter((name) => name.endsWith(".log"));
    assert.deepEqual(segments, ["queue-0000000001.log"]);
    const again = (await openedLog({ disk })).log.queue(traces).open(ownerless);
    assert.equal(again.left.length, 1);
  });

  it("does not sync when told not to", async () => {
    const { disk, log } = await openedLog({ fsync: false });
    const queue = log.queue(traces).open(ownerless);
    queue.settle(await store(queue, someSpans(1)));
    await log.close();
    assert.equal(disk.syncs, 0);
  });

  it("hands a queue over to a new owner while the old one ends", async () => {
    const { log } = await openedLog();
    const taken: unknown[] = [];
    const waiting: StoredRecord[] = [];
    const old = log.queue(traces).open({ handOver: () => waiting, take: () => {} });
    const inFlight = await store(old, batchOf(1, "in-flight").data);
    waiting.push(await store(old, batchOf(1, "waiting").data));
    const next = log.queue(traces).open({ handOver: () => [], take: (records) => void taken.push(...records) });
    assert.deepEqual(next.left, waiting);
    await new Promise<void>((resolve) => old.append(someSpans(1), undefined, () => resolve()));
    assert.equal(taken.length, 1, "what still came to the old one is the new one's");
    await old.close();
    assert.equal(taken[1], inFlight, "so is what the old one did not get done");
  });
});

describe("a log whose disk fails", () => {
  it("answers retryably while the disk is full, and goes on when it is not", async () => {
    const disk = new SimulatedDisk();
    const { log } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    const first = batchOf(10, "first");
    await store(queue, first.data);
    disk.capacityBytes = disk.usedBytes + 100;
    for (let time = 0; time < 3; time++) {
      await assert.rejects(store(queue, someSpans(10, "none")), (error) => {
        assert.ok(error instanceof ConsumeError && error.retryable && error.delayMs !== undefined);
        return /no space left for the queue on disk/.test(error.message);
      });
    }
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    const second = batchOf(10, "second");
    await store(queue, second.data);
    await log.close();
    const { log: again, messages } = await openedLog({ disk });
    assert.deepEqual(await leftIn(again.queue(traces).open(ownerless)), [first.text, second.text]);
    assert.deepEqual(messages(), []);
  });

  // Scenario: the disk is full with what waits itself; then a part of that is sent.
  // Guarantees: that makes space, although nothing else on the disk went away.
  it("makes space by what it sends", async () => {
    const disk = new SimulatedDisk();
    const { log } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    const records = [await store(queue, batchOf(20, "one").data), await store(queue, batchOf(20, "two").data)];
    disk.capacityBytes = disk.usedBytes + 100;
    await assert.rejects(store(queue, batchOf(20, "three").data), /no space left/);
    for (const record of records) queue.settle(record);
    await log.close();
    assert.deepEqual(disk.names(), []);
  });

  it("says once that it cannot write down what was settled, and writes it down when it can", async () => {
    const disk = new SimulatedDisk();
    const { log, host, messages } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    const records = [];
    for (let index = 0; index < 6; index++) records.push(await store(queue, someSpans(1, `span-${index}`)));
    disk.fault = (operation, name) => {
      if (operation === "write" && name.endsWith(".settled")) throw systemError("ENOSPC");
    };
    for (const record of records.slice(0, 4)) {
      queue.settle(record);
      host.advance(50);
      for (let turn = 0; turn < 10; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    assert.deepEqual(messages(), ["Writing down what was delivered fails; a crash now would send it again."]);
    disk.fault = () => {};
    queue.settle(records[4]!);
    await log.close();
    assert.equal((await openedLog({ disk })).log.queue(traces).open(ownerless).left.length, 1);
  });

  it("refuses retryably once somebody removed its file, and goes on in the next one", async () => {
    const disk = new SimulatedDisk();
    const { log } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    await store(queue, batchOf(1, "lost").data);
    await disk.remove("queue-0000000001.log");
    await assert.rejects(store(queue, someSpans(1)), (error) => {
      assert.ok(error instanceof ConsumeError && error.retryable);
      return /somebody removed queue-0000000001\.log/.test(error.message);
    });
    const { data, text } = batchOf(1, "kept");
    await store(queue, data);
    await log.close();
    assert.deepEqual(await leftIn((await openedLog({ disk })).log.queue(traces).open(ownerless)), [text]);
  });

  it("gives back everything, whatever the clock says", async () => {
    const disk = new SimulatedDisk();
    const host = simulatedHost();
    const times = [5e12, 0, -1e12, 3e12, 1e12];
    let next = 0;
    const clock = { ...systemClock, nowMs: () => times[next++ % times.length] ?? 0 };
    const surroundings = { clock, logger: host.logger, salt: () => Buffer.alloc(8, 1) };
    const log = await RecordLog.open(disk, { fsync: true, segmentBytes: 500 }, surroundings);
    const queue = log.queue(traces).open(ownerless);
    const batches = times.map((_, index) => batchOf(2, `batch-${index}`));
    for (const { data } of batches) await store(queue, data);
    await log.close();
    const left = await leftIn((await openedLog({ disk })).log.queue(traces).open(ownerless));
    assert.deepEqual(left.toSorted(), batches.map(({ text }) => text).toSorted());
  });

  it("makes no segment on a full disk, and one when there is space", async () => {
    const disk = new SimulatedDisk();
    disk.capacityBytes = 10;
    const { log } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    await assert.rejects(store(queue, someSpans(1)), /no space left/);
    assert.deepEqual(disk.names(), []);
    disk.capacityBytes = 10_000;
    await store(queue, someSpans(1));
  });

  // Scenario: fdatasync fails once. The system may have dropped the bytes and would say yes to the next one.
  // Guarantees: the sender is told to come back, and what is stored from then on goes to another file.
  it("never trusts a file again whose sync has failed", async () => {
    const disk = new SimulatedDisk();
    const { log } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    const before = batchOf(1, "before");
    await store(queue, before.data);
    disk.fault = (operation) => {
      if (operation === "sync") throw systemError("EIO");
    };
    await assert.rejects(store(queue, someSpans(1)), /cannot be written: EIO/);
    disk.fault = () => {};
    const after = batchOf(1, "after");
    await store(queue, after.data);
    assert.equal(log.segmentCount, 2);
    await log.close();
    const again = (await openedLog({ disk })).log.queue(traces).open(ownerless);
    assert.deepEqual(await leftIn(again), [before.text, after.text]);
  });

  it("starts without a file that cannot be read, and leaves it alone", async () => {
    const disk = new SimulatedDisk();
    const { log } = await openedLog({ disk, segmentBytes: 1 });
    const queue = log.queue(traces).open(ownerless);
    await store(queue, batchOf(1, "one").data);
    const two = batchOf(1, "two");
    await store(queue, two.data);
    await log.close();
    disk.fault = (operation, name) => {
      if (operation === "read" && name === "queue-0000000001.log") throw systemError("EIO");
    };
    const { log: again, messages } = await openedLog({ disk });
    assert.deepEqual(await leftIn(again.queue(traces).open(ownerless)), [two.text]);
    assert.deepEqual(messages(), ["A file of the queue cannot be read; it is left as it is."]);
    await again.close();
    assert.ok(disk.names().includes("queue-0000000001.log"));
  });

  it("puts a record aside that changes while it waits, and gives the others", async () => {
    const disk = new SimulatedDisk();
    const { log, messages } = await openedLog({ disk });
    const queue = log.queue(traces).open(ownerless);
    const record = await store(queue, batchOf(3, "one").data);
    const other = batchOf(3, "two");
    const next = await store(queue, other.data);
    disk.contents("queue-0000000001.log")![150]! ^= 1;
    await assert.rejects(queue.read(record), DamagedError);
    assert.equal((await queue.read(next)).bytes.toString("latin1"), other.text);
    assert.deepEqual(messages(), ["A record of the queue is damaged and was put aside."]);
    assert.ok(disk.names().includes("quarantine-0000000001-24.bin"));
    assert.equal(log.damagedRecords, 1);
  });

  it("leaves files of a later version alone", async () => {
    const disk = new SimulatedDisk();
    const { log } = await openedLog({ disk });
    await store(log.queue(traces).open(ownerless), someSpans(1));
    await log.close();
    const bytes = disk.contents("queue-0000000001.log")!;
    const { crc32 } = await import("node:zlib");
    bytes.writeUInt32LE(2, 8);
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 20)), 20);
    const { log: again, messages } = await openedLog({ disk });
    assert.equal(again.queue(traces).open(ownerless).left.length, 0);
    assert.deepEqual(messages(), ["A file of the queue is of a later version of otelpipe; it is left as it is."]);
    await again.close();
    assert.equal(disk.contents("queue-0000000001.log")?.length, bytes.length);
  });
});
