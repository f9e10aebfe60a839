import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StoredRecord } from "../../../pipeline/storage/storage.ts";
import { SimulatedDisk, systemError } from "../../support/simulated_disk.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { batchOf, leftIn, openedLog, ownerless, seed, store } from "./opened_log.ts";

const traces = { id: "otlp", signal: "traces" } as const;
const others = { id: "otlp/stalled", signal: "traces" } as const;
const segmentBytes = 4000;

type Opened = Awaited<ReturnType<typeof openedLog>>;

/** Lets what was settled be written down, and what follows from that happen. */
async function settledDown({ host }: Opened): Promise<void> {
  for (let time = 0; time < 5; time++) {
    host.advance(50);
    for (let turn = 0; turn < 400; turn++) await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A log with many batches that one exporter has sent, and now and then one that another cannot send. */
async function mostlySettled(disk = new SimulatedDisk()) {
  const opened = await openedLog({ disk, segmentBytes });
  const queue = opened.log.queue(traces).open(ownerless);
  const stalled = opened.log.queue(others).open(ownerless);
  const kept: { record: StoredRecord; text: string }[] = [];
  for (let index = 0; index < 150; index++) {
    opened.host.advance(0.1);
    const { data, text } = batchOf(8, `batch-${index}`);
    const [record, other] = await Promise.all([
      store(queue, data),
      index % 12 === 0 ? store(stalled, data) : Promise.resolve(undefined),
    ]);
    queue.settle(record);
    if (other !== undefined) kept.push({ record: other, text });
  }
  return { ...opened, queue, stalled, kept };
}

function bound(kept: readonly { text: string }[]): number {
  const live = kept.reduce((sum, { text }) => sum + text.length + 120, 0);
  return 2 * live + 4 * segmentBytes;
}

describe("a log of which most is settled", () => {
  // Scenario: of 150 batches an exporter that is stalled keeps every twelfth, so each segment has one.
  // Guarantees: the disk holds twice what waits and some segments; all that waits can be read, now and after a restart.
  it("takes no more than twice what waits, and some segments", async () => {
    const opened = await mostlySettled();
    const { disk, log, stalled, kept, messages } = opened;
    const before = disk.usedBytes;
    await settledDown(opened);
    assert.ok(before > 1.5 * bound(kept), "there was something to do");
    assert.ok(disk.usedBytes <= bound(kept), `${disk.usedBytes} bytes for ${bound(kept)}`);
    for (const { record, text } of kept) {
      assert.equal((await stalled.read(record)).bytes.toString("latin1"), text);
    }
    await stalled.close();
    await log.close();
    const again = (await openedLog({ disk, segmentBytes })).log;
    assert.deepEqual(
      await leftIn(again.queue(others).open(ownerless)),
      kept.map(({ text }) => text),
      "in their order",
    );
    assert.deepEqual([messages(), again.queue(traces).open(ownerless).left], [[], []]);
  });

  it("gives its records to readers, and forgets what they settle, while it is written anew", async () => {
    const opened = await mostlySettled();
    const { disk, log, stalled, kept, host } = opened;
    const random = seededRandom(seed);
    host.advance(50);
    const reads: Promise<void>[] = [];
    const left = new Set(kept);
    for (let turn = 0; turn < 600; turn++) {
      const one = kept[Math.floor(random() * kept.length)]!;
      if (turn % 40 === 7 && left.delete(one)) stalled.settle(one.record);
      else if (left.has(one)) {
        const read = stalled.read(one.record).then(({ bytes }) => assert.equal(bytes.toString("latin1"), one.text));
        reads.push(read.catch((error) => assert.ok(!left.has(one), error)));
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    await Promise.all(reads);
    await settledDown(opened);
    await log.close();
    const again = (await openedLog({ disk, segmentBytes })).log.queue(others).open(ownerless);
    assert.deepEqual(
      await leftIn(again),
      [...left].map(({ text }) => text),
    );
  });

  it("removes everything when the last record is settled, wherever that is by then", async () => {
    const opened = await mostlySettled();
    await settledDown(opened);
    for (const { record } of opened.kept) opened.stalled.settle(record);
    await settledDown(opened);
    await opened.log.close();
    assert.deepEqual(opened.disk.names(), []);
  });

  it("stays as it is while the disk is full or broken, and is made smaller when it is not", async () => {
    for (const code of ["ENOSPC", "EIO"]) {
      const disk = new SimulatedDisk();
      const opened = await mostlySettled(disk);
      let writes = 0;
      disk.fault = (operation, name) => {
        if (operation !== "write" || !name.endsWith(".log")) return;
        writes += 1;
        throw systemError(code);
      };
      await settledDown(opened);
      assert.ok(writes > 0 && writes < 3, `${writes} attempts`);
      assert.deepEqual(opened.messages(), ["Making a queue on disk smaller fails; it is tried again."]);
      disk.fault = () => {};
      opened.host.advance(1000);
      await settledDown(opened);
      opened.queue.settle(await store(opened.queue, batchOf(1, "last").data));
      await settledDown(opened);
      assert.ok(disk.usedBytes <= bound(opened.kept), code);
      for (const { record, text } of opened.kept) {
        assert.equal((await opened.stalled.read(record)).bytes.toString("latin1"), text);
      }
    }
  });

  it("leaves a damaged record where it is, for whoever reads it", async () => {
    const opened = await mostlySettled();
    const { disk, log, stalled, kept } = opened;
    disk.contents("queue-0000000001.log")![200]! ^= 1;
    await settledDown(opened);
    await assert.rejects(stalled.read(kept[0]!.record), /is damaged/);
    assert.equal(log.damagedRecords, 1);
    stalled.settle(kept[0]!.record);
    await settledDown(opened);
    for (const { record, text } of kept.slice(1)) {
      assert.equal((await stalled.read(record)).bytes.toString("latin1"), text);
    }
  });
});
