import type { NumberColumn } from "../columns.ts";
import { inSlices, type Pause, rowsPerSlice } from "../engine.ts";
import type { Grouping } from "./grouping.ts";
import { quantileOfRuns } from "./sorted_runs.ts";

/** Count, sum and extremes of a column in each group; absent values and NaN skipped. */
export interface Moments {
  readonly count: Float64Array;
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** One pass over the column for all groups. */
export async function momentsOf(column: NumberColumn, groups: Grouping, pause: Pause): Promise<Moments> {
  const count = new Float64Array(groups.count);
  const sum = new Float64Array(groups.count);
  const min = new Float64Array(groups.count).fill(Number.POSITIVE_INFINITY);
  const max = new Float64Array(groups.count).fill(Number.NEGATIVE_INFINITY);
  const { values, valid } = column;
  await inSlices(column.length, pause, (from, to) => {
    for (let row = from; row < to; row++) {
      const value = values[row]!;
      if (valid?.[row] === 0 || Number.isNaN(value)) continue;
      const id = groups.ids[row]!;
      count[id]!++;
      sum[id]! += value;
      if (value < min[id]!) min[id] = value;
      if (value > max[id]!) max[id] = value;
    }
  });
  return { count, sum, min, max };
}

/** Squared distances from the mean, summed in each group: a second pass, which keeps digits that one pass loses. */
export async function squaresOf(
  column: NumberColumn,
  groups: Grouping,
  moments: Moments,
  pause: Pause,
): Promise<Float64Array> {
  const mean = moments.sum.map((sum, id) => sum / moments.count[id]!);
  const squares = new Float64Array(groups.count);
  const { values, valid } = column;
  await inSlices(column.length, pause, (from, to) => {
    for (let row = from; row < to; row++) {
      const value = values[row]!;
      if (valid?.[row] === 0 || Number.isNaN(value)) continue;
      const id = groups.ids[row]!;
      const distance = value - mean[id]!;
      squares[id]! += distance * distance;
    }
  });
  return squares;
}

/** The values of a column laid out group by group: those of group `id` in `[from[id], from[id + 1])`, sorted in runs. */
export interface Ordered {
  readonly values: Float64Array;
  readonly from: Int32Array;
}

/**
 * Gathers the values of each group and sorts them in runs of at most a slice, because sorting a million doubles at
 * once would hold up everyone for 100 ms. `quantilesOf` looks across the runs.
 */
export async function orderOf(
  column: NumberColumn,
  groups: Grouping,
  moments: Moments,
  pause: Pause,
): Promise<Ordered> {
  const from = new Int32Array(groups.count + 1);
  for (let id = 0; id < groups.count; id++) from[id + 1] = from[id]! + moments.count[id]!;
  const next = from.slice(0, groups.count);
  const ordered = new Float64Array(from[groups.count]!);
  const { values, valid } = column;
  await inSlices(column.length, pause, (start, end) => {
    for (let row = start; row < end; row++) {
      const value = values[row]!;
      if (valid?.[row] === 0 || Number.isNaN(value)) continue;
      ordered[next[groups.ids[row]!]!++] = value;
    }
  });
  await sortRuns(ordered, from, pause);
  return { values: ordered, from };
}

/** What one call of the native sort costs at least, in rows. */
const sortCallRows = 64;

async function sortRuns(values: Float64Array, from: Int32Array, pause: Pause): Promise<void> {
  let work = 0;
  for (let id = 0; id + 1 < from.length; id++) {
    for (let start = from[id]!; start < from[id + 1]!; start += rowsPerSlice) {
      const end = Math.min(from[id + 1]!, start + rowsPerSlice);
      if (work > 0 && work + end - start > rowsPerSlice) {
        await pause();
        work = 0;
      }
      values.subarray(start, end).sort();
      work += end - start + sortCallRows;
    }
  }
}

/** The quantile `q` of each group, NaN where it has no value. */
export function quantilesOf({ values, from }: Ordered, q: number): Float64Array {
  const quantiles = new Float64Array(from.length - 1);
  for (let id = 0; id < quantiles.length; id++) {
    const starts: number[] = [];
    const ends: number[] = [];
    for (let start = from[id]!; start < from[id + 1]!; start += rowsPerSlice) {
      starts.push(start);
      ends.push(Math.min(from[id + 1]!, start + rowsPerSlice));
    }
    quantiles[id] = starts.length === 0 ? Number.NaN : quantileOfRuns({ values, from: starts, to: ends }, q);
  }
  return quantiles;
}
