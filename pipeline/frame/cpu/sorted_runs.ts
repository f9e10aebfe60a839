/** Half-open ranges `[from[i], to[i])` of `values`, each sorted ascending: one group's values. */
export interface SortedRuns {
  readonly values: Float64Array;
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/**
 * The quantile `q` of all runs together, as if they were one sorted list: linear between the two values around place
 * `(n - 1) * q`. There must be at least one value.
 */
export function quantileOfRuns(runs: SortedRuns, q: number): number {
  const count = runs.from.reduce((sum, from, run) => sum + runs.to[run]! - from, 0);
  const place = (count - 1) * q;
  const below = Math.floor(place);
  const low = valueAtRank(runs, below);
  if (below === place) return low;
  const high = valueAtRank(runs, below + 1);
  return low === high ? low : low + (high - low) * (place - below);
}

/**
 * The value that would stand at `rank` (from 0) if the runs were merged. Halves the largest remaining range at every
 * step, so its cost is a few binary searches per run, however long the runs are.
 */
function valueAtRank(runs: SortedRuns, rank: number): number {
  const { values } = runs;
  if (runs.from.length === 1) return values[runs.from[0]! + rank]!;
  const low = [...runs.from];
  const high = [...runs.to];
  let wanted = rank;
  for (;;) {
    const widest = widestRange(low, high);
    const pivot = values[(low[widest]! + high[widest]!) >>> 1]!;
    const less = low.map((from, run) => firstAtLeast(values, from, high[run]!, pivot));
    const notMore = less.map((from, run) => firstMoreThan(values, from, high[run]!, pivot));
    const lessCount = distance(low, less);
    if (wanted < lessCount) less.forEach((to, run) => void (high[run] = to));
    else if (wanted < distance(low, notMore)) return pivot;
    else {
      wanted -= distance(low, notMore);
      notMore.forEach((from, run) => void (low[run] = from));
    }
  }
}

function widestRange(low: readonly number[], high: readonly number[]): number {
  let widest = 0;
  for (let run = 1; run < low.length; run++) {
    if (high[run]! - low[run]! > high[widest]! - low[widest]!) widest = run;
  }
  return widest;
}

function distance(from: readonly number[], to: readonly number[]): number {
  return from.reduce((sum, start, run) => sum + to[run]! - start, 0);
}

function firstAtLeast(values: Float64Array, from: number, to: number, pivot: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! < pivot) low = middle + 1;
    else high = middle;
  }
  return low;
}

function firstMoreThan(values: Float64Array, from: number, to: number, pivot: number): number {
  let [low, high] = [from, to];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle]! <= pivot) low = middle + 1;
    else high = middle;
  }
  return low;
}
