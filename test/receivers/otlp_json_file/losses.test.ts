import assert from "node:assert/strict";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { append, emptyFolder, later, line, startFileReceiver } from "./harness.ts";

describe("otlp_json_file loses nothing", () => {
  it("when a pipeline refuses for now: the line is read again, after the delay that was asked for", async () => {
    const folder = emptyFolder();
    const answer = (offer: number) => (offer === 2 ? later(5000) : undefined);
    const { poll, names, offers, stop } = await startFileReceiver(folder, { answer });
    await append(folder, "a.json", line("first") + line("second") + line("third"));
    await poll();
    await poll();
    assert.deepEqual([names(), offers()], [["first"], 2]);
    await poll(5000);
    assert.deepEqual(names(), ["first", "second", "third"]);
    await stop();
  });

  it("of a file that is gone before a pipeline takes it", async () => {
    const folder = emptyFolder();
    let busy = true;
    const { poll, names, stop } = await startFileReceiver(folder, { answer: () => (busy ? later() : undefined) });
    await append(folder, "a.json", line("first") + line("second"));
    await poll();
    await rm(join(folder, "a.json"));
    for (let polls = 0; polls < 10; polls++) await poll();
    busy = false;
    await poll();
    assert.deepEqual(names(), ["first", "second"]);
    await stop();
  });

  it("and gives nothing twice to a pipeline when another one refuses the same line", async () => {
    const folder = emptyFolder();
    const mixed = `{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"a"}]}]}],"resourceLogs":[{"scopeLogs":[{"logRecords":[{}]}]}]}\n`;
    const answer = (offer: number) => (offer === 2 ? later() : undefined);
    const { poll, taken, stop } = await startFileReceiver(folder, { answer });
    await append(folder, "a.json", mixed);
    await poll();
    await poll();
    assert.deepEqual(
      taken.map(({ signal }) => signal),
      ["traces", "logs"],
    );
    await stop();
  });

  it("but goes on behind a line that is refused for good, and says so", async () => {
    const folder = emptyFolder();
    const never = new ConsumeError("no such tenant", { retryable: false });
    const { poll, names, host, stop } = await startFileReceiver(folder, {
      answer: (offer) => (offer === 1 ? never : undefined),
    });
    await append(folder, "a.json", line("first") + line("second"));
    await poll();
    assert.deepEqual(names(), ["second"]);
    const refusal = host.logs.find(({ level }) => level === "error");
    assert.deepEqual(refusal?.fields, { signal: "traces", items: 1, error: "no such tenant" });
    await stop();
  });

  it("and counts lines that are no OTLP/JSON, with their place and without their content", async () => {
    const folder = emptyFolder();
    const settings = { max_log_size: "1KiB" };
    const { poll, names, malformed, host, stop } = await startFileReceiver(folder, { settings });
    const long = line("x".repeat(2000));
    await append(folder, "a.json", `${line("first")}secret\n${long}{"resourceSpans":5}\n${line("second")}`);
    await poll();
    await poll();
    assert.deepEqual(names(), ["first", "second"]);
    assert.deepEqual(malformed, ["traces file undecodable", "traces file too_large", "traces file undecodable"]);
    const warnings = host.logs.filter(({ level }) => level === "warn");
    const offset = line("first").length;
    assert.deepEqual(
      warnings.map(({ fields, message }) => [fields, message]),
      [
        [{ path: join(folder, "a.json"), offset, sizeBytes: 7 }, "A line of a file is left out: it is no OTLP/JSON."],
        [
          { path: join(folder, "a.json"), offset: offset + 7, sizeBytes: long.length },
          "A line of a file is left out: it is longer than max_log_size.",
        ],
        [
          { path: join(folder, "a.json"), offset: offset + 7 + long.length, sizeBytes: 20 },
          "A line of a file is left out: it is no OTLP/JSON.",
        ],
      ],
    );
    await stop();
  });

  it("when it stops: what is being offered is waited for, and goes on where it stopped after the next start", async () => {
    const folder = emptyFolder();
    let text: string | undefined;
    const extensions = {
      storage: {
        openCheckpoint: async (name: string) => {
          assert.equal(name, "receiver_otlp_json_file");
          return { read: async () => text, write: async (next: string) => void (text = next) };
        },
      },
    };
    const options = { settings: { storage: "storage" }, extensions };
    const first = await startFileReceiver(folder, {
      ...options,
      answer: (offer) => (offer === 2 ? later() : undefined),
    });
    await append(folder, "a.json", line("first") + line("second"));
    await first.poll();
    await first.stop();
    await rename(join(folder, "a.json"), join(folder, "a.json.1"));
    await append(folder, "a.json", line("third"));
    const second = await startFileReceiver(folder, { settings: { ...options.settings, start_at: "end" }, extensions });
    await second.poll();
    assert.deepEqual([first.names(), second.names().sort()], [["first"], ["second", "third"]]);
    await second.stop();
    assert.equal(second.host.clock.pendingTimers, 0);
  });
});
