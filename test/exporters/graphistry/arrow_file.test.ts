import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { tableFromIPC } from "apache-arrow";
import { arrowFile } from "../../../exporters/graphistry/arrow_file.ts";
import type { Table } from "../../../exporters/graphistry/tables.ts";
import { readArrowFile } from "../../support/graphistry_server/arrow_check.ts";
import { seededRandom } from "../../support/simulated_host.ts";

const columns = { name: "text", tokens: "number", start: "time", gone: "number" } as const;

async function fileOf(rows: Table["rows"]): Promise<Buffer> {
  return Buffer.from(await arrowFile({ columns, rows }, () => Promise.resolve()));
}

/** What apache-arrow reads: a timestamp in milliseconds as a number. */
function read(bytes: Buffer): Record<string, unknown>[] {
  return tableFromIPC(bytes)
    .toArray()
    .map((row) => ({ ...row.toJSON() }));
}

describe("an Arrow file", () => {
  it("holds texts, numbers and times, with gaps", async () => {
    const rows = [
      { name: "chat ✓ gemma", tokens: 1.5, start: 1_767_225_600_123, gone: null },
      { name: "", tokens: null, start: null, gone: null },
      { name: "zwölf", tokens: -0, start: 0, gone: null },
    ];
    const bytes = await fileOf(rows);
    assert.deepEqual(
      read(bytes),
      rows.map(({ gone, ...row }) => row),
    );
  });

  it("has plain types only, and leaves out a column without a value", async () => {
    const { columns: types } = readArrowFile(await fileOf([{ name: "a", tokens: 1, start: 1, gone: null }]));
    assert.deepEqual(
      [...types].map(([name, type]) => `${name} ${type}`),
      ["name Utf8", "tokens Float64", "start Timestamp<MILLISECOND>"],
    );
  });

  it("can be without rows", async () => {
    const { table } = readArrowFile(await fileOf([]));
    assert.equal(table.numRows, 0);
    assert.equal(table.numCols, 4);
  });

  it("gives back any texts and numbers", async () => {
    const seed = Number(process.env["OTELPIPE_SEED"] ?? Math.floor(Math.random() * 1e9));
    console.log(`OTELPIPE_SEED=${seed}`);
    const random = seededRandom(seed);
    const sign = () => String.fromCodePoint(Math.floor(random() * (random() < 0.5 ? 128 : 0x1_1000))).toWellFormed();
    const text = () =>
      Array.from({ length: Math.floor(random() * 6) }, sign)
        .join("")
        .toWellFormed();
    const number = () => (random() < 0.2 ? null : (random() - 0.5) * 10 ** Math.floor(random() * 30));
    for (let run = 0; run < 20; run++) {
      const rows = Array.from({ length: 1 + Math.floor(random() * 40) }, () => ({
        name: text(),
        tokens: number(),
        start: Math.floor(random() * 2e12),
        gone: 1,
      }));
      const want = rows.some(({ tokens }) => tokens !== null) ? rows : rows.map(({ tokens, ...row }) => row);
      assert.deepEqual(read(await fileOf(rows)), want);
    }
  });
});
