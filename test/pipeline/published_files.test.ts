import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { PublishedFiles } from "../../pipeline/published_files.ts";
import { simulatedHost } from "../support/simulated_host.ts";

function folderOf(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-published-"));
  test.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

function filesIn(directory: string, { isDefault = false, id = "plotly" } = {}) {
  const host = simulatedHost({ id });
  const defaultDirectory = isDefault ? directory : "elsewhere";
  const files = new PublishedFiles({ directory, defaultDirectory, what: "figures" }, host);
  const logged = () => host.logs.map(({ level, message }) => `${level}: ${message}`);
  return { files, host, logged };
}

describe("published files", () => {
  it("are replaced in a directory that is made, and that the log names once", async (test) => {
    const directory = join(folderOf(test), "a", "b");
    const { files, host, logged } = filesIn(directory);
    await files.open();
    assert.equal(await files.replace("one.json", "old"), true);
    assert.equal(await files.replace("one.json", Buffer.from("new")), true);
    assert.deepEqual(readdirSync(directory), ["one.json"]);
    assert.equal(readFileSync(join(directory, "one.json"), "utf8"), "new");
    assert.deepEqual(logged(), ["info: Files with figures are written here."]);
    assert.deepEqual(host.logs[0]?.fields, { directory });
  });

  it("are off, without a word, when the directory is empty", async () => {
    const { files, logged } = filesIn("");
    await files.open();
    assert.equal(files.areOn, false);
    assert.equal(await files.replace("one.json", "text"), true);
    assert.deepEqual(logged(), []);
  });

  it("cannot be opened where the user's own directory cannot be made", async (test) => {
    const inTheWay = join(folderOf(test), "file");
    writeFileSync(inTheWay, "");
    await assert.rejects(filesIn(join(inTheWay, "figures")).files.open(), /ENOTDIR/);
  });

  it("are off after one warning where the default directory cannot be made", async (test) => {
    const inTheWay = join(folderOf(test), "file");
    writeFileSync(inTheWay, "");
    const { files, logged } = filesIn(join(inTheWay, "figures"), { isDefault: true });
    await files.open();
    assert.equal(files.areOn, false);
    assert.equal(await files.replace("one.json", "text"), true);
    assert.deepEqual(logged(), ["warn: The default directory cannot be written, so no figures are written as files."]);
  });

  for (const { id, isDefault, path } of [
    { id: "plotly", isDefault: true, path: ["one.json"] },
    { id: "plotly/b", isDefault: true, path: ["b", "one.json"] },
    { id: "plotly/../../up", isDefault: true, path: ["_up", "one.json"] },
    { id: "plotly/b", isDefault: false, path: ["one.json"] },
  ]) {
    it(`of ${id} are ${path.join("/")} in ${isDefault ? "the default directory" : "a directory of the user's own"}`, async (test) => {
      const directory = folderOf(test);
      const { files } = filesIn(directory, { isDefault, id });
      await files.open();
      await files.replace("one.json", "text");
      assert.equal(readFileSync(join(directory, ...path), "utf8"), "text");
    });
  }

  it("complain once a minute while they cannot be written, and recover", async (test) => {
    const directory = join(folderOf(test), "figures");
    const { files, host, logged } = filesIn(directory);
    await files.open();
    rmSync(directory, { recursive: true });
    const failed = "warn: A file with figures could not be written.";
    for (const { afterMs, want } of [
      { afterMs: 0, want: [failed] },
      { afterMs: 59_000, want: [] },
      { afterMs: 2_000, want: [failed] },
    ]) {
      host.advance(afterMs);
      const before = logged().length;
      assert.equal(await files.replace("one.json", "text"), false);
      assert.equal(files.failed, true);
      assert.deepEqual(logged().slice(before), want);
    }
    await files.open();
    assert.equal(await files.replace("one.json", "text"), true);
    assert.equal(files.failed, false);
  });
});
