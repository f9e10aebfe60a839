import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GrowingFile } from "../../../exporters/file/file.ts";
import { GroupedFiles } from "../../../exporters/file/grouped_files.ts";
import { FileWriter } from "../../../exporters/file/writer.ts";
import { simulatedHost } from "../../support/simulated_host.ts";
import { someSpans } from "../../support/traces.ts";

/** A file that takes everything and counts the writes. */
function countingFile() {
  const file = { writes: 0, open: async () => {}, close: async () => {}, write: async () => void file.writes++ };
  return file;
}

const writerOf = (file: object) =>
  new FileWriter(file as unknown as GrowingFile, { format: "json", zstdLevel: undefined }, async () => {});

describe("writing to a file", () => {
  // Scenario: a batch comes some microtasks after the answer for the one before, as a sender's that waits for answers.
  // Guarantees: it is written and answered, however close to the end of the write before it comes.
  for (const turns of [0, 1, 2, 3, 4, 5])
    it(`writes what comes ${turns} microtasks after an answer`, async () => {
      const file = countingFile();
      const writer = writerOf(file);
      await writer.open();
      await new Promise<void>((resolve) => writer.write(someSpans(1), () => resolve()));
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      let isAnswered = false;
      writer.write(someSpans(1), () => (isAnswered = true));
      await writer.close();
      assert.deepEqual([file.writes, isAnswered], [2, true]);
    });
});

describe("a file for each group", () => {
  // Scenario: the disk is full when a group's file is opened, and has space the next time.
  // Guarantees: the file is opened as one that has not been written to, and so is emptied if it was there before.
  it("does not take a file for its own that it could not open", async () => {
    const opens: boolean[] = [];
    const full = Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
    const files = new GroupedFiles({
      groups: (data) => new Map([["a", data]]),
      pathOf: (segment) => segment,
      maxOpenFiles: 10,
      makeWriter: (_path, goesOn) => {
        opens.push(goesOn);
        const open = opens.length === 1 ? () => Promise.reject(full) : async () => {};
        return writerOf({ ...countingFile(), open });
      },
      logger: simulatedHost().logger,
    });
    const outcomes: (boolean | undefined)[] = [];
    for (let batch = 0; batch < 2; batch++) {
      files.write(someSpans(1), (error) => void outcomes.push(error?.retryable));
      await files.idle();
    }
    assert.deepEqual(outcomes, [true, undefined]);
    assert.deepEqual(opens, [false, false]);
    await files.close();
  });
});
