import { stringColumn } from "../builders.ts";
import type { Column, NumberColumn } from "../columns.ts";
import { inSlices, type Pause, rowsOfLightWork } from "../engine.ts";
import { GroupIndex } from "../group_index.ts";

/** Which group each row belongs to. */
export interface Grouping {
  /** A group number from 0 for each row, in order of first sight. */
  readonly ids: Int32Array;
  readonly count: number;
  /** One row per group: the group columns of the answer. */
  readonly keys: readonly Column[];
}

/** Groups, and the code that a group has in each column. */
interface Numbered {
  readonly ids: Int32Array;
  readonly count: number;
  codeOf(id: number, place: number): number;
}

/** So many combinations may always have a place each in a table, more only when there are as many rows. */
const tablePlaces = 65_536;

/** Groups `rows` rows by the `by` columns. Absent values, and NaN, form a group of their own. */
export async function groupRows(rows: number, by: readonly Column[], pause: Pause): Promise<Grouping> {
  const coded: Coded[] = [];
  for (const column of by) coded.push(await codesOf(column, pause));
  const sizes = coded.map(sizeOf);
  const combinations = sizes.reduce((product, size) => product * size, 1);
  const numbered =
    combinations <= Math.max(rows, tablePlaces)
      ? await numberByTable(rows, coded, sizes, pause)
      : await numberByHash(rows, coded, Math.min(rows, combinations), pause);
  const { ids, count } = numbered;
  const keys = coded.map((column, place) => {
    const codes = Int32Array.from({ length: count }, (_, id) => numbered.codeOf(id, place));
    return keyColumn(column, codes);
  });
  return { ids, count, keys };
}

/** The codes of a row as the digits of one number, which is its place in a table of group numbers. */
async function numberByTable(
  rows: number,
  coded: readonly Coded[],
  sizes: readonly number[],
  pause: Pause,
): Promise<Numbered> {
  const ids = new Int32Array(rows);
  for (const [place, { codes }] of coded.entries()) {
    const size = sizes[place]!;
    await inSlices(rows, pause, (from, to) => appendDigit(ids, codes, size, from, to), rowsOfLightWork);
  }
  const table = new Int32Array(sizes.reduce((product, size) => product * size, 1)).fill(-1);
  const combined: number[] = [];
  await inSlices(rows, pause, (from, to) => numberKeys(ids, table, combined, from, to), rowsOfLightWork);
  const units = sizes.map((_, place) => sizes.slice(place + 1).reduce((product, size) => product * size, 1));
  const codeOf = (id: number, place: number) => (Math.floor(combined[id]! / units[place]!) % sizes[place]!) - 1;
  return { ids, count: combined.length, codeOf };
}

function appendDigit(keys: Int32Array, codes: Int32Array, size: number, from: number, to: number): void {
  for (let row = from; row < to; row++) keys[row] = Math.imul(keys[row]!, size) + codes[row]! + 1;
}

/** Puts numbers from 0 in the place of keys, those of new ones in `table`, and new keys at the end of `combined`. */
function numberKeys(keys: Int32Array, table: Int32Array, combined: number[], from: number, to: number): void {
  for (let row = from; row < to; row++) {
    const key = keys[row]!;
    let id = table[key]!;
    if (id === -1) {
      id = combined.push(key) - 1;
      table[key] = id;
    }
    keys[row] = id;
  }
}

async function numberByHash(rows: number, coded: readonly Coded[], expected: number, pause: Pause): Promise<Numbered> {
  const index = new GroupIndex(coded.length, expected);
  const ids = new Int32Array(rows);
  const tuple = new Int32Array(coded.length);
  await inSlices(rows, pause, (from, to) => {
    for (let row = from; row < to; row++) {
      for (let place = 0; place < coded.length; place++) tuple[place] = coded[place]!.codes[row]!;
      ids[row] = index.add(tuple);
    }
  });
  return { ids, count: index.size, codeOf: (id, place) => index.at(id, place) };
}

/** A column as integers: -1 where it is absent. `numbers` are the values behind the codes of a column of numbers. */
interface Coded {
  readonly source: Column;
  readonly codes: Int32Array;
  readonly numbers?: readonly number[];
}

/** How many codes a column may have, absent among them. */
function sizeOf({ source, numbers }: Coded): number {
  return (source.type === "string" ? source.dictionary : (numbers ?? [])).length + 1;
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

function keyColumn({ source, numbers }: Coded, codes: Int32Array): Column {
  if (source.type === "string") return stringColumn(source.name, codes, source.dictionary);
  const values = Float64Array.from(codes, (code) => numbers?.[code] ?? 0);
  const column = { name: source.name, type: "f64", length: codes.length, values } as const;
  return codes.includes(-1) ? { ...column, valid: Uint8Array.from(codes, (code) => (code === -1 ? 0 : 1)) } : column;
}
