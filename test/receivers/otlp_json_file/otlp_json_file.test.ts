import assert from "node:assert/strict";
import { copyFile, mkdir, readdir, rename, rm, truncate, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { decode, type Logs, type Metrics, type Traces, toJson } from "../../../pipeline/pdata/index.ts";
import { batches } from "../../support/otlp_batches.ts";
import { append, emptyFolder, later, line, startFileReceiver } from "./harness.ts";

describe("otlp_json_file reads", () => {
  it("every line of every signal, and each once", async () => {
    const folder = emptyFolder();
    const { poll, taken, stop } = await startFileReceiver(folder);
    const all = Object.values(batches).map((data) => `${toJson(data)}\n`);
    await append(folder, "a.json", all.join(""));
    await poll();
    await poll();
    assert.deepEqual(
      taken.map(({ signal, data }) => [signal, toJson(data).toString()]),
      Object.entries(batches).map(([signal, data]) => [signal, toJson(data).toString()]),
    );
    await stop();
  });

  it("only what pipelines take: lines of other signals are no error", async () => {
    const folder = emptyFolder();
    const { poll, taken, malformed, stop } = await startFileReceiver(folder, { signals: ["logs"] });
    await append(folder, "a.json", `${toJson(batches.traces)}\n{}\n\n\r\n${toJson(batches.logs)}\r\n`);
    await poll();
    assert.deepEqual([taken.map(({ signal }) => signal), malformed], [["logs"], []]);
    await stop();
  });

  it("what was there at the start from its end, unless told otherwise, and what comes later whole", async () => {
    const folder = emptyFolder();
    await append(folder, "old.json", line("old"));
    const { poll, names, stop } = await startFileReceiver(folder, { settings: { start_at: "end" } });
    await poll();
    await append(folder, "old.json", line("more"));
    await append(folder, "new.json", line("new"));
    await poll();
    assert.deepEqual(names().sort(), ["more", "new"]);
    await stop();
  });

  it("a line that is being written once it is whole", async () => {
    const folder = emptyFolder();
    const { poll, names, malformed, stop } = await startFileReceiver(folder);
    const text = line("slow");
    await append(folder, "a.json", line("first") + text.slice(0, 50));
    for (let polls = 0; polls < 10; polls++) await poll();
    assert.deepEqual(names(), ["first"]);
    await append(folder, "a.json", text.slice(50));
    await poll();
    assert.deepEqual([names(), malformed], [["first", "slow"], []]);
    await stop();
  });

  it("a last line without newline once it has not grown for a while, and goes on behind it", async () => {
    const folder = emptyFolder();
    const { poll, names, malformed, stop } = await startFileReceiver(folder);
    await append(folder, "a.json", line("first").trimEnd());
    await poll();
    await poll();
    assert.deepEqual(names(), []);
    await poll(500);
    assert.deepEqual(names(), ["first"]);
    await append(folder, "a.json", `\n${line("second")}`);
    await poll();
    assert.deepEqual([names(), malformed], [["first", "second"], []]);
    await stop();
  });

  it("compressed files, and what is written behind them", async () => {
    const folder = emptyFolder();
    const { poll, names, stop } = await startFileReceiver(folder, { settings: { compression: "auto" } });
    await append(folder, "a.json.gz", gzipSync(line("first") + line("second")));
    await append(folder, "b.json", line("plain"));
    await poll();
    await append(folder, "a.json.gz", gzipSync(line("third")));
    await poll();
    assert.deepEqual(names().sort(), ["first", "plain", "second", "third"]);
    await stop();
  });

  for (const { encoding, bytes } of [
    { encoding: "utf-16le", bytes: (text: string) => Buffer.from(text, "utf16le") },
    { encoding: "utf-16be", bytes: (text: string) => Buffer.from(text, "utf16le").swap16() },
    { encoding: "latin1", bytes: (text: string) => Buffer.from(text, "latin1") },
  ]) {
    it(`files in ${encoding}`, async () => {
      const folder = emptyFolder();
      const { poll, names, malformed, stop } = await startFileReceiver(folder, { settings: { encoding } });
      const characters = encoding === "latin1" ? "grüße" : "\u010a\u0a0a grüße";
      await append(folder, "a.json", bytes(line(characters) + line("second")));
      await poll();
      assert.deepEqual([names(), malformed], [[characters, "second"], []]);
      await stop();
    });
  }

  it("the files of its patterns, without those it is told to leave out or that are old", async () => {
    const folder = emptyFolder();
    await mkdir(join(folder, "deep/er"), { recursive: true });
    for (const file of ["a.json", "b.json", "c.log", "deep/er/d.json", "deep/no.json", "aged.json"]) {
      await append(folder, file, line(file));
    }
    const longAgo = new Date("2020-01-01");
    await utimes(join(folder, "aged.json"), longAgo, longAgo);
    const settings = {
      include: [join(folder, "**/*.json"), join(folder, "{c,d}.log")],
      exclude: [join(folder, "b.*"), join(folder, "deep/n?.json")],
      exclude_older_than: "8760h",
    };
    const { poll, names, stop } = await startFileReceiver(folder, { settings });
    await poll();
    assert.deepEqual(names().sort(), ["a.json", "c.log", "deep/er/d.json"]);
    await stop();
  });

  it("all of a file again and again when it is to be replayed", async () => {
    const folder = emptyFolder();
    await append(folder, "a.json", line("first") + line("second"));
    const { poll, names, stop } = await startFileReceiver(folder, { settings: { replay_file: true } });
    await poll();
    await poll();
    assert.deepEqual(names(), ["first", "second", "first", "second"]);
    await stop();
  });

  it("more files than may be open", async () => {
    const folder = emptyFolder();
    const files = Array.from({ length: 9 }, (_, index) => `${index}.json`);
    const { poll, names, stop } = await startFileReceiver(folder, { settings: { max_concurrent_files: 4 } });
    for (const file of files) await append(folder, file, line(file));
    await poll();
    for (const file of files) await append(folder, file, line(`more of ${file}`));
    await poll();
    assert.deepEqual(names().sort(), [...files, ...files.map((file) => `more of ${file}`)].sort());
    await stop();
  });
});

describe("otlp_json_file adds what is known of the file", () => {
  const settings = { include_file_name: true, include_file_path: true, include_file_permissions: true };
  const wanted = (folder: string) => ({
    "log.file.name": "a.json",
    "log.file.path": join(folder, "a.json"),
    "log.file.permissions": "600",
  });
  const textsOf = (attributes: readonly { key: string; value?: { stringValue?: string } | undefined }[]) =>
    Object.fromEntries(attributes.map(({ key, value }) => [key, value?.stringValue]));

  it("to spans, log records and the metadata of metrics", async () => {
    const folder = emptyFolder();
    const { poll, taken, stop } = await startFileReceiver(folder, { settings });
    const all = [batches.traces, batches.metrics, batches.logs].map((data) => `${toJson(data)}\n`);
    await writeFile(join(folder, "a.json"), all.join(""), { mode: 0o600 });
    await poll();
    const [traces, metrics, logs] = taken.map(({ data }) => data);
    const [span] = decode(traces as Traces).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    const [metric] = decode(metrics as Metrics).resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? [];
    const [record] = decode(logs as Logs).resourceLogs[0]?.scopeLogs[0]?.logRecords ?? [];
    for (const attributes of [span?.attributes, metric?.metadata, record?.attributes]) {
      assert.deepEqual(textsOf(attributes ?? []), wanted(folder));
    }
    await stop();
  });

  it("its name only, by default", async () => {
    const folder = emptyFolder();
    const { poll, taken, stop } = await startFileReceiver(folder, { settings: { include_file_name: undefined } });
    await append(folder, "a.json", line("a"));
    await poll();
    const [span] = decode(taken[0]?.data as Traces).resourceSpans[0]?.scopeSpans[0]?.spans ?? [];
    assert.deepEqual(textsOf(span?.attributes ?? []), { "log.file.name": "a.json" });
    await stop();
  });
});

describe("otlp_json_file follows files", () => {
  it("that are renamed, inside its pattern and out of it", async () => {
    for (const target of ["a.json.1", "gone/a.json"]) {
      const folder = emptyFolder();
      await mkdir(join(folder, "gone"));
      const { poll, names, stop } = await startFileReceiver(folder);
      await append(folder, "a.json", line("first"));
      await poll();
      await append(folder, "a.json", line("second"));
      await rename(join(folder, "a.json"), join(folder, target));
      await append(folder, "a.json", line("third"));
      await poll();
      await append(folder, target, line("late"));
      await poll();
      assert.deepEqual(names().sort(), ["first", "late", "second", "third"], target);
      await stop();
    }
  });

  it("that are copied and truncated, whenever it looks", async () => {
    for (const looksBetween of [true, false]) {
      const folder = emptyFolder();
      const { poll, names, stop } = await startFileReceiver(folder);
      await append(folder, "z.json", line("first") + line("second"));
      await poll();
      await append(folder, "z.json", line("third"));
      await copyFile(join(folder, "z.json"), join(folder, "a.json.1"));
      if (looksBetween) await poll();
      await truncate(join(folder, "z.json"));
      await append(folder, "z.json", line("fourth"));
      await poll();
      await poll();
      assert.deepEqual(names().sort(), ["first", "fourth", "second", "third"], `${looksBetween}`);
      await stop();
    }
  });

  it("that are compressed under another name", async () => {
    const folder = emptyFolder();
    const { poll, names, stop } = await startFileReceiver(folder, { settings: { compression: "auto" } });
    await append(folder, "a.json", line("first") + line("second"));
    await poll();
    await append(folder, "a.json.gz", gzipSync(line("first") + line("second") + line("third")));
    await rm(join(folder, "a.json"));
    await poll();
    await poll();
    await poll();
    assert.deepEqual(names(), ["first", "second", "third"]);
    await stop();
  });

  it("that are written anew with other lines, even longer ones", async () => {
    const folder = emptyFolder();
    const { poll, names, stop } = await startFileReceiver(folder);
    await append(folder, "a.json", line("first"));
    await poll();
    await writeFile(join(folder, "a.json"), line("another") + line("one"));
    await poll();
    assert.deepEqual(names(), ["first", "another", "one"]);
    await stop();
  });

  for (const { on_truncate, want } of [
    { on_truncate: "read_whole_file", want: ["one", "two", "one", "three"] },
    { on_truncate: "read_new", want: ["one", "two", "three"] },
    { on_truncate: "ignore", want: ["one", "two"] },
  ]) {
    it(`that begin as before but are shorter: ${on_truncate}`, async () => {
      const folder = emptyFolder();
      const settings = { on_truncate, fingerprint_size: 16 };
      const { poll, names, stop } = await startFileReceiver(folder, { settings });
      await append(folder, "a.json", line("one") + line("two"));
      await poll();
      await writeFile(join(folder, "a.json"), line("one"));
      await poll();
      await append(folder, "a.json", on_truncate === "ignore" ? "" : line("three"));
      await poll();
      assert.deepEqual(names(), want);
      await stop();
    });
  }

  // Scenario: two files whose first kilobyte is the same, as with many resource attributes.
  // Guarantees: they are two files. The Collector takes the second for a copy of the first and leaves it out.
  it("apart that begin alike", async () => {
    const folder = emptyFolder();
    const { poll, names, stop } = await startFileReceiver(folder, { settings: { fingerprint_size: 16 } });
    await append(folder, "a.json", line("first"));
    await poll();
    await append(folder, "b.json", line("other"));
    await poll();
    assert.deepEqual(names(), ["first", "other"]);
    await stop();
  });

  it("and removes them once all of their lines were taken, if told to", async () => {
    const folder = emptyFolder();
    const settings = { delete_after_read: true };
    const answer = (offer: number) => (offer === 2 ? later() : undefined);
    const { poll, names, stop } = await startFileReceiver(folder, { settings, answer });
    await append(folder, "a.json", line("first") + line("second"));
    await append(folder, "half.json", line("third") + line("fourth").slice(0, 30));
    await poll();
    await poll();
    await poll();
    assert.deepEqual(names().sort(), ["first", "second", "third"]);
    assert.deepEqual(await readdir(folder), ["half.json"]);
    await stop();
  });
});

describe("otlp_json_file refuses", () => {
  for (const { settings, want } of [
    { settings: {}, want: "'include' must be specified" },
    { settings: { include: ["[a"] }, want: 'include: parse glob: "[a": a [ without its ]' },
    { settings: { include: "a", fingerprint_size: 15 }, want: "'fingerprint_size' must be at least 16 bytes" },
    { settings: { include: "a", max_log_size: "1 parsec" }, want: "invalid byte size '1 parsec'" },
    { settings: { include: "a", max_concurrent_files: 0 }, want: "'max_concurrent_files' must be positive" },
    { settings: { include: "a", start_at: "middle" }, want: "invalid start_at location 'middle'" },
    { settings: { include: "a", encoding: "utf-9" }, want: "unsupported encoding 'utf-9'" },
    {
      settings: { include: "a", delete_after_read: true },
      want: "'delete_after_read' cannot be used with 'start_at: end'",
    },
    {
      settings: { include: "a", on_truncate: "cry" },
      want: "'on_truncate' must be one of: ignore, read_whole_file, read_new",
    },
    {
      settings: { include: "a", header: { pattern: "^#" } },
      want: "header is not supported by otelpipe yet: remove it or leave it empty",
    },
  ]) {
    it(JSON.stringify(settings), async () => {
      const { default: definition } = await import("../../../receivers/otlp_json_file/index.ts");
      const { error } = definition.config.safeParse(settings);
      assert.deepEqual(
        error?.issues.map(({ message }) => message),
        [want],
      );
    });
  }
});
