import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { runCompiled } from "../../cmd/compiled_bundle.ts";

const source = `(function (require, module, exports, bundleUrl, bundleFolder) {
  exports.twice = (value) => value * 2;
  exports.basename = () => require("node:path").basename(bundleFolder);
  exports.later = () => require("./later.mjs");
  exports.url = bundleUrl;
})`;

type Exports = {
  twice: (value: number) => number;
  basename: () => string;
  later: () => { value: number };
  url: string;
};

describe("a bundle whose compiled form is kept", () => {
  let folder = "";
  let path = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "otelpipe-bundle-"));
    path = join(folder, "bundle.cjs");
    writeFileSync(path, source);
    writeFileSync(join(folder, "later.mjs"), "export const value = 7;");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const kept = () => readdirSync(folder).filter((name) => name.startsWith("otelpipe-"));

  it("runs with what a module has: it can ask for others by name, beside it too, and knows where it lies", () => {
    const { twice, basename, later, url } = runCompiled(path, "test", folder).exports as Exports;
    assert.equal(twice(2), 4);
    assert.equal(join(tmpdir(), basename()), folder);
    assert.equal(later().value, 7);
    assert.equal(url, `file://${path}`);
  });

  it("keeps once what was compiled, and uses it the next time", () => {
    const first = runCompiled(path, "test", folder);
    assert.equal((first.exports as Exports).twice(2), 4);
    first.keep();
    assert.equal(first.wasKept, false);
    assert.equal(kept().length, 1);
    const second = runCompiled(path, "test", folder);
    assert.equal(second.wasKept, true);
    assert.equal((second.exports as Exports).twice(4), 8);
  });

  it("keeps functions that have been called, not those that have not", () => {
    writeFileSync(path, `${source}// V8 has not seen this text before`);
    runCompiled(path, "test", folder).keep();
    const file = join(folder, kept()[0] ?? "");
    const uncalled = readFileSync(file).length;
    rmSync(file);
    const called = runCompiled(path, "test", folder);
    (called.exports as Exports).twice(1);
    called.keep();
    assert.ok(readFileSync(file).length > uncalled);
  });

  // Scenario: power went in the middle of a write; or another version of the bundle, of the same size, lies there now.
  // Guarantees: V8 never runs the compiled form of another source, or a torn one; what is torn is replaced.
  it("does not run what is torn or was made of another source", () => {
    runCompiled(path, "test", folder).keep();
    const file = join(folder, kept()[0] ?? "");
    const bytes = readFileSync(file);
    bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
    writeFileSync(file, bytes);
    const torn = runCompiled(path, "test", folder);
    assert.equal(torn.wasKept, false);
    torn.keep();
    assert.equal(runCompiled(path, "test", folder).wasKept, true);
    writeFileSync(path, source.replace("* 2", "* 3"));
    const other = runCompiled(path, "test", folder);
    assert.equal(other.wasKept, false);
    assert.equal((other.exports as Exports).twice(2), 6);
  });

  it("runs where nothing can be kept", () => {
    const nowhere = runCompiled(path, join(folder, "missing"));
    nowhere.keep();
    assert.equal((nowhere.exports as Exports).twice(2), 4);
    assert.deepEqual(kept(), []);
  });
});
