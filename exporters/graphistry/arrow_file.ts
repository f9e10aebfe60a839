import type { Data } from "apache-arrow";
import type { Pause } from "../../pipeline/frame/engine.ts";
import type { ColumnType, Table } from "./tables.ts";

type Arrow = typeof import("apache-arrow");

/**
 * The table as the bytes of an Arrow IPC file, uncompressed, of plain columns only: `Utf8`, `Float64`,
 * `Timestamp<ms>`. Columns of numbers without a single value are left out. Pauses between columns.
 */
export async function arrowFile(table: Table, pause: Pause): Promise<Uint8Array> {
  const arrow = await import("apache-arrow");
  const fields = [];
  const children: Data[] = [];
  for (const [name, type] of Object.entries(table.columns)) {
    const cells = table.rows.map((row) => row[name]);
    if (type !== "text" && table.rows.length > 0 && cells.every((cell) => cell === null)) continue;
    const data = columnData(arrow, type, cells);
    fields.push(new arrow.Field(name, data.type, data.nullCount > 0));
    children.push(data);
    await pause();
  }
  const struct = new arrow.Struct(fields);
  const batch = new arrow.RecordBatch(
    new arrow.Schema(fields),
    arrow.makeData({ type: struct, length: table.rows.length, nullCount: 0, children }),
  );
  return arrow.tableToIPC(new arrow.Table(batch), "file");
}

type Cell = string | number | null | undefined;

function columnData(arrow: Arrow, type: ColumnType, cells: readonly Cell[]): Data {
  switch (type) {
    case "text":
      return textData(arrow, cells);
    case "number":
      return arrow.makeData({ type: new arrow.Float64(), ...numbers(cells, new Float64Array(cells.length)) });
    case "time":
      return arrow.makeData({
        type: new arrow.TimestampMillisecond(),
        ...numbers(cells, new BigInt64Array(cells.length)),
      });
  }
}

function textData(arrow: Arrow, cells: readonly Cell[]): Data {
  const texts = cells.map((cell) => String(cell ?? "").toWellFormed());
  const valueOffsets = new Int32Array(texts.length + 1);
  texts.forEach((text, row) => {
    valueOffsets[row + 1] = valueOffsets[row]! + Buffer.byteLength(text);
  });
  const data = Buffer.from(texts.join(""));
  return arrow.makeData({ type: new arrow.Utf8(), length: texts.length, nullCount: 0, valueOffsets, data });
}

/** Values with a bit for each row that has one. */
function numbers<T extends Float64Array | BigInt64Array>(cells: readonly Cell[], data: T) {
  const nullBitmap = new Uint8Array(Math.ceil(cells.length / 8));
  let nullCount = 0;
  cells.forEach((cell, row) => {
    if (typeof cell !== "number") {
      nullCount++;
      return;
    }
    nullBitmap[row >> 3]! |= 1 << (row & 7);
    data[row] = data instanceof BigInt64Array ? BigInt(Math.round(cell)) : cell;
  });
  return { length: cells.length, nullCount, data, nullBitmap: nullCount > 0 ? nullBitmap : null };
}
