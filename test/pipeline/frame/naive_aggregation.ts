import type { Aggregation } from "../../../pipeline/frame/engine.ts";

/** A row as a plain object; a column that is absent, undefined or NaN has no value. */
export type Row = Readonly<Record<string, string | number | undefined>>;

/** One group of the answer: the values of the group columns, then of the aggregations, in order. */
export type AnswerRow = readonly (string | number | undefined)[];

/**
 * The same question answered in the plainest way: rows sorted into a map of arrays by a joined key, arrays sorted with a
 * comparison function. It shares no code with the engines; it is what they are compared with.
 */
export function naiveAnswer(
  rows: readonly Row[],
  groupBy: readonly string[],
  aggregations: readonly Aggregation[],
): ReadonlyMap<string, AnswerRow> {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = keyOf(groupBy.map((column) => row[column]));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [row]);
    else group.push(row);
  }
  const answer = new Map<string, AnswerRow>();
  for (const [key, group] of groups) {
    const keys = groupBy.map((column) => present(group[0]?.[column]));
    answer.set(key, [...keys, ...aggregations.map((aggregation) => naiveValue(group, aggregation))]);
  }
  return answer;
}

/** Identifies a group by the values of its columns. */
export function keyOf(values: readonly (string | number | undefined)[]): string {
  return JSON.stringify(values.map((value) => present(value) ?? null));
}

function naiveValue(rows: readonly Row[], aggregation: Aggregation): number | undefined {
  if (!("column" in aggregation)) return rows.length;
  const values = rows.map((row) => present(row[aggregation.column])).filter((value) => value !== undefined);
  if (aggregation.fn === "count") return values.length;
  if (aggregation.fn === "nunique") return new Set(values).size;
  const numbers = values.filter((value) => typeof value === "number").sort((a, b) => a - b);
  if (numbers.length === 0) return undefined;
  const sum = numbers.reduce((total, value) => total + value, 0);
  const mean = sum / numbers.length;
  switch (aggregation.fn) {
    case "sum":
      return sum;
    case "mean":
      return mean;
    case "min":
      return numbers[0];
    case "max":
      return numbers.at(-1);
    case "std": {
      if (numbers.length < 2) return undefined;
      const squares = numbers.reduce((total, value) => total + (value - mean) ** 2, 0);
      return Math.sqrt(squares / (numbers.length - 1));
    }
    case "quantile": {
      const place = (numbers.length - 1) * aggregation.q;
      const low = numbers[Math.floor(place)]!;
      const high = numbers[Math.ceil(place)]!;
      return low + (high - low) * (place - Math.floor(place));
    }
  }
}

function present<T extends string | number>(value: T | undefined): T | undefined {
  return typeof value === "number" && Number.isNaN(value) ? undefined : value;
}
