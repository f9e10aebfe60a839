import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { bytesField } from "../../../pipeline/net/protobuf.ts";
import { collectorFileName, importCollectorFile } from "../../../pipeline/storage/collector_file.ts";
import { bboltDatabase, pageSize } from "../../support/bbolt_writer.ts";
import { SimulatedDisk, systemError } from "../../support/simulated_disk.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";
import { leftIn, openedLog, ownerless } from "./opened_log.ts";

const otlp = { id: "otlp", signal: "traces" } as const;
const file = "exporter_otlp__traces";

/** A request of one span, bare as old Collectors store it, and the same with who sent it. */
function request(name: string) {
  const otlpBytes = someSpans(1, name).toBuffer();
  const version = Buffer.from([0x0d, 1, 0, 0, 0]);
  const values = [bytesField(1, bytesField(1, "one")), bytesField(1, bytesField(1, "two"))];
  const list = bytesField(2, Buffer.concat([bytesField(1, "X-Tenant"), bytesField(2, bytesField(5, values[0]!))]));
  const text = bytesField(2, Buffer.concat([bytesField(1, "x-user"), bytesField(2, bytesField(1, "me"))]));
  const address = bytesField(4, bytesField(1, Buffer.from([127, 0, 0, 1])));
  const wrapped = Buffer.concat([
    version,
    bytesField(2, Buffer.concat([list, text, address])),
    bytesField(3, otlpBytes),
  ]);
  return { bare: otlpBytes, wrapped, text: otlpBytes.toString("latin1") };
}

/** The metadata of a queue that would send `next` next. */
function metadata(next: number): Buffer {
  const bytes = Buffer.alloc(9);
  bytes[0] = (3 << 3) | 1;
  bytes.writeBigUInt64LE(BigInt(next), 1);
  return bytes;
}

/** A start on a disk: takes the Collector's file over. */
async function start(disk: SimulatedDisk, { fsync = true, recreate = false } = {}) {
  const opened = await openedLog({ disk, fsync });
  const { log, host } = opened;
  await importCollectorFile(otlp, { disk, log, logger: host.logger, clock: host.clock, recreate });
  const queue = log.queue(otlp).open(ownerless);
  return { ...opened, queue, left: await leftIn(queue) };
}

function diskWith(entries: Record<string, Buffer>, entriesPerLeaf = 4): SimulatedDisk {
  const disk = new SimulatedDisk();
  disk.put(file, bboltDatabase({ entries, entriesPerLeaf }));
  return disk;
}

const names = Array.from({ length: 12 }, (_, index) => `request-${index}`);
const requests = names.map(request);
const all = Object.fromEntries(requests.map(({ wrapped }, index) => [String(index), wrapped]));

