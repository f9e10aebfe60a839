import assert from "node:assert/strict";
import { mkdtempSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { makeDirectory } from "../../pipeline/make_directory.ts";

describe("making a directory", () => {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-directory-"));

  it("makes what is missing above it, and does nothing when it is there", async () => {
    const path = join(folder, "one/two/three");
    await makeDirectory(path, 0o700);
    await makeDirectory(path, 0o700);
    assert.equal(statSync(path).mode & 0o777, 0o700);
  });

  it("fails where a file is in the way", async () => {
    writeFileSync(join(folder, "file"), "");
    await assert.rejects(makeDirectory(join(folder, "file")), { code: "EEXIST" });
    await assert.rejects(makeDirectory(join(folder, "file/below")), { code: "ENOTDIR" });
  });

  it("fails where the file system has no such name, instead of trying for ever", {
    skip: process.platform !== "linux",
  }, async () => {
    await assert.rejects(makeDirectory("/proc/otelpipe/below"), { code: "ENOENT" });
  });
});
