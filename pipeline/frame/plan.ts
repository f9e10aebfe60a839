import type { Aggregation, Query } from "./engine.ts";
import type { Expression } from "./expression.ts";
import { type Field, FieldReaders, fieldName, type NumberReader, type TextReader } from "./fields.ts";

/** What a window keeps of each span, and what is asked of it when it closes. */
export interface Plan {
  /** The group columns, in order. */
  readonly groupBy: readonly { readonly name: string; readonly read: TextReader }[];
  /** Columns of numbers that the aggregations need, each once. */
  readonly numbers: readonly { readonly name: string; readonly read: NumberReader }[];
  /** Columns of texts that the aggregations need (distinct and plain counts), each once. */
  readonly texts: readonly { readonly name: string; readonly read: TextReader }[];
  /** The question to the engine, grouped by the one column `groupColumn`. */
  readonly query: Query;
}

/** The column that holds the number of each span's group. */
export const groupColumn = "group";

/** Compiles a config's `group_by` and `columns`. */
export function compilePlan(groupBy: readonly Field[], columns: ReadonlyMap<string, Expression>): Plan {
  const measured = [...columns.values()].flatMap((expression) => ("field" in expression ? [expression] : []));
  const readers = new FieldReaders([...groupBy, ...measured.map(({ field }) => field)]);
  const numbers = distinct(measured.filter(({ fn }) => !readsText(fn)).map(({ field }) => field));
  const texts = distinct(measured.filter(({ fn }) => readsText(fn)).map(({ field }) => field));
  return {
    groupBy: groupBy.map((field) => ({ name: fieldName(field), read: readers.text(field) })),
    numbers: numbers.map((field) => ({ name: numberColumn(field), read: readers.number(field) })),
    texts: texts.map((field) => ({ name: textColumn(field), read: readers.text(field) })),
    query: {
      groupBy: [groupColumn],
      aggregations: [...columns].map(([as, expression]) => aggregation(as, expression)),
    },
  };
}

function aggregation(as: string, expression: Expression): Aggregation {
  if (!("field" in expression)) return { as, fn: "count" };
  if (expression.fn === "quantile")
    return { as, fn: "quantile", column: numberColumn(expression.field), q: expression.q };
  const column = readsText(expression.fn) ? textColumn(expression.field) : numberColumn(expression.field);
  return { as, fn: expression.fn, column };
}

/** Counting values, distinct or not, works on anything, so it reads the field as text. */
function readsText(fn: string): boolean {
  return fn === "count" || fn === "nunique";
}

function numberColumn(field: Field): string {
  return `number ${fieldName(field)}`;
}

function textColumn(field: Field): string {
  return `text ${fieldName(field)}`;
}

function distinct(fields: readonly Field[]): readonly Field[] {
  return [...new Map(fields.map((field) => [fieldName(field), field])).values()];
}
