import type { Column, NumberColumn } from "../columns.ts";
import {
  type Aggregation,
  type AggregationEngine,
  type EngineSurroundings,
  inSlices,
  type Pause,
  pauseOn,
  type Query,
} from "../engine.ts";
import { GroupIndex } from "../group_index.ts";
import { codesOf, type Grouping, groupRows } from "./grouping.ts";
import { gather, groupStarts, type Moments, momentsOf, squaresOf } from "./measures.ts";
import { quantilesOf } from "./quantiles.ts";

/**
 * The engine that is always there: typed arrays in this process, and the reference for the others. It works in slices
 * of some ten thousand rows and lets others run in between.
 */
export async function openCpuEngine({ clock }: EngineSurroundings): Promise<AggregationEngine> {
  const pause = pauseOn(clock);
  return {
    name: "cpu",
    aggregate: (table, query) => aggregate(table, query, pause),
    close: async () => {},
  };
}

async function aggregate(table: readonly Column[], query: Query, pause: Pause): Promise<readonly Column[]> {
  const rows = table[0]?.length ?? 0;
  const by = query.groupBy.map((name) => columnNamed(table, name));
  const groups = await groupRows(rows, by, pause);
  const measures = new Measures(table, query, groups, pause);
  const results: Column[] = [];
  for (const aggregation of query.aggregations) {
    results.push(resultColumn(aggregation.as, await measures.compute(aggregation)));
  }
  return [...groups.keys, ...results];
}

/** Computes aggregations over one grouping; passes that several of them need are made once. */
class Measures {
  readonly #table: readonly Column[];
  readonly #query: Query;
  readonly #groups: Grouping;
  readonly #pause: Pause;
  #starts: Int32Array | undefined;
  /** A place for each value of a column; used for one column after the other. */
  #memory: Float64Array | undefined;
  readonly #summaries = new Map<string, Summary>();

  constructor(table: readonly Column[], query: Query, groups: Grouping, pause: Pause) {
    this.#table = table;
    this.#query = query;
    this.#groups = groups;
    this.#pause = pause;
  }

  /** One number per group, NaN where the answer is absent. */
  async compute(aggregation: Aggregation): Promise<Float64Array> {
    if (!("column" in aggregation)) return this.#rowCounts();
    const column = columnNamed(this.#table, aggregation.column);
    if (aggregation.fn === "nunique") return this.#distinct(column);
    if (aggregation.fn === "count" && column.type === "string") return this.#rowCounts(column.valid);
    if (column.type !== "f64") throw new Error(`${aggregation.fn}(${column.name}): the column holds text, not numbers`);
    const { count, sum, min, max, squares, quantiles } = await this.#summaryOf(column);
    const known = (values: Float64Array, least = 1) =>
      values.map((value, id) => (count[id]! < least ? Number.NaN : value));
    switch (aggregation.fn) {
      case "count":
        return count;
      case "sum":
        return known(sum);
      case "mean":
        return sum.map((total, id) => total / count[id]!);
      case "min":
        return known(min);
      case "max":
        return known(max);
      case "std":
        return known(
          squares!.map((total, id) => Math.sqrt(total / (count[id]! - 1))),
          2,
        );
      case "quantile":
        return quantiles.get(aggregation.q)!;
    }
  }

  async #groupStarts(): Promise<Int32Array> {
    this.#starts ??= await groupStarts(this.#groups, this.#pause);
    return this.#starts;
  }

  async #rowCounts(valid?: Uint8Array): Promise<Float64Array> {
    const { ids, count } = this.#groups;
    if (valid === undefined) {
      const starts = await this.#groupStarts();
      return Float64Array.from({ length: count }, (_, id) => starts[id + 1]! - starts[id]!);
    }
    const counts = new Float64Array(count);
    await inSlices(ids.length, this.#pause, (from, to) => {
      for (let row = from; row < to; row++) {
        if (valid[row] !== 0) counts[ids[row]!]!++;
      }
    });
    return counts;
  }

  async #distinct(column: Column): Promise<Float64Array> {
    const { codes } = await codesOf(column, this.#pause);
    const counts = new Float64Array(this.#groups.count);
    const seen = new GroupIndex(2, column.length);
    const pair = new Int32Array(2);
    await inSlices(column.length, this.#pause, (from, to) => {
      for (let row = from; row < to; row++) {
        if (codes[row] === -1) continue;
        pair[0] = this.#groups.ids[row]!;
        pair[1] = codes[row]!;
        const before = seen.size;
        if (seen.add(pair) === before) counts[pair[0]]!++;
      }
    });
    return counts;
  }

  async #summaryOf(column: NumberColumn): Promise<Summary> {
    const known = this.#summaries.get(column.name) ?? (await this.#summarise(column));
    this.#summaries.set(column.name, known);
    return known;
  }

  /** All that the query asks of a column of numbers. */
  async #summarise(column: NumberColumn): Promise<Summary> {
    const pause = this.#pause;
    const starts = await this.#groupStarts();
    this.#memory ??= new Float64Array(this.#groups.ids.length);
    const gathered = await gather(column, this.#groups, starts, this.#memory, pause);
    const count = Float64Array.from(gathered.to, (end, id) => end - starts[id]!);
    const moments = await momentsOf(gathered, pause);
    const asked = this.#query.aggregations.filter((each) => "column" in each && each.column === column.name);
    const squares = asked.some(({ fn }) => fn === "std") ? await squaresOf(gathered, moments.sum, pause) : undefined;
    const places = [...new Set(asked.flatMap((each) => (each.fn === "quantile" ? [each.q] : [])))];
    const computed = places.length === 0 ? [] : await quantilesOf(gathered, places, pause);
    const quantiles = new Map(places.map((place, index) => [place, computed[index]!]));
    return { count, ...moments, squares, quantiles };
  }
}

/** One number per group for whatever is asked of a column. */
interface Summary extends Moments {
  readonly count: Float64Array;
  readonly squares: Float64Array | undefined;
  readonly quantiles: ReadonlyMap<number, Float64Array>;
}

function columnNamed(table: readonly Column[], name: string): Column {
  const column = table.find((candidate) => candidate.name === name);
  if (column === undefined) {
    throw new Error(`no column "${name}"; there are ${table.map((candidate) => candidate.name).join(", ")}`);
  }
  return column;
}

function resultColumn(name: string, values: Float64Array): NumberColumn {
  const column = { name, type: "f64", length: values.length, values } as const;
  if (!values.some(Number.isNaN)) return column;
  const valid = Uint8Array.from(values, (value) => (Number.isNaN(value) ? 0 : 1));
  return { ...column, values: values.map((value) => (Number.isNaN(value) ? 0 : value)), valid };
}
