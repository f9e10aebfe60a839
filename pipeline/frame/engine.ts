import type { Clock } from "../host.ts";
import type { Column } from "./columns.ts";

/** What to compute: one row for each distinct combination of the `groupBy` columns. A plain object, fit for JSON. */
export interface Query {
  /** Names of columns of the table. None: the whole table is one group. */
  readonly groupBy: readonly string[];
  readonly aggregations: readonly Aggregation[];
}

/** `as` names the result column, always of doubles. */
export type Aggregation =
  | { readonly as: string; readonly fn: "count" }
  | { readonly as: string; readonly fn: ColumnFunction; readonly column: string }
  | { readonly as: string; readonly fn: "quantile"; readonly column: string; readonly q: number };

/** Functions of one column. `nunique` takes columns of any type, the others numbers. */
export type ColumnFunction = "count" | "sum" | "mean" | "min" | "max" | "std" | "nunique";

/**
 * Computes group-bys over columns. Every engine gives the same answer, which `test/pipeline/frame/engine_conformance.ts`
 * checks:
 *
 * - A row per combination that occurs, in no particular order: the group columns as in `groupBy`, then the
 *   aggregations in the query's order. An absent group value is a group of its own. A table without rows gives none.
 * - Absent values and NaN are skipped. `count` without a column counts rows, with one the values that are present.
 * - `sum`, `mean`, `min`, `max` and `quantile` of no value are absent, `std` (divided by n - 1) of fewer than two.
 * - Quantiles are exact, between two values linear: at place `(n - 1) * q` of the sorted values.
 * - Doubles throughout; sums may differ in the order of addition (compare to 1e-9, `std` to 1e-7).
 */
export interface AggregationEngine {
  /** For people: `cpu`, or an engine and its device; and why it is not the one that was asked for. */
  readonly name: string;
  /** For people: how many windows each engine has computed, and why not the first choice, `rapids 12, cpu 1 (died)`. */
  readonly tally?: string;
  /**
   * Answers `query` over `table`, columns of one length that stay untouched until the promise settles.
   * @throws {Error} when a column is missing or of the wrong type, or the engine has died.
   */
  aggregate(table: readonly Column[], query: Query): Promise<readonly Column[]>;
  /** Gives back what the engine holds: a process, a device. Safe to call twice. */
  close(): Promise<void>;
}

export interface EngineSurroundings {
  readonly clock: Clock;
}

/** Lets others run: resolves on a later turn of the event loop. */
export type Pause = () => Promise<void>;

/** A pause on `clock`, real or simulated. */
export function pauseOn(clock: Clock): Pause {
  return () => new Promise((resolve) => void clock.setTimer(resolve, 0));
}

/** Rows worked through between two pauses: under 3 ms for the slowest pass (sorting). */
export const rowsPerSlice = 32_768;

/** The same for a pass that reads a row and adds it up, some nanoseconds each: under 1 ms. */
export const rowsOfLightWork = 131_072;

/** Calls `work` on consecutive ranges of `rows` rows, pausing in between, so that no step takes long. */
export async function inSlices(
  rows: number,
  pause: Pause,
  work: (from: number, to: number) => void,
  slice = rowsPerSlice,
): Promise<void> {
  for (let from = 0; from < rows; from += slice) {
    if (from > 0) await pause();
    work(from, Math.min(rows, from + slice));
  }
}
