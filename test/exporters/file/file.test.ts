import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { zstdDecompressSync } from "node:zlib";
import definition from "../../../exporters/file/index.ts";
import type { ConsumeError } from "../../../pipeline/delivery.ts";
import { decode, encode, fromJson, type Traces, toJson } from "../../../pipeline/pdata/index.ts";
import { recordedDelivery, type SimulatedHost, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

let folder = "";
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "otelpipe-file-"));
});
after(() => rm(folder, { recursive: true, force: true }));

function batch(name: string): Traces {
  return encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ name, traceId: Buffer.alloc(16, 1) }] }] }] });
}

function namesIn(traces: Traces): string[] {
  return [...traces.spans()].map((span) => span.name);
}

/** Delivers and resolves with the answer. */
function deliver(exporter: ReturnType<typeof exporterOf>, data: Traces): Promise<"ack" | ConsumeError> {
  return new Promise((resolve) => {
    exporter.consume({ ...recordedDelivery(data).delivery, ack: () => resolve("ack"), nack: resolve });
  });
}

function exporterOf(settings: object, host: SimulatedHost = simulatedHost()) {
  return definition.traces!(definition.config.parse(settings), host);
}

async function written(settings: object, names: readonly string[]): Promise<void> {
  const exporter = exporterOf(settings);
  await exporter.start?.();
  for (const name of names) assert.equal(await deliver(exporter, batch(name)), "ack");
  await exporter.stop?.();
  await exporter.stop?.();
}

/** The messages behind their lengths. */
function unframed(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + bytes.readUInt32BE(at);
    messages.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return messages;
}

