/**
 * A column of a table: typed values of one kind, `length` of them, with `valid[i]` 0 where the value is absent.
 * Strings are dictionary-coded: `values[i]` is an index into `dictionary`.
 */
export type Column = NumberColumn | StringColumn;

export interface NumberColumn {
  readonly name: string;
  readonly type: "f64";
  readonly length: number;
  readonly values: Float64Array;
  /** Absent when every row has a value. */
  readonly valid?: Uint8Array;
}

export interface StringColumn {
  readonly name: string;
  readonly type: "string";
  readonly length: number;
  readonly values: Int32Array;
  readonly dictionary: readonly string[];
  readonly valid?: Uint8Array;
}
