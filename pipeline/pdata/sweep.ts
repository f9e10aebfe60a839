import type { Chunk } from "./chunk.ts";
import { itemWidth } from "./item_width.ts";
import { firstMetricOf } from "./retain.ts";
import { resourceColumn, scopeColumn } from "./rows.ts";
import { metricColumn } from "./rows_metrics.ts";
import type { Splices } from "./splices.ts";

/** Looks at the item of this index, leaves its changes in the splices, and says whether the item stays. */
export type Visit = (index: number) => boolean;

/**
 * Takes every item of a chunk through `visit`, in order, inside the messages that enclose it. A metric, scope or
 * resource that lost items and has none left goes too.
 *
 * @returns how many items were dropped
 */
export function sweep(chunk: Chunk, splices: Splices, visit: Visit): number {
  const { resources, scopes } = chunk.rows;
  const scopeCount = scopes.length / scopeColumn.width;
  let dropped = 0;
  for (let row = 0; row < resources.length; row += resourceColumn.width) {
    const next = row + resourceColumn.width;
    const isLast = next >= resources.length;
    const first = resources[row + resourceColumn.firstItem]!;
    const last = isLast ? chunk.itemCount : resources[next + resourceColumn.firstItem]!;
    if (first === last) continue;
    const lastScope = isLast ? scopeCount : resources[next + resourceColumn.firstScope]!;
    const mark = splices.enter(resources[row]!, resources[row + 1]!);
    let gone = 0;
    for (let scope = resources[row + resourceColumn.firstScope]!; scope < lastScope; scope++) {
      gone += sweepScope(chunk, scope, splices, visit);
    }
    leave(splices, mark, resources[row]!, resources[row + 1]!, gone === last - first);
    dropped += gone;
  }
  return dropped;
}

function sweepScope(chunk: Chunk, scope: number, splices: Splices, visit: Visit): number {
  const { scopes } = chunk.rows;
  const row = scope * scopeColumn.width;
  const next = row + scopeColumn.width;
  const first = scopes[row + scopeColumn.firstItem]!;
  const last = next < scopes.length ? scopes[next + scopeColumn.firstItem]! : chunk.itemCount;
  if (first === last) return 0;
  const mark = splices.enter(scopes[row]!, scopes[row + 1]!);
  const gone =
    chunk.signal === "metrics"
      ? sweepMetrics(chunk, scope, splices, visit)
      : sweepItems(chunk, first, last, splices, visit);
  leave(splices, mark, scopes[row]!, scopes[row + 1]!, gone === last - first);
  return gone;
}

function sweepMetrics(chunk: Chunk, scope: number, splices: Splices, visit: Visit): number {
  const { metrics } = chunk.rows;
  let dropped = 0;
  for (let row = firstMetricOf(chunk, scope); row < metrics.length; row += metricColumn.width) {
    if (metrics[row + metricColumn.scope] !== scope) break;
    const next = row + metricColumn.width;
    const first = metrics[row + metricColumn.firstItem]!;
    const last = next < metrics.length ? metrics[next + metricColumn.firstItem]! : chunk.itemCount;
    if (first === last) continue;
    const dataStart = metrics[row + metricColumn.dataStart]!;
    const dataEnd = metrics[row + metricColumn.dataEnd]!;
    const mark = splices.enter(metrics[row]!, metrics[row + 1]!);
    const inner = splices.enter(dataStart, dataEnd);
    const gone = sweepItems(chunk, first, last, splices, visit);
    splices.leave(inner, dataStart, dataEnd);
    leave(splices, mark, metrics[row]!, metrics[row + 1]!, gone === last - first);
    dropped += gone;
  }
  return dropped;
}

function sweepItems(chunk: Chunk, first: number, last: number, splices: Splices, visit: Visit): number {
  const { items } = chunk.rows;
  const width = itemWidth(chunk.signal);
  let dropped = 0;
  for (let index = first; index < last; index++) {
    if (visit(index)) continue;
    splices.removeField(items[index * width]!, items[index * width + 1]!);
    dropped += 1;
  }
  return dropped;
}

function leave(splices: Splices, mark: number, start: number, end: number, isEmptied: boolean): void {
  if (isEmptied) {
    splices.undo(mark);
    splices.removeField(start, end);
  } else {
    splices.leave(mark, start, end);
  }
}
