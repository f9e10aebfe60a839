import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { FileWatch } from "../../../pipeline/process/file_watch.ts";
import { SimulatedClock } from "../../support/simulated_host.ts";

function watching(path: string) {
  const clock = new SimulatedClock();
  let changes = 0;
  const watch = new FileWatch({ clock });
  watch.add(path);
  watch.start(() => void changes++);
  return { clock, watch, changes: () => changes };
}

const folder = () => mkdtempSync(join(tmpdir(), "otelpipe-watch-"));

describe("the watch of files", () => {
  for (const { name, make, change } of [
    {
      name: "is written to",
      make: (path: string) => writeFileSync(path, "one"),
      change: (path: string) => writeFileSync(path, "other"),
    },
    {
      name: "is replaced, as editors do",
      make: (path: string) => writeFileSync(path, "one"),
      change(path: string) {
        writeFileSync(`${path}.new`, "two");
        renameSync(`${path}.new`, path);
      },
    },
    {
      name: "lies behind a directory link that is swapped, as Kubernetes does",
      make(path: string) {
        const at = join(path, "..");
        mkdirSync(join(at, "v1"));
        writeFileSync(join(at, "v1", "pipeline.yaml"), "one");
        symlinkSync("v1", join(at, "..data"));
        symlinkSync(join("..data", "pipeline.yaml"), path);
      },
      change(path: string) {
        const at = join(path, "..");
        mkdirSync(join(at, "v2"));
        writeFileSync(join(at, "v2", "pipeline.yaml"), "one");
        symlinkSync("v2", join(at, "..data_tmp"));
        renameSync(join(at, "..data_tmp"), join(at, "..data"));
      },
    },
    {
      name: "goes away",
      make: (path: string) => writeFileSync(path, "one"),
      change: (path: string) => rmSync(path),
    },
  ]) {
    it(`notices once that a file ${name}`, () => {
      const path = join(folder(), "pipeline.yaml");
      make(path);
      const { clock, changes, watch } = watching(path);
      clock.advance(5_000);
      assert.equal(changes(), 0);
      change(path);
      clock.advance(2_000);
      assert.equal(changes(), 1);
      clock.advance(10_000);
      assert.equal(changes(), 1);
      watch.stop();
      assert.equal(clock.pendingTimers, 0);
    });
  }

  it("waits until a file that is being written rests", () => {
    const path = join(folder(), "pipeline.yaml");
    writeFileSync(path, "");
    const { clock, changes } = watching(path);
    for (let second = 1; second <= 5; second++) {
      writeFileSync(path, "x".repeat(second));
      utimesSync(path, second, second);
      clock.advance(1_000);
      assert.equal(changes(), 0);
    }
    clock.advance(1_000);
    assert.equal(changes(), 1);
  });

  it("looks at the files of the last reading only", () => {
    const path = join(folder(), "old.yaml");
    writeFileSync(path, "");
    const { clock, changes, watch } = watching(path);
    watch.clear();
    writeFileSync(path, "changed");
    clock.advance(5_000);
    assert.equal(changes(), 0);
  });
});
