import { afterRun, fillGroups, itemColumn, type Rows } from "./rows.ts";
import { afterField, afterVarint, readVarint } from "./wire.ts";

/** Columns of a span's row. Ids: their first byte. Strings and messages: their length. Times: their first byte. */
export const spanColumn = {
  ...itemColumn,
  traceId: 5,
  spanId: 6,
  parentSpanId: 7,
  name: 8,
  kind: 9,
  startTime: 10,
  endTime: 11,
  status: 12,
  width: 13,
} as const;

// Local, because V8 loads a constant that is exported or imported each time.
const column = spanColumn;
const noRows = new Int32Array(0);

/** Finds every span of a chunk of `itemCount` spans and its most read fields. */
export function fillTraces(bytes: Buffer, itemCount: number): Rows {
  const items = new Int32Array(itemCount * column.width);
  let count = 0;
  const { resources, scopes } = fillGroups(
    bytes,
    () => count,
    (start, end, scope) => {
      fillSpan(bytes, start, end, items, count * column.width);
      items[count * column.width + column.scope] = scope;
      count += 1;
    },
  );
  return { resources, scopes, metrics: noRows, items };
}

/**
 * Fills the ids' columns from the fields at `at` when they are as usual: a trace id, a span id, maybe a parent's.
 * Returns the position behind them, `at` itself when they are not.
 */
export function fillIds(bytes: Buffer, at: number, end: number, items: Int32Array, base: number): number {
  if (at + 28 >= end || bytes[at] !== 0x0a || bytes[at + 1] !== 16) return at;
  if (bytes[at + 18] !== 0x12 || bytes[at + 19] !== 8) return at;
  items[base + column.traceId] = at + 2;
  items[base + column.spanId] = at + 20;
  if (at + 38 >= end || bytes[at + 28] !== 0x22 || bytes[at + 29] !== 8) return at + 28;
  items[base + column.parentSpanId] = at + 30;
  return at + 38;
}

/** Fills the row at `base` from the span `[start, end)`. */
export function fillSpan(bytes: Buffer, start: number, end: number, items: Int32Array, base: number): void {
  items[base] = start;
  items[base + 1] = end;
  let at = fillIds(bytes, start, end, items, base);
  while (at < end) {
    switch (bytes[at]) {
      case 0x0a:
        if (bytes[at + 1] !== 0) items[base + column.traceId] = at + 2;
        break;
      case 0x12:
        if (bytes[at + 1] !== 0) items[base + column.spanId] = at + 2;
        break;
      case 0x22:
        if (bytes[at + 1] !== 0) items[base + column.parentSpanId] = at + 2;
        break;
      case 0x2a:
        items[base + column.name] = at + 1;
        break;
      case 0x30:
        items[base + column.kind] = readVarint(bytes, at + 1);
        at = afterVarint(bytes, at + 1);
        continue;
      case 0x39:
        items[base + column.startTime] = at + 1;
        at += 9;
        continue;
      case 0x41:
        items[base + column.endTime] = at + 1;
        at += 9;
        continue;
      case 0x4a:
        items[base + column.attributesFrom] = at;
        at = afterRun(bytes, at, end);
        items[base + column.attributesTo] = at;
        continue;
      case 0x7a:
        items[base + column.status] = at + 1;
        break;
      default:
        break;
    }
    at = afterField(bytes, at);
  }
}