describe("a queue that the Collector left", () => {
  it("is taken over in its order, what was being sent last, and then its file is gone", async () => {
    const disk = diskWith({ ...all, qmv0: metadata(3) });
    const { left, queue, messages, log } = await start(disk);
    const order = [...requests.slice(3), ...requests.slice(0, 3)];
    assert.deepEqual(
      left,
      order.map(({ text }) => text),
    );
    const client = (await queue.read(queue.left[0]!)).client;
    assert.deepEqual(
      [...(client?.metadata ?? [])],
      [
        ["x-tenant", ["one"]],
        ["x-user", ["me"]],
      ],
    );
    assert.deepEqual(messages(), ["Took over a queue of the Collector; its file is removed."]);
    await log.close();
    assert.deepEqual(disk.names(), ["queue-0000000001.log"]);
    assert.equal((await start(disk)).left.length, 12, "and it is there after the next start");
  });

  it("is taken over as older versions wrote it: without a context, with keys of their own", async () => {
    const index = Buffer.alloc(8);
    index.writeBigUInt64LE(2n);
    const bare = Object.fromEntries(requests.slice(0, 4).map((each, at) => [String(at), each.bare]));
    const { left } = await start(diskWith({ ...bare, ri: index, wi: index, di: Buffer.alloc(4) }));
    assert.deepEqual(
      left,
      [2, 3, 0, 1].map((at) => requests[at]!.text),
    );
  });

  it("is removed when it is empty", async () => {
    const disk = diskWith({ qmv0: metadata(3) });
    const { left } = await start(disk);
    assert.deepEqual([left, disk.names()], [[], []]);
  });

  // Scenario: a request makes no sense, and a page of others.
  // Guarantees: the rest is delivered, once; the bytes are kept, in a file of another name.
  it("is taken over as far as it can be read", async () => {
    const disk = diskWith({ ...all, "5": Buffer.from("nonsense"), qmv0: metadata(0) });
    disk.contents(file)!.fill(0xff, 2 * pageSize, 3 * pageSize);
    const { left, log, host } = await start(disk);
    assert.equal(left.length, 12 - 4 - 1, "a page of 4 and one request");
    const { message, fields } = host.logs[0] ?? {};
    assert.equal(message, "Took over what can be read of a queue of the Collector; its file is kept.");
    assert.deepEqual([fields?.["damaged_requests"], fields?.["damaged_pages"]], [1, 1]);
    await log.close();
    const kept = disk.names().filter((name) => !name.startsWith("queue-"));
    assert.match(kept[0] ?? "", /^exporter_otlp__traces\.\d{8}T\d{6}\.\d{3}Z\.backup$/);
    assert.equal(kept[1], `quarantine-${file}-5.bin`);
    const again = await start(disk);
    assert.deepEqual([again.left, again.messages()], [left, []]);
  });

  it("is kept when it has what no queue has: a later version of a request, or another key", async () => {
    const later = Buffer.from(requests[1]!.wrapped);
    later.writeUInt32LE(2, 1);
    for (const entries of [
      { "0": requests[0]!.wrapped, "1": later },
      { "0": requests[0]!.wrapped, other: later },
    ]) {
      const disk = diskWith({ ...entries, qmv0: metadata(0) });
      const { left, log } = await start(disk);
      assert.deepEqual(left, [requests[0]!.text]);
      await log.close();
      assert.match(disk.names().join(" "), /^exporter_otlp__traces\.\w+\.\d+Z\.backup /);
    }
  });

  it("stays as it is when nothing of it can be read", async () => {
    const disk = diskWith(all);
    disk.contents(file)!.fill(0, 0, 2 * pageSize);
    const { left, messages } = await start(disk);
    assert.deepEqual(left, []);
    assert.deepEqual(messages(), ["A queue of the Collector cannot be read; its file is left as it is."]);
    assert.deepEqual(disk.names(), [file]);
    const told = await start(disk, { recreate: true });
    assert.deepEqual(told.messages(), ["A queue of the Collector cannot be read and was put aside."]);
    assert.match(disk.names().join(), /^exporter_otlp__traces\.\w+\.\d+Z\.backup$/);
  });

  it("stays whole while the disk has no space for it, and is taken over when there is", async () => {
    const disk = diskWith({ ...all, qmv0: metadata(0) });
    disk.capacityBytes = disk.usedBytes + 200;
    const first = await start(disk);
    assert.deepEqual(first.left, []);
    assert.match(first.messages()[0] ?? "", /could not be taken over; its file is left as it is, for the next start/);
    await first.log.close();
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    assert.equal((await start(disk)).left.length, 12);
  });

  it("is not taken over twice when its file cannot be removed", async () => {
    const disk = diskWith({ ...all, qmv0: metadata(0) });
    disk.fault = (operation, name) => {
      if (operation === "remove" && name === file) throw systemError("EPERM");
    };
    const first = await start(disk);
    assert.deepEqual(first.left, []);
    await first.log.close();
    disk.fault = () => {};
    assert.equal((await start(disk)).left.length, 12);
  });

  // Scenario: the power goes at each turn of taking it over, with fsync off.
  // Guarantees: everything is there after the next start.
  it("is there whole after a power loss at any moment", async () => {
    const random = seededRandom(1);
    for (let turns = 0; turns < 60; turns++) {
      const disk = diskWith({ ...all, qmv0: metadata(0) });
      void start(disk, { fsync: false });
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      const { left } = await start(disk.afterPowerLoss(random), { fsync: false });
      assert.deepEqual(new Set(left), new Set(requests.map(({ text }) => text)), `after ${turns} turns`);
    }
  });

  for (const { id, signal, want } of [
    { ...otlp, want: file },
    { id: "otlp_http/two", signal: "logs", want: "exporter_otlp_http_two_logs" },
    { id: "otlp/a b/ü~😀", signal: "metrics", want: "exporter_otlp_a~0020b~002F~00FC~007E~1F600_metrics" },
    {
      id: `otlp/${"x".repeat(300)}`,
      signal: "traces",
      want: "9325ccfb50636bf620ddf325cba416fc79656a88e958ab6ee0c4a4e1d7a0a6f1",
    },
  ] as const) {
    it(`is looked for by its name: ${id.slice(0, 20)}`, () => {
      assert.equal(collectorFileName({ id, signal }), want);
    });
  }
});
