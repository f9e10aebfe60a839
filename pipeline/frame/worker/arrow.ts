import type { Data, Vector } from "apache-arrow";
import { TextBuilder } from "../builders.ts";
import type { Column, NumberColumn, StringColumn } from "../columns.ts";
import type { Pause } from "../engine.ts";

type Arrow = typeof import("apache-arrow");

/**
 * Columns as an Arrow IPC stream: doubles, and texts as dictionaries of `Utf8` under 32-bit numbers. In parts, most of them
 * views on the columns' own memory: nothing is copied and no object is made per row.
 */
export async function toArrowStream(table: readonly Column[], pause: Pause): Promise<readonly Uint8Array[]> {
  const arrow = await import("apache-arrow");
  const children: Data[] = [];
  for (const column of table) {
    children.push(column.type === "f64" ? numberData(arrow, column) : textData(arrow, column));
    await pause();
  }
  const fields = table.map(({ name }, place) => new arrow.Field(name, children[place]!.type, true));
  const data = arrow.makeData({
    type: new arrow.Struct(fields),
    length: table[0]?.length ?? 0,
    nullCount: 0,
    children,
  });
  const writer = new arrow.RecordBatchStreamWriter();
  writer.write(new arrow.RecordBatch(new arrow.Schema(fields), data));
  writer.finish();
  const parts: Uint8Array[] = [];
  for await (const part of writer) parts.push(part);
  return parts;
}

/**
 * The columns of an Arrow IPC stream of doubles and texts.
 * @throws {Error} when it is none, or has a column of another type.
 */
export async function fromArrowStream(bytes: Uint8Array): Promise<readonly Column[]> {
  const arrow = await import("apache-arrow");
  const table = arrow.tableFromIPC(bytes);
  return table.schema.fields.map(({ name }, place) => {
    const vector = table.getChildAt(place)!;
    if (arrow.DataType.isFloat(vector.type) && vector.type.precision === arrow.Precision.DOUBLE)
      return numberColumn(name, vector);
    if (arrow.DataType.isDictionary(vector.type) || arrow.DataType.isUtf8(vector.type)) return textColumn(name, vector);
    throw new Error(`the column "${name}" is of type ${String(vector.type)}`);
  });
}

function numberData(arrow: Arrow, { length, values, valid }: NumberColumn): Data {
  return arrow.makeData({ type: new arrow.Float64(), length, data: values, ...validity(valid) });
}

function textData(arrow: Arrow, { length, values, dictionary, valid }: StringColumn): Data {
  const texts = arrow.vectorFromArray(dictionary, new arrow.Utf8());
  const type = new arrow.Dictionary(new arrow.Utf8(), new arrow.Int32());
  return arrow.makeData({ type, length, data: values, dictionary: texts, ...validity(valid) });
}

/** A bit for each row that has a value, lowest first. */
function validity(valid: Uint8Array | undefined): { nullCount: number; nullBitmap: Uint8Array | null } {
  if (valid === undefined) return { nullCount: 0, nullBitmap: null };
  const nullBitmap = new Uint8Array(Math.ceil(valid.length / 8));
  let nullCount = 0;
  for (let row = 0; row < valid.length; row++) {
    if (valid[row] === 0) nullCount++;
    else nullBitmap[row >> 3]! |= 1 << (row & 7);
  }
  return { nullCount, nullBitmap };
}

function numberColumn(name: string, vector: Vector): NumberColumn {
  const { length } = vector;
  const values = new Float64Array(length);
  const valid = new Uint8Array(length);
  let isWhole = true;
  for (let row = 0; row < length; row++) {
    const value: number | null = vector.get(row);
    if (value === null) isWhole = false;
    else {
      values[row] = value;
      valid[row] = 1;
    }
  }
  return { name, type: "f64", length, values, ...(isWhole ? {} : { valid }) };
}

function textColumn(name: string, vector: Vector): StringColumn {
  const builder = new TextBuilder();
  for (let row = 0; row < vector.length; row++) builder.push(vector.get(row) ?? undefined);
  return builder.finish(name);
}
