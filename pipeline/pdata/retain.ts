import { Chunk } from "./chunk.ts";
import { itemWidth } from "./item_width.ts";
import { resourceColumn, scopeColumn } from "./rows.ts";
import { metricColumn } from "./rows_metrics.ts";
import { type Splices, withSplices } from "./splices.ts";
import { lengthBefore } from "./wire.ts";

/**
 * A chunk with only the items `[from, to)` of this one, and the scopes and resources they belong to; the chunk itself
 * when that is all of it. A scope or resource without items stays with the item behind it, or the last one.
 */
export function retain(chunk: Chunk, from: number, to: number): Chunk {
  if (from <= 0 && to >= chunk.itemCount) return chunk;
  return withSplices((splices) => {
    cutResources(chunk, from, to, splices);
    return new Chunk(chunk.signal, splices.apply(chunk), to - from, { isOwn: true });
  });
}

/** Whether a group of the items `[first, last)` has a place in the part `[from, to)`. */
function meets(chunk: Chunk, first: number, last: number, from: number, to: number): boolean {
  if (first === last) return (first >= from && first < to) || (first === to && to === chunk.itemCount);
  return first < to && last > from;
}

function cutResources(chunk: Chunk, from: number, to: number, splices: Splices): void {
  const { resources, scopes } = chunk.rows;
  const scopeCount = scopes.length / scopeColumn.width;
  for (let row = 0; row < resources.length; row += resourceColumn.width) {
    const next = row + resourceColumn.width;
    const isLast = next >= resources.length;
    const first = resources[row + resourceColumn.firstItem]!;
    const last = isLast ? chunk.itemCount : resources[next + resourceColumn.firstItem]!;
    const start = resources[row]!;
    const end = resources[row + 1]!;
    if (!meets(chunk, first, last, from, to)) splices.removeField(start, end);
    else if (first < from || last > to) {
      const mark = splices.enter(start, end);
      const lastScope = isLast ? scopeCount : resources[next + resourceColumn.firstScope]!;
      for (let scope = resources[row + resourceColumn.firstScope]!; scope < lastScope; scope++) {
        cutScope(chunk, scope, from, to, splices);
      }
      splices.leave(mark, start, end);
    }
  }
}

function cutScope(chunk: Chunk, scope: number, from: number, to: number, splices: Splices): void {
  const { scopes } = chunk.rows;
  const row = scope * scopeColumn.width;
  const next = row + scopeColumn.width;
  const first = scopes[row + scopeColumn.firstItem]!;
  const last = next < scopes.length ? scopes[next + scopeColumn.firstItem]! : chunk.itemCount;
  const start = scopes[row]!;
  const end = scopes[row + 1]!;
  if (!meets(chunk, first, last, from, to)) splices.removeField(start, end);
  else if (first < from || last > to) {
    const mark = splices.enter(start, end);
    if (chunk.signal === "metrics") cutMetrics(chunk, scope, from, to, splices);
    else {
      cutItems(chunk, first, Math.min(from, last), splices);
      cutItems(chunk, Math.max(to, first), last, splices);
    }
    splices.leave(mark, start, end);
  }
}

/** Removes the items `[first, last)`, at once where they lie side by side. */
function cutItems(chunk: Chunk, first: number, last: number, splices: Splices): void {
  if (first >= last) return;
  const { items, scopes } = chunk.rows;
  const width = itemWidth(chunk.signal);
  const scope = items[first * width + 4]!;
  if (scopes[scope * scopeColumn.width + scopeColumn.isScattered] === 0) {
    const row = first * width;
    splices.remove(lengthBefore(items[row]!, items[row + 1]!) - 1, items[(last - 1) * width + 1]!);
    return;
  }
  for (let index = first; index < last; index++) splices.removeField(items[index * width]!, items[index * width + 1]!);
}

function cutMetrics(chunk: Chunk, scope: number, from: number, to: number, splices: Splices): void {
  const { metrics, items } = chunk.rows;
  const width = itemWidth("metrics");
  for (let row = firstMetricOf(chunk, scope); row < metrics.length; row += metricColumn.width) {
    if (metrics[row + metricColumn.scope] !== scope) return;
    const next = row + metricColumn.width;
    const first = metrics[row + metricColumn.firstItem]!;
    const last = next < metrics.length ? metrics[next + metricColumn.firstItem]! : chunk.itemCount;
    const start = metrics[row]!;
    const end = metrics[row + 1]!;
    if (!meets(chunk, first, last, from, to)) splices.removeField(start, end);
    else if (first < from || last > to) {
      const dataStart = metrics[row + metricColumn.dataStart]!;
      const dataEnd = metrics[row + metricColumn.dataEnd]!;
      const mark = splices.enter(start, end);
      const inner = splices.enter(dataStart, dataEnd);
      for (let index = first; index < last; index++) {
        if (index < from || index >= to) splices.removeField(items[index * width]!, items[index * width + 1]!);
      }
      splices.leave(inner, dataStart, dataEnd);
      splices.leave(mark, start, end);
    }
  }
}

/** The cell of the first metric row of this scope, by binary search: metrics lie in the order of their scopes. */
export function firstMetricOf(chunk: Chunk, scope: number): number {
  const { metrics } = chunk.rows;
  let low = 0;
  let high = metrics.length / metricColumn.width;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (metrics[middle * metricColumn.width + metricColumn.scope]! < scope) low = middle + 1;
    else high = middle;
  }
  return low * metricColumn.width;
}
