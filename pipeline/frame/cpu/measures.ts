import type { NumberColumn } from "../columns.ts";
import { inSlices, type Pause, rowsOfLightWork } from "../engine.ts";
import type { Grouping } from "./grouping.ts";

/** Where the rows of each group would begin if they were sorted by group; one place more, where the last would end. */
export async function groupStarts({ ids, count }: Grouping, pause: Pause): Promise<Int32Array> {
  const starts = new Int32Array(count + 1);
  await inSlices(ids.length, pause, (from, to) => countRows(ids, starts, from, to), rowsOfLightWork);
  for (let id = 0; id < count; id++) starts[id + 1]! += starts[id]!;
  return starts;
}

function countRows(ids: Int32Array, starts: Int32Array, from: number, to: number): void {
  for (let row = from; row < to; row++) starts[ids[row]! + 1]!++;
}

/**
 * The values of a column group by group, absent ones and NaN left out: those of group `id` at `[from[id], to[id])`, in the
 * order of their rows.
 */
export interface Gathered {
  readonly values: Float64Array;
  readonly from: Int32Array;
  readonly to: Int32Array;
}

/**
 * Lays the values of a column out in `memory`, which has a place for each row: the column is read from front to back and
 * written to as many places as there are groups, since reading it in the order of the groups would wait for memory.
 */
export async function gather(
  { values, valid }: NumberColumn,
  { ids, count }: Grouping,
  starts: Int32Array,
  memory: Float64Array,
  pause: Pause,
): Promise<Gathered> {
  const next = starts.slice(0, count);
  await inSlices(ids.length, pause, (from, to) => scatter(values, valid, ids, from, to, memory, next), rowsOfLightWork);
  return { values: memory, from: starts, to: next };
}

function scatter(
  values: Float64Array,
  valid: Uint8Array | undefined,
  ids: Int32Array,
  from: number,
  to: number,
  memory: Float64Array,
  next: Int32Array,
): void {
  for (let row = from; row < to; row++) {
    const value = values[row]!;
    if (Number.isNaN(value) || (valid !== undefined && valid[row] === 0)) continue;
    memory[next[ids[row]!]!++] = value;
  }
}

/** Sum and extremes of each group. */
export interface Moments {
  readonly sum: Float64Array;
  readonly min: Float64Array;
  readonly max: Float64Array;
}

/** One pass over all groups. */
export async function momentsOf({ values, from, to }: Gathered, pause: Pause): Promise<Moments> {
  const sum = new Float64Array(to.length);
  const min = new Float64Array(to.length).fill(Number.POSITIVE_INFINITY);
  const max = new Float64Array(to.length).fill(Number.NEGATIVE_INFINITY);
  const moments = { sum, min, max };
  await inGroups(from, to, pause, (id, start, end) => addMoments(moments, values, id, start, end));
  return moments;
}

function addMoments({ sum, min, max }: Moments, values: Float64Array, id: number, start: number, end: number): void {
  let total = sum[id]!;
  let least = min[id]!;
  let most = max[id]!;
  for (let place = start; place < end; place++) {
    const value = values[place]!;
    total += value;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  sum[id] = total;
  min[id] = least;
  max[id] = most;
}

/** Squared distances from the mean, summed in each group: a second pass, which keeps digits that one pass loses. */
export async function squaresOf(
  { values, from, to }: Gathered,
  sum: Float64Array,
  pause: Pause,
): Promise<Float64Array> {
  const squares = new Float64Array(to.length);
  await inGroups(from, to, pause, (id, start, end) => {
    const mean = sum[id]! / (to[id]! - from[id]!);
    let total = squares[id]!;
    for (let place = start; place < end; place++) {
      const distance = values[place]! - mean;
      total += distance * distance;
    }
    squares[id] = total;
  });
  return squares;
}

/** Calls `work` on the places of each group, a slice of them at a time; pauses in between, within a group too. */
async function inGroups(
  from: Int32Array,
  to: Int32Array,
  pause: Pause,
  work: (id: number, start: number, end: number) => void,
): Promise<void> {
  let left = rowsOfLightWork;
  for (let id = 0; id < to.length; id++) {
    let start = from[id]!;
    for (;;) {
      const end = Math.min(to[id]!, start + left);
      work(id, start, end);
      left -= end - start;
      start = end;
      if (left > 0) break;
      left = rowsOfLightWork;
      await pause();
    }
  }
}
