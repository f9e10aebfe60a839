import assert from "node:assert/strict";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { directoryDisk } from "../../pipeline/storage/disk.ts";
import { lockDirectory } from "../../pipeline/storage/lock.ts";
import { RecordLog } from "../../pipeline/storage/log.ts";
import { ownerless, store } from "../pipeline/storage/opened_log.ts";
import { bboltDatabase } from "../support/bbolt_writer.ts";
import { simulatedHost } from "../support/simulated_host.ts";
import { someSpans } from "../support/traces.ts";
import { folderWith, otelpipe } from "./cli.ts";

type Hooks = Parameters<typeof folderWith>[0];

/** A directory with three batches for `otlp`, the second of them settled, and the last also for `otlp/backup`. */
async function someQueues(test: Hooks): Promise<string> {
  const directory = folderWith(test, {});
  const { clock, logger } = simulatedHost();
  const surroundings = { clock, logger, salt: () => Buffer.alloc(8, 7) };
  const log = await RecordLog.open(directoryDisk(directory), { fsync: false, segmentBytes: 1e6 }, surroundings);
  const queue = log.queue({ id: "otlp", signal: "traces" }).open(ownerless);
  const backup = log.queue({ id: "otlp/backup", signal: "traces" }).open(ownerless);
  await store(queue, someSpans(1, "one"));
  queue.settle(await store(queue, someSpans(2, "two")));
  const shared = someSpans(3, "three");
  await Promise.all([store(queue, shared), store(backup, shared)]);
  await log.close();
  return directory;
}

const file = "queue-0000000001.log";

function damage(directory: string, at: number): void {
  const bytes = readFileSync(join(directory, file));
  bytes[at]! ^= 1;
  writeFileSync(join(directory, file), bytes);
}

describe("otelpipe queue", () => {
  it("inspect says what each exporter has to send, as text and as JSON, and changes nothing", async (test) => {
    const directory = await someQueues(test);
    const before = readFileSync(join(directory, file));
    const { code, stdout } = await otelpipe(["queue", "inspect", directory]);
    assert.equal(code, 0);
    const [head, first, second, , files] = stdout.split("\n").map((line) => line.trim().split(/\s{2,}/));
    assert.deepEqual(head, ["exporter", "signal", "records", "items", "bytes", "oldest", "latest"]);
    assert.deepEqual(
      [first?.slice(0, 4), second?.slice(0, 4)],
      [
        ["otlp", "traces", "2", "4"],
        ["otlp/backup", "traces", "1", "3"],
      ],
    );
    assert.deepEqual(files, [`1 files, ${before.length} bytes.`]);
    const report = JSON.parse((await otelpipe(["queue", "inspect", directory, "--json"])).stdout);
    assert.deepEqual(report.segments, [{ file, bytes: before.length, records: 3, unsettled: 2 }]);
    assert.deepEqual(report.problems, []);
    assert.deepEqual(readFileSync(join(directory, file)), before);
    assert.deepEqual(readdirSync(directory).sort(), [file, "queue-0000000001.settled"]);
  });

  it("inspect says so when nothing waits", async (test) => {
    const { stdout } = await otelpipe(["queue", "inspect", folderWith(test, {})]);
    assert.match(stdout, /^Nothing is waiting to be sent\.\n\n0 files, 0 bytes\.\n$/);
  });

  it("inspect lists what the Collector left, and whether it can be read", async (test) => {
    const database = bboltDatabase({ entries: { "0": someSpans(1).toBuffer(), "1": someSpans(1).toBuffer() } });
    const directory = folderWith(test, {});
    writeFileSync(join(directory, "exporter_otlp__traces"), database);
    writeFileSync(join(directory, "exporter_otlp__logs"), database.fill(0, 4096 * 2));
    const { stdout } = await otelpipe(["queue", "inspect", directory]);
    assert.match(stdout, /exporter_otlp__logs +\d+ +unreadable\n/);
    const report = JSON.parse((await otelpipe(["queue", "inspect", directory, "--json"])).stdout);
    assert.deepEqual(
      report.collector.map(({ file, requests }: { file: string; requests?: number }) => [file, requests]).sort(),
      [
        ["exporter_otlp__logs", undefined],
        ["exporter_otlp__traces", 2],
      ],
    );
  });

  it("fsck finds a damaged record and an unfinished write with exit code 1, and repairs them", async (test) => {
    const directory = await someQueues(test);
    assert.deepEqual(await otelpipe(["queue", "fsck", directory]), {
      code: 0,
      stdout: "Checked 3 records in 1 files. All are as they were written.\n",
      stderr: "",
    });
    damage(directory, 120);
    writeFileSync(join(directory, file), Buffer.alloc(10, 7), { flag: "a" });
    const found = await otelpipe(["queue", "fsck", directory]);
    assert.equal(found.code, 1);
    assert.match(found.stdout, /queue-0000000001\.log at 24, \d+ bytes: damaged record \(1 items of traces for otlp\)/);
    assert.match(found.stdout, /10 bytes: unfinished write/);
    const repaired = await otelpipe(["queue", "fsck", directory, "--repair"]);
    assert.equal(repaired.code, 0);
    assert.match(repaired.stdout, /Repaired: damaged bytes are in quarantine/);
    assert.match((await otelpipe(["queue", "fsck", directory])).stdout, /^Checked 1 records in 1 files. All are/);
    const { queues, quarantine } = JSON.parse((await otelpipe(["queue", "inspect", directory, "--json"])).stdout);
    assert.deepEqual(
      queues.map(({ exporter, items }: { exporter: string; items: number }) => [exporter, items]),
      [
        ["otlp", 3],
        ["otlp/backup", 3],
      ],
    );
    assert.deepEqual(
      quarantine.map((one: { file: string }) => one.file),
      ["quarantine-0000000001-24.bin"],
    );
  });

  it("fsck repairs nothing in a directory that is in use", async (test) => {
    const directory = await someQueues(test);
    damage(directory, 120);
    const lock = await lockDirectory(directory);
    const { code, stderr } = await otelpipe(["queue", "fsck", directory, "--repair"]);
    lock.release();
    assert.equal(code, 1);
    assert.match(stderr, /is in use by another process: two cannot share a file_storage directory/);
  });

  for (const { args, error } of [
    { args: [], error: "queue needs inspect or fsck" },
    { args: ["inspct"], error: "unknown queue command inspct, did you mean inspect?" },
    { args: ["inspect"], error: "queue inspect needs the directory of a file_storage" },
    { args: ["fsck", "/nowhere"], error: "/nowhere is not there" },
  ]) {
    it(`says what is wrong: ${error}`, async () => {
      const { code, stderr } = await otelpipe(["queue", ...args]);
      assert.deepEqual([code, stderr], [1, `Error: ${error}\n`]);
    });
  }
});
