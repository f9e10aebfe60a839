import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { BboltError, fnv1a, isBbolt, readBucket } from "../../../pipeline/storage/bbolt.ts";
import { bboltDatabase, type DatabaseOptions, pageSize } from "../../support/bbolt_writer.ts";
import { SimulatedDisk } from "../../support/simulated_disk.ts";

const entries = Object.fromEntries(
  Array.from({ length: 30 }, (_, index) => [String(index), Buffer.from(`value ${index}`)]),
);

async function read(bytes: Buffer): Promise<{ values: Record<string, string>; damagedPages: number }> {
  const disk = new SimulatedDisk();
  disk.put("database", bytes);
  const file = await disk.open("database");
  const bucket = await readBucket(file, "default");
  const values: Record<string, string> = {};
  for (const { key, position, length } of bucket.entries) {
    values[key] = (await file.read(position, length)).toString();
  }
  return { values, damagedPages: bucket.damagedPages };
}

function texts(values: Readonly<Record<string, Buffer>>): Record<string, string> {
  return Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value.toString()]));
}

describe("a database of bbolt", () => {
  const large = { ...entries, large: Buffer.alloc(3 * pageSize, "x") };
  for (const { name, ...options } of [
    { name: "with one page of entries", entries },
    { name: "with a tree of pages", entries, entriesPerLeaf: 4 },
    { name: "with values of several pages", entries: large, entriesPerLeaf: 3 },
    { name: "with its bucket in the page of the root", entries, isInline: true },
    { name: "without entries", entries: {} },
  ] satisfies (DatabaseOptions & { name: string })[]) {
    it(`is read ${name}`, async () => {
      assert.deepEqual(await read(bboltDatabase(options)), { values: texts(options.entries), damagedPages: 0 });
    });
  }

  it("is read by its second head when the first is damaged, and is refused when both are", async () => {
    const bytes = bboltDatabase({ entries });
    bytes.copyWithin(pageSize, 0, pageSize);
    bytes.fill(0xff, 0, 100);
    assert.deepEqual((await read(bytes)).values, texts(entries));
    bytes[pageSize + 40]! ^= 1;
    await assert.rejects(read(bytes), BboltError);
    const disk = new SimulatedDisk();
    disk.put("database", bytes);
    disk.put("other", Buffer.alloc(10_000));
    assert.equal(await isBbolt(await disk.open("database")), true, "it still has the mark");
    assert.equal(await isBbolt(await disk.open("other")), false);
  });

  it("gives what is on sound pages when others are damaged", async () => {
    const bytes = bboltDatabase({ entries, entriesPerLeaf: 10 });
    bytes.fill(0xff, 3 * pageSize, 4 * pageSize);
    const { values, damagedPages } = await read(bytes);
    assert.deepEqual([Object.keys(values).length, damagedPages], [20, 1]);
  });

  it("ends whatever it is made of: pages that name each other, cut files, flipped bits", async () => {
    const bytes = bboltDatabase({ entries, entriesPerLeaf: 10 });
    const looped = Buffer.from(bytes);
    looped.writeBigUInt64LE(5n, 5 * pageSize + 16 + 8);
    assert.deepEqual((await read(looped)).damagedPages, 1);
    for (let length = 0; length < bytes.length; length += 512) {
      await read(bytes.subarray(0, length)).catch((error) =>
        assert.ok(error instanceof BboltError, `cut at ${length}`),
      );
    }
    for (let page = 2; page < bytes.length / pageSize; page++) {
      for (let bit = 0; bit < 100 * 8; bit += 3) {
        const flipped = Buffer.from(bytes);
        flipped[page * pageSize + (bit >> 3)]! ^= 1 << (bit & 7);
        await read(flipped).catch((error) => assert.ok(error instanceof BboltError, `page ${page}, bit ${bit}`));
      }
    }
  });

  it("checks heads by FNV-1a with 64 bits", () => {
    assert.equal(fnv1a(Buffer.from("foobar")), 0x85944171f73967e8n);
  });
});
