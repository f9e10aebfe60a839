import assert from "node:assert/strict";
import { it } from "node:test";
import type { QueueStore, StoredRecord } from "../../../pipeline/storage/storage.ts";
import { SimulatedDisk } from "../../support/simulated_disk.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { batchOf, leftIn, openedLog, ownerless, seed } from "./opened_log.ts";

const rounds = 60;

// Scenario: batches are stored and settled at random, on a disk that forgets at a random moment what was not synced, keeps
// parts of it, and forgets files whose directory was not synced; again and again, over the same disk. When most is settled
// the rest is written anew meanwhile.
// Guarantees: what was answered for and not settled is there, whole; nothing is there that was never stored.
for (const { share, rewrites } of [
  { share: 0.4, rewrites: "" },
  { share: 0.9, rewrites: ", some of them while the log is made smaller" },
]) {
  it(`keeps through ${rounds} power losses${rewrites} all that it answered for`, async () => {
    console.log(`seed ${seed}`);
    const random = seededRandom(seed);
    let disk = new SimulatedDisk();
    const stored = new Set<string>();
    const settled = new Set<string>();
    const offered = new Set<string>();
    for (let round = 0; round < rounds; round++) {
      const { log, host } = await openedLog({ disk, segmentBytes: 3000, seed: seed + round });
      const queue = log.queue({ id: "otlp", signal: "traces" }).open(ownerless);
      const left = new Set(await leftIn(queue));
      for (const text of stored) assert.ok(left.has(text) || settled.has(text), `round ${round}: a batch is missing`);
      for (const text of left) assert.ok(offered.has(text), `round ${round}: a batch that nobody sent`);
      const settle = (record: StoredRecord, text: string) => {
        settled.add(text);
        queue.settle(record);
      };
      for (const record of queue.left) {
        if (random() < share - 0.1) settle(record, (await queue.read(record)).bytes.toString("latin1"));
      }
      const lossAt = Math.floor(random() * 12 * (share > 0.5 ? 8 : 1));
      for (let turn = 0; turn < lossAt; turn++) {
        for (let index = 0; index < random() * 4; index++) offer(queue, `${round}-${turn}-${index}`, settle);
        await new Promise((resolve) => setImmediate(resolve));
        host.advance(5);
      }
      disk = disk.afterPowerLoss(random);
    }
    assert.ok(stored.size > rounds && settled.size > rounds / 2, "something happened");

    function offer(queue: QueueStore, name: string, settle: (record: StoredRecord, text: string) => void): void {
      const { data, text } = batchOf(1 + Math.floor(random() * 8), name);
      offered.add(text);
      queue.append(data, undefined, (_, record) => {
        if (record === undefined) return;
        stored.add(text);
        if (random() < share) settle(record, text);
      });
    }
  });
}
