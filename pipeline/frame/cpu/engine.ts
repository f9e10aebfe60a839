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
import { type Moments, momentsOf, type Ordered, orderOf, quantilesOf, squaresOf } from "./measures.ts";

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
  const measures = new Measures(table, groups, pause);
  const results: Column[] = [];
  for (const aggregation of query.aggregations) {
    results.push(resultColumn(aggregation.as, await measures.compute(aggregation)));
  }
  return [...groups.keys, ...results];
}

/** Computes aggregations over one grouping; passes that several of them need are made once. */
class Measures {
  readonly #table: readonly Column[];
  readonly #groups: Grouping;
  readonly #pause: Pause;
  readonly #moments = new Map<string, Moments>();
  readonly #ordered = new Map<string, Ordered>();

  constructor(table: readonly Column[], groups: Grouping, pause: Pause) {
    this.#table = table;
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
    const moments = await this.#momentsOf(column);
    switch (aggregation.fn) {
      case "count":
        return moments.count;
      case "sum":
        return moments.sum.map((sum, id) => (moments.count[id] === 0 ? Number.NaN : sum));
      case "mean":
        return moments.sum.map((sum, id) => sum / moments.count[id]!);
      case "min":
        return moments.min.map((min, id) => (moments.count[id] === 0 ? Number.NaN : min));
      case "max":
        return moments.max.map((max, id) => (moments.count[id] === 0 ? Number.NaN : max));
      case "std":
        return this.#deviations(column, moments);
      case "quantile":
        return quantilesOf(await this.#orderOf(column, moments), aggregation.q);
    }
  }

  async #rowCounts(valid?: Uint8Array): Promise<Float64Array> {
    const { ids, count } = this.#groups;
    const counts = new Float64Array(count);
    await inSlices(ids.length, this.#pause, (from, to) => {
      for (let row = from; row < to; row++) {
        if (valid?.[row] !== 0) counts[ids[row]!]!++;
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

  async #deviations(column: NumberColumn, moments: Moments): Promise<Float64Array> {
    const squares = await squaresOf(column, this.#groups, moments, this.#pause);
    return squares.map((sum, id) => (moments.count[id]! < 2 ? Number.NaN : Math.sqrt(sum / (moments.count[id]! - 1))));
  }

  async #momentsOf(column: NumberColumn): Promise<Moments> {
    const known = this.#moments.get(column.name) ?? (await momentsOf(column, this.#groups, this.#pause));
    this.#moments.set(column.name, known);
    return known;
  }

  async #orderOf(column: NumberColumn, moments: Moments): Promise<Ordered> {
    const known = this.#ordered.get(column.name) ?? (await orderOf(column, this.#groups, moments, this.#pause));
    this.#ordered.set(column.name, known);
    return known;
  }
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