describe("file", () => {
  it("writes one line of OTLP/JSON per batch, which is there when the answer is", async () => {
    const path = join(folder, "lines.json");
    const host = simulatedHost({ id: "file" });
    const exporter = exporterOf({ path }, host);
    await exporter.start?.();
    assert.equal(await deliver(exporter, batch("a")), "ack");
    assert.deepEqual((await readFile(path, "utf8")).split("\n").length, 2);
    await Promise.all(["b", "c", "d"].map((name) => deliver(exporter, batch(name))));
    await exporter.stop?.();
    const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
    assert.deepEqual(
      lines.flatMap((line) => namesIn(fromJson("traces", Buffer.from(line)))),
      ["a", "b", "c", "d"],
    );
    assert.equal(host.books.sent, 4);
  });

  // Scenario: a batch whose text is made in steps, then a small one, then a large one; all before the first is written.
  // Guarantees: each is a line of its own, the line that it is when written alone, in the order in which they came.
  for (const rotation of [undefined, { max_megabytes: 1 }]) {
    it(`writes large and small batches in order${rotation ? ", with rotation" : ""}`, async () => {
      const path = join(folder, `order-${rotation !== undefined}.json`);
      const host = simulatedHost();
      const exporter = exporterOf({ path, rotation }, host);
      await exporter.start?.();
      const batches = [someSpans(8000, "x"), batch("small"), someSpans(8000, "y")];
      const answers = batches.map((data) => deliver(exporter, data));
      let open = true;
      const all = Promise.all(answers).finally(() => (open = false));
      while (open) {
        host.advance(0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.deepEqual(await all, ["ack", "ack", "ack"]);
      await exporter.stop?.();
      const [first = "", ...others] = batches.map((data) => `${toJson(data)}\n`);
      const names = (await readdir(folder)).filter((name) => name.startsWith(`order-${rotation !== undefined}`));
      const texts = await Promise.all(names.toSorted().map((name) => readFile(join(folder, name), "utf8")));
      // What waits together is written together.
      const wanted = rotation === undefined ? [[first, ...others].join("")] : [first, others.join("")];
      assert.ok(wanted.length === texts.length && wanted.every((text, index) => text === texts[index]));
    });
  }

  // Scenario: the process was killed in the middle of a write; the next one goes on with the same file.
  // Guarantees: what it writes can be read; of what was there nothing is changed.
  for (const settings of [{ append: true }, { rotation: {} }]) {
    it(`begins a line of its own behind half a line, with ${Object.keys(settings)[0]}`, async () => {
      const path = join(folder, `torn-${Object.keys(settings)[0]}.json`);
      await writeFile(path, '{"whole":1}\n{"half":');
      await written({ path, ...settings }, ["first"]);
      await written({ path, ...settings }, ["second"]);
      const [whole, half, ...lines] = (await readFile(path, "utf8")).trimEnd().split("\n");
      assert.deepEqual([whole, half], ['{"whole":1}', '{"half":']);
      assert.deepEqual(
        lines.flatMap((line) => namesIn(fromJson("traces", Buffer.from(line)))),
        ["first", "second"],
      );
    });
  }

  it("empties the file at the start, or goes on with append", async () => {
    const path = join(folder, "start.json");
    await written({ path }, ["old"]);
    await written({ path, append: true }, ["new"]);
    assert.equal((await readFile(path, "utf8")).trimEnd().split("\n").length, 2);
    await written({ path }, ["only"]);
    assert.equal((await readFile(path, "utf8")).trimEnd().split("\n").length, 1);
  });

  it("writes messages behind their length with format proto", async () => {
    const path = join(folder, "messages.bin");
    await written({ path, format: "proto" }, ["a", "b"]);
    const messages = unframed(await readFile(path));
    assert.deepEqual(messages, [batch("a").toBuffer(), batch("b").toBuffer()]);
  });

  it("compresses every message by itself", async () => {
    const path = join(folder, "lines.zst");
    await written({ path, compression: "zstd", compression_params: { level: 1 } }, ["a", "b"]);
    const texts = unframed(await readFile(path)).map((message) => zstdDecompressSync(message));
    assert.deepEqual(
      texts.flatMap((text) => namesIn(fromJson("traces", text))),
      ["a", "b"],
    );
  });

  it("shares one file between the signals of an id and closes it with the last", async () => {
    const path = join(folder, "shared.json");
    const host = simulatedHost({ id: "file" });
    const config = definition.config.parse({ path });
    const traces = definition.traces!(config, host);
    const logs = definition.logs!(config, host);
    await traces.start?.();
    await logs.start?.();
    assert.equal(await deliver(traces, batch("a")), "ack");
    await traces.stop?.();
    const records = encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ severityNumber: 9 }] }] }] });
    await new Promise<void>((resolve) => logs.consume({ ...recordedDelivery(records).delivery, ack: resolve }));
    await logs.stop?.();
    const [first = "", second = ""] = (await readFile(path, "utf8")).split("\n");
    assert.deepEqual(
      [Object.keys(JSON.parse(first)), Object.keys(JSON.parse(second))],
      [["resourceSpans"], ["resourceLogs"]],
    );
  });

  // Scenario: files of 500 bytes, at most two backups, twelve batches a second apart.
  // Guarantees: no line is cut, the newest backups stay, names say when a file was full.
  it("begins a new file when one is full, and deletes backups that are too many", async () => {
    const path = join(folder, "rotated", "data.json");
    const host = simulatedHost({ id: "file" });
    const rotation = { max_megabytes: 500 / 1024 / 1024, max_backups: 2 };
    const exporter = exporterOf({ path, rotation, create_directory: true }, host);
    await exporter.start?.();
    for (let index = 0; index < 12; index++) {
      assert.equal(await deliver(exporter, batch(String(index))), "ack");
      host.advance(1000);
    }
    await exporter.stop?.();
    const files = (await readdir(join(folder, "rotated"))).sort();
    assert.equal(files.length, 3);
    assert.equal(files[2], "data.json");
    assert.ok(
      files.slice(0, 2).every((name) => /^data-2026-01-01T00-00-\d\d\.\d{3}-size\.json$/.test(name)),
      files.join(),
    );
    const texts = await Promise.all(files.map((name) => readFile(join(folder, "rotated", name), "utf8")));
    const names = texts
      .flatMap((text) => text.trimEnd().split("\n"))
      .map((line) => Number(namesIn(fromJson("traces", Buffer.from(line)))[0]));
    assert.deepEqual(
      names,
      Array.from({ length: names.length }, (_, index) => 12 - names.length + index),
    );
  });

  it("deletes backups that are too old, and nothing else", async () => {
    const home = await mkdtemp(join(folder, "old-"));
    const others = [
      "data-2025-12-31T00-00-00.000-size.json",
      "data-2025-12-20T00-00-00.000-size.json",
      "data-2025-12-31T00-00-01.000.json",
      "data-2025-12-20T00-00-01.000.json",
      "data-2025-12-20T00-00-02.000-size_1.json",
      "data-notes.json",
      "other.json",
    ];
    for (const name of others) await writeFile(join(home, name), "x");
    const rotation = { max_megabytes: 1e-6, max_days: 3, max_backups: 0 };
    await written({ path: join(home, "data.json"), rotation }, ["a", "b"]);
    const left = await readdir(home);
    assert.deepEqual(
      others.map((name) => left.includes(name)),
      [true, false, true, false, false, true, true],
    );
    assert.equal(left.length, 6);
  });

  it("tells senders to come back when a write fails, and cuts off nothing that was written", {
    skip: process.platform !== "linux",
  }, async () => {
    const host = simulatedHost({ id: "file" });
    const exporter = exporterOf({ path: "/dev/full" }, host);
    await exporter.start?.();
    const answer = await deliver(exporter, batch("a"));
    await exporter.stop?.();
    assert.notEqual(answer, "ack");
    assert.equal((answer as ConsumeError).retryable, true);
    assert.match((answer as ConsumeError).message, /ENOSPC/);
    assert.equal(host.books.refused, 1);
  });

  it("does not start where it cannot write", async () => {
    const path = join(folder, "none", "x.json");
    await assert.rejects(async () => exporterOf({ path }).start?.(), {
      message: `cannot open ${path}: no such file or directory; create_directory: true makes its folder`,
    });
  });

  it("drains what waits", async () => {
    const path = join(folder, "drained.json");
    const host = simulatedHost();
    const exporter = exporterOf({ path }, host);
    await exporter.start?.();
    const answers = Promise.all(Array.from({ length: 50 }, (_, index) => deliver(exporter, batch(String(index)))));
    await exporter.drain?.(host.clock.monotonicMs() + 1000);
    assert.equal(host.books.sent, 50);
    assert.ok((await answers).every((answer) => answer === "ack"));
    assert.equal(host.clock.pendingTimers, 0);
    await exporter.stop?.();
    assert.equal(
      decode<"traces">(fromJson("traces", Buffer.from((await readFile(path, "utf8")).split("\n")[49] ?? "")))
        .resourceSpans.length,
      1,
    );
  });
});

