import { afterRun, fillGroups, itemColumn, RowList, type Rows } from "./rows.ts";
import { afterField, afterLength, afterVarint } from "./wire.ts";

/** Columns of a metric's row. Strings: their length. `dataTag` tells the kind, `dataStart` is its message's payload. */
export const metricColumn = {
  start: 0,
  end: 1,
  name: 2,
  unit: 3,
  dataTag: 4,
  dataStart: 5,
  dataEnd: 6,
  firstItem: 7,
  scope: 8,
  width: 9,
} as const;

/** Columns of a data point's row. `value`: the tag of a number point's value, else 0. */
export const pointColumn = { ...itemColumn, startTime: 5, time: 6, value: 7, metric: 8, width: 9 } as const;

/** The tag of each kind's attributes and of the metric's field that holds it. */
export const dataTag = { gauge: 0x2a, sum: 0x3a, histogram: 0x4a, exponentialHistogram: 0x52, summary: 0x5a } as const;

/** The tag of the attributes in a data point of the kind with this data tag. */
export function attributeTagOf(tag: number): number {
  switch (tag) {
    case dataTag.histogram:
      return 0x4a;
    case dataTag.exponentialHistogram:
      return 0x0a;
    default:
      return 0x3a;
  }
}

/** Finds every metric and every data point of a chunk of `itemCount` data points. */
export function fillMetrics(bytes: Buffer, itemCount: number): Rows {
  const items = new Int32Array(itemCount * pointColumn.width);
  const metrics = new RowList(metricColumn.width, 8);
  let count = 0;
  const { resources, scopes } = fillGroups(
    bytes,
    () => count,
    (start, end, scope) => {
      const metric = metrics.length;
      const row = metrics.add();
      fillMetric(bytes, start, end, metrics, row);
      metrics.set(row + metricColumn.scope, scope);
      metrics.set(row + metricColumn.firstItem, count);
      const data = findData(bytes, start, end);
      if (data === 0) return;
      const tag = bytes[data]!;
      const dataEnd = afterLength(bytes, data + 1);
      for (let at = afterVarint(bytes, data + 1); at < dataEnd; at = afterField(bytes, at)) {
        if (bytes[at] !== 0x0a) continue;
        const base = count * pointColumn.width;
        fillPoint(bytes, afterVarint(bytes, at + 1), afterLength(bytes, at + 1), attributeTagOf(tag), items, base);
        if (tag !== dataTag.gauge && tag !== dataTag.sum) items[base + pointColumn.value] = 0;
        items[base + pointColumn.scope] = scope;
        items[base + pointColumn.metric] = metric;
        count += 1;
      }
    },
  );
  return { resources, scopes, metrics: metrics.take(), items };
}

function fillMetric(bytes: Buffer, start: number, end: number, metrics: RowList, row: number): void {
  metrics.set(row + metricColumn.start, start);
  metrics.set(row + metricColumn.end, end);
  for (let at = start; at < end; at = afterField(bytes, at)) {
    const tag = bytes[at]!;
    if (tag === 0x0a) metrics.set(row + metricColumn.name, at + 1);
    else if (tag === 0x1a) metrics.set(row + metricColumn.unit, at + 1);
    else if (isDataTag(tag)) {
      metrics.set(row + metricColumn.dataTag, tag);
      metrics.set(row + metricColumn.dataStart, afterVarint(bytes, at + 1));
      metrics.set(row + metricColumn.dataEnd, afterLength(bytes, at + 1));
    }
  }
}

function findData(bytes: Buffer, start: number, end: number): number {
  for (let at = start; at < end; at = afterField(bytes, at)) if (isDataTag(bytes[at]!)) return at;
  return 0;
}

function isDataTag(tag: number): boolean {
  return tag === 0x2a || tag === 0x3a || tag === 0x4a || tag === 0x52 || tag === 0x5a;
}

/** Fills the row at `base` from the data point `[start, end)`, whose attributes have the tag `attributeTag`. */
export function fillPoint(
  bytes: Buffer,
  start: number,
  end: number,
  attributeTag: number,
  items: Int32Array,
  base: number,
): void {
  items[base] = start;
  items[base + 1] = end;
  let at = start;
  while (at < end) {
    const tag = bytes[at];
    if (tag === attributeTag) {
      items[base + pointColumn.attributesFrom] = at;
      at = afterRun(bytes, at, end);
      items[base + pointColumn.attributesTo] = at;
      continue;
    }
    if (tag === 0x11) items[base + pointColumn.startTime] = at + 1;
    else if (tag === 0x19) items[base + pointColumn.time] = at + 1;
    else if (tag === 0x21 || tag === 0x31) items[base + pointColumn.value] = at;
    at = afterField(bytes, at);
  }
}
