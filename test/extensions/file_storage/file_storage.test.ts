import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import definition from "../../../extensions/file_storage/index.ts";
import type { Lifecycle } from "../../../pipeline/component.ts";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import type { ExtensionHost } from "../../../pipeline/host.ts";
import type { CheckpointStorage, Storage } from "../../../pipeline/storage/storage.ts";
import { ownerless, store } from "../../pipeline/storage/opened_log.ts";
import { bboltDatabase } from "../../support/bbolt_writer.ts";
import { simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

const directory = () => mkdtempSync(join(tmpdir(), "otelpipe-storage-"));
const traces = { id: "otlp", signal: "traces" } as const;

function storage(settings: object) {
  const listeners: ((state: string) => void)[] = [];
  const onState = (listener: (state: string) => void) => {
    listeners.push(listener);
    return () => {};
  };
  const host = Object.assign(simulatedHost(), { service: { onState } });
  const made = definition.create(definition.config.parse(settings), host as unknown as ExtensionHost);
  const running = () => {
    for (const listener of listeners) listener("running");
  };
  return { host, running, storage: made as Lifecycle & Storage & CheckpointStorage };
}

/** Lets simulated time pass until `work` is done. */
async function inTime<R>({ host }: ReturnType<typeof storage>, work: Promise<R>): Promise<R> {
  let isDone = false;
  const over = () => void (isDone = true);
  work.then(over, over);
  while (!isDone) {
    host.advance(100);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return await work;
}

/** A process that holds the lock of `folder` until it is killed. */
async function lockedBy(folder: string): Promise<ChildProcess> {
  const lock = new URL("../../../pipeline/storage/lock.ts", import.meta.url);
  const program = `
    const { lockDirectory } = await import(${JSON.stringify(lock.href)});
    globalThis.lock = await lockDirectory(${JSON.stringify(folder)});
    console.log("locked");
    setInterval(() => {}, 1e6);`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(child.stdout!, "data");
  return child;
}

describe("file_storage", () => {
  it("keeps data in files that only their owner may read, in a directory made as told", async () => {
    const folder = join(directory(), "deep", "er");
    const one = storage({ directory: folder, create_directory: true, directory_permissions: "0700" });
    await one.storage.start?.();
    await store(await one.storage.openQueue(traces, ownerless), someSpans(1));
    await one.storage.stop?.();
    assert.equal(statSync(folder).mode & 0o777, 0o700);
    assert.deepEqual(readdirSync(folder).sort(), ["otelpipe.lock", "queue-0000000001.log"]);
    assert.equal(statSync(join(folder, "queue-0000000001.log")).mode & 0o777, 0o600);
    const again = storage({ directory: folder });
    await again.storage.start?.();
    const { left } = await again.storage.openQueue(traces, ownerless);
    assert.equal(left.length, 1);
    await again.storage.stop?.();
  });

  it("keeps checkpoints, each replaced as a whole, also over a write that was cut off", async () => {
    const folder = directory();
    for (const fsync of [true, false]) {
      const one = storage({ directory: folder, fsync });
      await one.storage.start?.();
      const checkpoint = await one.storage.openCheckpoint("receiver_otlp_json_file/a");
      assert.equal(await checkpoint.read(), fsync ? undefined : "short");
      await checkpoint.write("a long text");
      writeFileSync(join(folder, "checkpoint-receiver_otlp_json_file%2Fa.next"), "half a longer text than that");
      await checkpoint.write("short");
      await one.storage.stop?.();
      await assert.rejects(one.storage.openCheckpoint("other"), /not started/);
    }
    const two = storage({ directory: folder });
    await two.storage.start?.();
    assert.equal(await (await two.storage.openCheckpoint("receiver_otlp_json_file/b")).read(), undefined);
    await two.storage.stop?.();
    assert.deepEqual(readdirSync(folder).sort(), ["checkpoint-receiver_otlp_json_file%2Fa", "otelpipe.lock"]);
  });

  it("refuses a directory that another one in this process uses, and takes it when that has stopped", async () => {
    const folder = directory();
    const [one, two] = [storage({ directory: folder }), storage({ directory: folder, timeout: "1s" })];
    await one.storage.start?.();
    await assert.rejects(inTime(two, two.storage.start!()), /is in use by another process/);
    await one.storage.stop?.();
    await two.storage.start?.();
    await two.storage.stop?.();
  });

  it("refuses a directory that another process uses, and takes it when that was killed", async () => {
    const folder = directory();
    const child = await lockedBy(folder);
    const one = storage({ directory: folder, timeout: "1s" });
    await assert.rejects(inTime(one, one.storage.start!()), /two cannot share a file_storage directory/);
    child.kill("SIGKILL");
    await once(child, "exit");
    await one.storage.start?.();
    await one.storage.stop?.();
  });

  it("waits for another owner to leave", async () => {
    const folder = directory();
    const [one, two] = [storage({ directory: folder }), storage({ directory: folder, timeout: "1h" })];
    await one.storage.start?.();
    const starting = two.storage.start!();
    await one.storage.stop?.();
    await inTime(two, starting);
    await two.storage.stop?.();
  });

  it("refuses retryably what is over max_size of one queue, and takes it when there is space again", async () => {
    const folder = directory();
    const size = someSpans(1).sizeBytes;
    const one = storage({ directory: folder, max_size: 2 * size });
    await one.storage.start?.();
    const queue = await one.storage.openQueue(traces, ownerless);
    const other = await one.storage.openQueue({ id: "other", signal: "traces" }, ownerless);
    const first = await store(queue, someSpans(1));
    await store(queue, someSpans(1));
    await assert.rejects(store(queue, someSpans(1)), (error) => {
      assert.ok(error instanceof ConsumeError && error.retryable);
      return error.message === "the storage extension has run out of available space";
    });
    await store(other, someSpans(1));
    queue.settle(first);
    await store(queue, someSpans(1));
    await one.storage.stop?.();
    const again = storage({ directory: folder, max_size: 2 * size });
    await again.storage.start?.();
    const left = await again.storage.openQueue(traces, ownerless);
    await assert.rejects(store(left, someSpans(1)), /run out of available space/);
    left.settle(left.left[0]!);
    await store(left, someSpans(1));
    await again.storage.stop?.();
  });

  it("removes temporary files of the Collector when told to, and nothing else", async () => {
    const [folder, temporary] = [directory(), directory()];
    for (const name of ["tempdb123", "other"]) writeFileSync(join(temporary, name), "");
    const one = storage({ directory: folder, compaction: { directory: temporary, cleanup_on_start: true } });
    await one.storage.start?.();
    await one.storage.stop?.();
    assert.deepEqual(readdirSync(temporary), ["other"]);
  });

  it("names exporters whose data nobody sends, and keeps it", async () => {
    const folder = directory();
    const first = storage({ directory: folder });
    await first.storage.start?.();
    await store(await first.storage.openQueue(traces, ownerless), someSpans(1));
    await first.storage.stop?.();
    const second = storage({ directory: folder });
    await second.storage.start?.();
    await second.storage.openQueue({ id: "other", signal: "logs" }, ownerless);
    second.running();
    const lines = second.host.logs.map(({ message, fields }) => ({ message, ...fields }));
    const message = "The storage has data of an exporter that no pipeline uses; it is kept.";
    assert.deepEqual(lines, [{ message, exporter: "otlp", signal: "traces", records: 1 }]);
    await second.storage.stop?.();
    assert.ok(readdirSync(folder).includes("queue-0000000001.log"));
  });

  it("takes over the Collector's queue of an exporter, and names files of it that nobody takes over", async () => {
    const folder = directory();
    const database = bboltDatabase({ entries: { "0": someSpans(2).toBuffer() } });
    for (const name of ["exporter_otlp__traces", "exporter_other__logs", "receiver_filelog_"]) {
      writeFileSync(join(folder, name), database);
    }
    writeFileSync(join(folder, "notes.txt"), "mine");
    const one = storage({ directory: folder });
    await one.storage.start?.();
    const { left } = await one.storage.openQueue(traces, ownerless);
    assert.deepEqual(
      left.map(({ items }) => items),
      [2],
    );
    one.host.logs.splice(0);
    one.running();
    await one.storage.stop?.();
    assert.deepEqual(
      one.host.logs.map(({ fields, message }) => [fields?.["file"], message.slice(0, 46)]).sort(),
      ["exporter_other__logs", "receiver_filelog_"].map((name) => [
        name,
        "A file of the Collector is left as it is: it i",
      ]),
    );
    assert.ok(!existsSync(join(folder, "exporter_otlp__traces")));
  });

  const flock = spawnSync("flock", ["--version"]).error === undefined && process.platform === "linux";
  // Scenario: the Collector still runs on the directory.
  // Guarantees: the start fails and names its process; nothing is taken from under it.
  it("does not take over a queue that the Collector uses", { skip: !flock && "needs flock" }, async () => {
    const folder = directory();
    const path = join(folder, "exporter_otlp__traces");
    writeFileSync(path, bboltDatabase({ entries: { "0": someSpans(2).toBuffer() } }));
    const child = spawn("flock", [path, "sh", "-c", "echo locked; read line"], { stdio: ["pipe", "pipe", "inherit"] });
    await once(child.stdout, "data");
    const one = storage({ directory: folder, timeout: "1s" });
    await one.storage.start?.();
    const opening = one.storage.openQueue(traces, ownerless);
    await assert.rejects(inTime(one, opening), /is in use by process \d+: stop the Collector first/);
    child.stdin.end();
    await once(child, "exit");
    assert.equal((await one.storage.openQueue(traces, ownerless)).left.length, 1);
    await one.storage.stop?.();
  });

  it("refuses senders retryably while its directory is gone, and goes on when it is there again", async () => {
    const folder = directory();
    const one = storage({ directory: folder });
    await one.storage.start?.();
    const queue = await one.storage.openQueue(traces, ownerless);
    await store(queue, someSpans(1));
    rmSync(folder, { recursive: true });
    for (const reason of [/somebody removed/, /ENOENT/]) {
      await assert.rejects(store(queue, someSpans(1)), (error) => {
        assert.ok(error instanceof ConsumeError && error.retryable);
        return reason.test(error.message);
      });
    }
    mkdirSync(folder);
    await store(queue, someSpans(1));
    await one.storage.stop?.();
  });

  const readOnly = "/proc/self/fdinfo";
  it("says at the start that it cannot write to its directory", { skip: !existsSync(readOnly) }, async () => {
    const one = storage({ directory: readOnly });
    await assert.rejects(
      one.storage.start!(),
      /^Error: cannot lock \/proc\/self\/fdinfo\/otelpipe\.lock: unable to open/,
    );
    await one.storage.stop?.();
  });

  it("warns of a directory that everybody may write to", async () => {
    const folder = directory();
    chmodSync(folder, 0o777);
    const { host, storage: one } = storage({ directory: folder });
    await one.start?.();
    assert.match(host.logs[0]?.message ?? "", /Everybody on this machine may write/);
    await one.stop?.();
  });
});

describe("settings of file_storage that are refused", () => {
  const file = join(directory(), "file");
  writeFileSync(file, "");
  for (const { settings, want } of [
    { settings: { directory: "/nowhere/at/all" }, want: /^directory must exist: .* create_directory option/ },
    { settings: { directory: file }, want: /is not a directory$/ },
    { settings: { directory: file, create_directory: true }, want: /is not a directory$/ },
    {
      settings: { create_directory: true, directory_permissions: "rwx" },
      want: /must be a valid octal representation/,
    },
    { settings: { create_directory: true, directory_permissions: "1777" }, want: /contain invalid bits/ },
    { settings: { create_directory: true, max_size: -1 }, want: /^max size cannot be less than 0$/ },
    {
      settings: { create_directory: true, max_size: 1e7, compaction: { on_rebound: true } },
      want: /^compaction rebound needed threshold cannot be greater than max size$/,
    },
    {
      settings: { create_directory: true, compaction: { on_rebound: true, check_interval: 0 } },
      want: /^compaction check interval must be positive when rebound compaction is set$/,
    },
    {
      settings: { directory: join(file, ".."), compaction: { on_start: true, directory: "/nowhere/at/all" } },
      want: /^directory must exist: /,
    },
    { settings: { create_directory: true, compaction: { max_transaction_size: -1 } }, want: /cannot be less than 0/ },
  ]) {
    it(JSON.stringify(settings).replace(file, "a file"), () => {
      const { error } = definition.config.safeParse(settings);
      assert.match(error?.issues[0]?.message ?? "", want);
    });
  }
});

it("settings of file_storage that have no effect as they stand are accepted as the Collector accepts them", () => {
  const settings = { directory: directory(), directory_permissions: "rwx", compaction: { check_interval: 0 } };
  assert.equal(definition.config.safeParse(settings).success, true);
});
