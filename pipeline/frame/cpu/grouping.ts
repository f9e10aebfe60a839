import { stringColumn } from "../builders.ts";
import type { Column, NumberColumn } from "../columns.ts";
import { inSlices, type Pause } from "../engine.ts";
import { GroupIndex } from "../group_index.ts";

/** Which group each row belongs to. */
export interface Grouping {
  /** A group number from 0 for each row. */
  readonly ids: Int32Array;
  readonly count: number;
  /** One row per group: the group columns of the answer. */
  readonly keys: readonly Column[];
}

/** Groups `rows` rows by the `by` columns. Absent values, and NaN, form a group of their own. */
export async function groupRows(rows: number, by: readonly Column[], pause: Pause): Promise<Grouping> {
  const coded: Coded[] = [];
  for (const column of by) coded.push(await codesOf(column, pause));
  const index = new GroupIndex(by.length, Math.min(rows, combinations(coded)));
  const ids = new Int32Array(rows);
  const tuple = new Int32Array(by.length);
  await inSlices(rows, pause, (from, to) => {
    for (let row = from; row < to; row++) {
      for (let place = 0; place < coded.length; place++) tuple[place] = coded[place]!.codes[row]!;
      ids[row] = index.add(tuple);
    }
  });
  return { ids, count: index.size, keys: coded.map((column, place) => keyColumn(column, index, place)) };
}

/** A column as integers: -1 where it is absent. `numbers` are the values behind the codes of a column of numbers. */
interface Coded {
  readonly source: Column;
  readonly codes: Int32Array;
  readonly numbers?: readonly number[];
}

/** How many groups there can be at most. */
function combinations(coded: readonly Coded[]): number {
  const sizes = coded.map(
    ({ source, numbers }) => (source.type === "string" ? source.dictionary : (numbers ?? [])).length,
  );
  return sizes.reduce((product, size) => product * (size + 1), 1);
}

/** Numbers the values of a column. Those of a string column without gaps are its own. */
export async function codesOf(column: Column, pause: Pause): Promise<Coded> {
  if (column.type === "f64") return numberCodes(column, pause);
  const { valid, values } = column;
  if (valid === undefined) return { source: column, codes: values };
  return { source: column, codes: values.map((code, row) => (valid[row] === 0 ? -1 : code)) };
}

async function numberCodes(column: NumberColumn, pause: Pause): Promise<Coded> {
  const codes = new Int32Array(column.length);
  const numbers: number[] = [];
  const known = new Map<number, number>();
  await inSlices(column.length, pause, (from, to) => {
    for (let row = from; row < to; row++) {
      const value = column.values[row]!;
      if (column.valid?.[row] === 0 || Number.isNaN(value)) {
        codes[row] = -1;
        continue;
      }
      let code = known.get(value);
      if (code === undefined) {
        code = numbers.push(value) - 1;
        known.set(value, code);
      }
      codes[row] = code;
    }
  });
  return { source: column, codes, numbers };
}

function keyColumn({ source, numbers }: Coded, index: GroupIndex, place: number): Column {
  const codes = Int32Array.from({ length: index.size }, (_, id) => index.at(id, place));
  if (source.type === "string") return stringColumn(source.name, codes, source.dictionary);
  const values = Float64Array.from(codes, (code) => numbers?.[code] ?? 0);
  const column = { name: source.name, type: "f64", length: codes.length, values } as const;
  return codes.includes(-1) ? { ...column, valid: Uint8Array.from(codes, (code) => (code === -1 ? 0 : 1)) } : column;
}
