import { Chunk } from "./chunk.ts";
import { itemWidth } from "./item_width.ts";
import { resourceColumn, scopeColumn } from "./rows.ts";
import { metricColumn, pointColumn } from "./rows_metrics.ts";
import { type Splices, withSplices } from "./splices.ts";
import { lengthBefore } from "./wire.ts";

/**
 * A chunk with only the items `[from, to)` of this one, and the scopes and resources they belong to; the chunk itself
 * when that is all of it. A group without items stays with the item behind it, or with the last one of what it is in.
 */
export function retain(chunk: Chunk, from: number, to: number): Chunk {
  if (from <= 0 && to >= chunk.itemCount) return chunk;
  return withSplices((splices) => {
    new Cut(chunk, from, to, splices).resources();
    return new Chunk(chunk.signal, splices.apply(chunk), to - from, { isOwn: true });
  });
}

/** Rows of one kind that hold items: resources, scopes or metrics. */
interface Level {
  readonly rows: Int32Array;
  readonly width: number;
  readonly firstItem: number;
}

/** Removes what lies outside of the items `[from, to)`. Costs what is kept, not what is removed: a chunk is cut often. */
class Cut {
  readonly #chunk: Chunk;
  readonly #from: number;
  readonly #to: number;
  readonly #splices: Splices;

  constructor(chunk: Chunk, from: number, to: number, splices: Splices) {
    this.#chunk = chunk;
    this.#from = from;
    this.#to = to;
    this.#splices = splices;
  }

  resources(): void {
    const { resources: rows, scopes } = this.#chunk.rows;
    const { width, firstItem, firstScope } = resourceColumn;
    const level = { rows, width, firstItem };
    this.#groups(level, 0, rows.length / width, this.#chunk.itemCount, (resource) => {
      const next = (resource + 1) * width;
      const lastScope = next < rows.length ? rows[next + firstScope]! : scopes.length / scopeColumn.width;
      this.#scopes(rows[resource * width + firstScope]!, lastScope, this.#lastItem(level, resource));
    });
  }

  #scopes(first: number, last: number, lastItem: number): void {
    const { scopes: rows } = this.#chunk.rows;
    const { width, firstItem } = scopeColumn;
    const isMetrics = this.#chunk.signal === "metrics";
    const level = { rows, width, firstItem };
    this.#groups(level, first, last, lastItem, (scope) => {
      if (isMetrics) this.#metrics(scope, this.#lastItem(level, scope));
      else this.#items(scope, rows[scope * width + firstItem]!, this.#lastItem(level, scope));
    });
  }

  #metrics(scope: number, lastItem: number): void {
    const { metrics: rows, items } = this.#chunk.rows;
    const { width, firstItem, dataStart, dataEnd } = metricColumn;
    const level = { rows, width, firstItem };
    const first = firstMetricOf(this.#chunk, scope) / width;
    this.#groups(level, first, firstMetricOf(this.#chunk, scope + 1) / width, lastItem, (metric) => {
      const start = rows[metric * width + dataStart]!;
      const end = rows[metric * width + dataEnd]!;
      const firstPoint = rows[metric * width + firstItem]!;
      const lastPoint = this.#lastItem(level, metric);
      const mark = this.#splices.enter(start, end);
      this.#remove(items, pointColumn.width, firstPoint, Math.min(this.#from, lastPoint));
      this.#remove(items, pointColumn.width, Math.max(this.#to, firstPoint), lastPoint);
      this.#splices.leave(mark, start, end);
    });
  }

  /** Removes the spans or log records of a scope that are outside. */
  #items(scope: number, first: number, last: number): void {
    const { items, scopes } = this.#chunk.rows;
    const width = itemWidth(this.#chunk.signal);
    const isScattered = scopes[scope * scopeColumn.width + scopeColumn.isScattered] !== 0;
    const cut = (start: number, end: number) => {
      if (start >= end) return;
      if (isScattered) this.#remove(items, width, start, end);
      else this.#removeRun(items, width, start, end);
    };
    cut(first, Math.min(this.#from, last));
    cut(Math.max(this.#to, first), last);
  }

  /**
   * Removes of the rows `[first, last)` those outside, and has `cutInside` cut those that are only partly inside. What
   * they are in ends with the item before `lastItem`.
   */
  #groups(level: Level, first: number, last: number, lastItem: number, cutInside: (index: number) => void): void {
    const { rows, width, firstItem } = level;
    const begin = (index: number) => rows[index * width + firstItem]!;
    const isBehindFrom = (index: number) => begin(index) >= this.#from || this.#lastItem(level, index) > this.#from;
    const kept = lowerBound(first, last, isBehindFrom);
    const behind = this.#to >= lastItem ? last : lowerBound(kept, last, (index) => begin(index) >= this.#to);
    this.#remove(rows, width, first, kept);
    for (let index = kept; index < behind; index++) {
      if (begin(index) >= this.#from && this.#lastItem(level, index) <= this.#to) continue;
      const start = rows[index * width]!;
      const end = rows[index * width + 1]!;
      const mark = this.#splices.enter(start, end);
      cutInside(index);
      this.#splices.leave(mark, start, end);
    }
    this.#remove(rows, width, behind, last);
  }

  #lastItem({ rows, width, firstItem }: Level, index: number): number {
    const next = (index + 1) * width;
    return next < rows.length ? rows[next + firstItem]! : this.#chunk.itemCount;
  }

  /** Removes the rows `[first, last)`, those that lie side by side at once. */
  #remove(rows: Int32Array, width: number, first: number, last: number): void {
    if (first >= last) return;
    const ends = this.#chunk.runEnds(rows, width);
    for (let index = first; index < last; ) {
      const end = Math.min(ends[index]!, last);
      this.#removeRun(rows, width, index, end);
      index = end;
    }
  }

  #removeRun(rows: Int32Array, width: number, first: number, last: number): void {
    const row = first * width;
    this.#splices.remove(lengthBefore(rows[row]!, rows[row + 1]!) - 1, rows[(last - 1) * width + 1]!);
  }
}

/** The first index in `[low, high)` that `holds`, where all behind one that does do; `high` when there is none. */
function lowerBound(low: number, high: number, holds: (index: number) => boolean): number {
  let from = low;
  let to = high;
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (holds(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** The cell of the first metric row of this scope or of one behind it: metrics lie in the order of their scopes. */
export function firstMetricOf(chunk: Chunk, scope: number): number {
  const { metrics } = chunk.rows;
  const { width, scope: column } = metricColumn;
  return width * lowerBound(0, metrics.length / width, (index) => metrics[index * width + column]! >= scope);
}
