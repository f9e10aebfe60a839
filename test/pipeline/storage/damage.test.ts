import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Segment } from "../../../pipeline/storage/segment.ts";
import { SimulatedDisk } from "../../support/simulated_disk.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { batchOf, leftIn, openedLog, ownerless, seed, store } from "./opened_log.ts";

const traces = { id: "otlp", signal: "traces" } as const;
const log = "queue-0000000001.log";
const settled = "queue-0000000001.settled";

/** A disk with one segment of four small batches, the third of them settled. */
async function smallLog() {
  const opened = await openedLog();
  const queue = opened.log.queue(traces).open(ownerless);
  const batches = ["one", "two", "three", "four"].map((name) => batchOf(1, name));
  const records: { offset: number; length: number; segment: Segment }[] = [];
  for (const { data } of batches) records.push((await store(queue, data)) as never);
  queue.settle(records[2] as never);
  await opened.log.close();
  const texts = batches.map(({ text }) => text);
  return { bytes: opened.disk.contents(log)!, settledBytes: opened.disk.contents(settled)!, texts, records };
}

async function reopened(bytes: Buffer, settledBytes: Buffer) {
  const disk = new SimulatedDisk();
  disk.put(log, Buffer.from(bytes));
  disk.put(settled, Buffer.from(settledBytes));
  const { log: opened, host } = await openedLog({ disk });
  const left = await leftIn(opened.queue(traces).open(ownerless));
  await opened.close();
  return { left, disk, levels: host.logs.map(({ level }) => level), quarantined: opened.damagedRecords };
}

describe("a damaged log", () => {
  // Scenario: the file ends after each of its bytes, as after a crash in the middle of a write.
  // Guarantees: what was written whole is there, the rest is cut off with one line, and the next start finds nothing odd.
  it("gives every whole record wherever it was cut, and starts", async () => {
    const { bytes, settledBytes, texts, records } = await smallLog();
    for (let length = 0; length <= bytes.length; length++) {
      const { left, disk, levels, quarantined } = await reopened(bytes.subarray(0, length), settledBytes);
      const whole = texts.filter(
        (_, index) => index !== 2 && records[index]!.offset + records[index]!.length <= length,
      );
      assert.deepEqual(left, whole, `cut at ${length}`);
      const isClean = length === 24 || length === 0 || records.some((one) => one.offset + one.length === length);
      assert.deepEqual([levels, quarantined], [isClean ? [] : ["info"], 0], `cut at ${length}`);
      if (whole.length === 0) continue;
      const again = await openedLog({ disk });
      assert.deepEqual(again.messages(), [], `cut at ${length}, second start`);
    }
  });

  // Scenario: each bit of the file is flipped in turn.
  // Guarantees: one record at most is missing, none is wrong, and its bytes are put aside.
  it("loses the damaged record only, whichever bit flips", async () => {
    const { bytes, settledBytes, texts, records } = await smallLog();
    const wanted = texts.filter((_, index) => index !== 2);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const at = bit >> 3;
      const flipped = Buffer.from(bytes);
      flipped[at]! ^= 1 << (bit & 7);
      const { left, disk, quarantined } = await reopened(flipped, settledBytes);
      const hit = records.findIndex(({ offset, length }) => at >= offset && at < offset + length);
      assert.deepEqual(
        left,
        wanted.filter((text) => text !== texts[hit]),
        `bit ${bit}`,
      );
      assert.equal(quarantined, 1, `bit ${bit}`);
      const kept = disk.names().find((name) => name.startsWith("quarantine-"))!;
      const { offset, length } = records[hit] ?? { offset: 0, length: 24 };
      assert.deepEqual(disk.contents(kept), flipped.subarray(offset, offset + length), `bit ${bit}`);
      if (bit % 97 !== 0) continue;
      const again = await openedLog({ disk });
      assert.deepEqual(again.messages(), [], `bit ${bit}, second start`);
    }
  });

  it("sends a record once more when the note that it was settled is damaged, and loses none", async () => {
    const { bytes, settledBytes, texts } = await smallLog();
    for (let bit = 0; bit < settledBytes.length * 8; bit++) {
      const flipped = Buffer.from(settledBytes);
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      const { left, quarantined } = await reopened(bytes, flipped);
      assert.deepEqual([left, quarantined], [texts, 0], `bit ${bit}`);
    }
    for (let length = 0; length < settledBytes.length; length++) {
      const { left } = await reopened(bytes, settledBytes.subarray(0, length));
      assert.deepEqual(left, texts, `cut at ${length}`);
    }
  });

  it("never gives bytes that were not stored, whatever the file has become", async () => {
    console.log(`seed ${seed}`);
    const random = seededRandom(seed);
    const { bytes, settledBytes, texts } = await smallLog();
    for (let round = 0; round < 500; round++) {
      let mangled = Buffer.from(bytes);
      for (let step = 0; step < 1 + random() * 4; step++) {
        const from = Math.floor(random() * mangled.length);
        const to = from + Math.floor(random() * 100);
        const piece = mangled.subarray(from, to);
        const rest = [mangled.subarray(0, from), mangled.subarray(to)] as const;
        const kind = Math.floor(random() * 4);
        if (kind === 0) mangled = Buffer.concat([rest[0], rest[1]]);
        else if (kind === 1) mangled = Buffer.concat([rest[0], piece, piece, rest[1]]);
        else if (kind === 2) piece.fill(Math.floor(random() * 256));
        else mangled = Buffer.concat([rest[1], rest[0]]);
      }
      const { left } = await reopened(mangled, settledBytes);
      assert.deepEqual(
        left.filter((text) => !texts.includes(text)),
        [],
        `round ${round}`,
      );
    }
  });

  it("does not take data for a record, even if it looks like one", async () => {
    const { bytes } = await smallLog();
    const { data } = batchOf(1, bytes.toString("latin1"));
    const opened = await openedLog({ seed: seed + 1 });
    await store(opened.log.queue(traces).open(ownerless), data);
    await opened.log.close();
    const inner = opened.disk.contents(log)!;
    inner[26]! ^= 1;
    const { left, quarantined } = await reopened(inner, Buffer.alloc(0));
    assert.deepEqual([left, quarantined], [[], 1]);
  });
});
