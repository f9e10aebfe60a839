import type { NumberColumn, StringColumn } from "./columns.ts";

const initialRows = 16;

/** Grows a column of doubles by doubling: 8 bytes a row, one more once a value was absent. No object per row. */
export class NumberBuilder {
  #values = new Float64Array(initialRows);
  #valid: Uint8Array | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Bytes of the typed arrays behind the column, the unused rest included. */
  get sizeBytes(): number {
    return this.#values.byteLength + (this.#valid?.byteLength ?? 0);
  }

  /** Adds a row. `undefined` and NaN are absent. */
  push(value: number | undefined): void {
    const row = this.#length;
    if (row === this.#values.length) this.#grow();
    if (value === undefined || Number.isNaN(value)) {
      this.#valid ??= new Uint8Array(this.#values.length).fill(1, 0, row);
    } else {
      this.#values[row] = value;
      if (this.#valid !== undefined) this.#valid[row] = 1;
    }
    this.#length = row + 1;
  }

  /** The rows so far, as views on this builder's memory: push nothing afterwards. */
  finish(name: string): NumberColumn {
    const length = this.#length;
    const column = { name, type: "f64", length, values: this.#values.subarray(0, length) } as const;
    return this.#valid === undefined ? column : { ...column, valid: this.#valid.subarray(0, length) };
  }

  #grow(): void {
    const values = new Float64Array(this.#values.length * 2);
    values.set(this.#values);
    this.#values = values;
    if (this.#valid === undefined) return;
    const valid = new Uint8Array(values.length);
    valid.set(this.#valid);
    this.#valid = valid;
  }
}

/** Grows a column of small integers by doubling: 4 bytes a row. */
export class CodeBuilder {
  #values = new Int32Array(initialRows);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  get sizeBytes(): number {
    return this.#values.byteLength;
  }

  push(code: number): void {
    if (this.#length === this.#values.length) {
      const values = new Int32Array(this.#values.length * 2);
      values.set(this.#values);
      this.#values = values;
    }
    this.#values[this.#length++] = code;
  }

  /** A view on this builder's memory. */
  finish(): Int32Array {
    return this.#values.subarray(0, this.#length);
  }
}

/** What a string costs a dictionary beside its characters: an object header, a map entry, an array slot. */
const entryBytes = 64;

/** Numbers texts from 0 in order of first sight. */
export class Dictionary {
  readonly texts: string[] = [];
  readonly #codes = new Map<string, number>();
  #textBytes = 0;
  #lastText: string | undefined;
  #lastCode = -1;

  /** Estimated memory: two bytes a character and an overhead per text. */
  get sizeBytes(): number {
    return this.#textBytes + this.texts.length * entryBytes;
  }

  /** The code of `text`, given out now when it is new. */
  code(text: string): number {
    const known = this.find(text);
    if (known !== -1) return known;
    const code = this.texts.push(text) - 1;
    this.#codes.set(text, code);
    this.#textBytes += text.length * 2;
    this.#lastText = text;
    this.#lastCode = code;
    return code;
  }

  /** The code of `text`, or -1 when it has none. */
  find(text: string): number {
    if (text === this.#lastText) return this.#lastCode;
    const code = this.#codes.get(text);
    if (code === undefined) return -1;
    this.#lastText = text;
    this.#lastCode = code;
    return code;
  }
}

/** Grows a dictionary-coded column of texts: 4 bytes a row, and every distinct text once. */
export class TextBuilder {
  readonly #dictionary = new Dictionary();
  readonly #codes = new CodeBuilder();

  get sizeBytes(): number {
    return this.#dictionary.sizeBytes + this.#codes.sizeBytes;
  }

  /** Adds a row. `undefined` is absent. */
  push(text: string | undefined): void {
    this.#codes.push(text === undefined ? -1 : this.#dictionary.code(text));
  }

  /** The rows so far, as views on this builder's memory: push nothing afterwards. */
  finish(name: string): StringColumn {
    return stringColumn(name, this.#codes.finish(), this.#dictionary.texts);
  }
}

/** A string column over `codes`, where -1 is absent. Keeps `codes` as its values. */
export function stringColumn(name: string, codes: Int32Array, dictionary: readonly string[]): StringColumn {
  const column = { name, type: "string", length: codes.length, values: codes, dictionary } as const;
  if (!codes.includes(-1)) return column;
  return { ...column, valid: Uint8Array.from(codes, (code) => (code === -1 ? 0 : 1)) };
}

/** The text in `row`, or undefined when it is absent. */
export function textAt(column: StringColumn, row: number): string | undefined {
  if (column.valid !== undefined && column.valid[row] === 0) return undefined;
  return column.dictionary[column.values[row] ?? -1];
}

/** The number in `row`, or undefined when it is absent. */
export function numberAt(column: NumberColumn, row: number): number | undefined {
  if (column.valid !== undefined && column.valid[row] === 0) return undefined;
  return column.values[row];
}