describe("the config of file", () => {
  for (const { settings, message } of [
    { settings: {}, message: "path must be non-empty" },
    { settings: { path: "" }, message: "path must be non-empty" },
    { settings: { path: "x", format: "xml" }, message: "format type is not supported" },
    { settings: { path: "x", compression: "gzip" }, message: "compression is not supported" },
    {
      settings: { path: "x", append: true, rotation: null },
      message: "append and rotation enabled at the same time is not supported",
    },
    { settings: { path: "x", flush_interval: "-1s" }, message: "flush_interval must be larger than zero" },
    {
      settings: { path: "x", directory_permissions: "0700" },
      message: "directory_permissions requires create_directory to be true",
    },
    {
      settings: { path: "x", encoding: "otlp_encoding" },
      message: "encoding is not supported by otelpipe yet: remove it or leave it empty",
    },
    { settings: { path: "x", compression: "none" }, message: "compression is not supported" },
    {
      settings: { path: "x", create_directory: true, directory_permissions: "0789" },
      message: "directory_permissions value must be a valid octal representation",
    },
    {
      settings: { path: "x", create_directory: true, directory_permissions: "01777" },
      message: "directory_permissions contain invalid bits for file access",
    },
    ...["x", "a/*/*.json"].map((path) => ({
      settings: { path, group_by: { enabled: true } },
      message: "path must contain exactly one * when group_by is enabled",
    })),
    {
      settings: { path: "*.json", group_by: { enabled: true } },
      message: "path must not start with * when group_by is enabled",
    },
    {
      settings: { path: "a*", group_by: { enabled: true, resource_attribute: "" } },
      message: "resource_attribute must not be empty when group_by is enabled",
    },
    {
      settings: { path: "a*", group_by: { enabled: true, max_open_files: 0 } },
      message: "max_open_files must be positive when group_by is enabled",
    },
  ]) {
    it(`refuses ${JSON.stringify(settings)}`, () => {
      assert.deepEqual(
        definition.config.safeParse(settings).error?.issues.map((issue) => issue.message),
        [message],
      );
    });
  }

  it("takes what is off as off", () => {
    const settings = definition.config.parse({ path: "x", group_by: { enabled: false }, compression: "" });
    assert.equal(settings.rotation, undefined);
    assert.equal(definition.config.parse({ path: "x", rotation: null }).rotation?.max_megabytes, 100);
  });
});
