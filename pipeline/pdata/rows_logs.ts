import { afterRun, fillGroups, itemColumn, type Rows } from "./rows.ts";
import { afterField, readVarint } from "./wire.ts";

/** Columns of a log record's row. Ids and times: their first byte. Strings and the body: their length. */
export const recordColumn = {
  ...itemColumn,
  traceId: 5,
  spanId: 6,
  time: 7,
  observedTime: 8,
  severityNumber: 9,
  severityText: 10,
  body: 11,
  eventName: 12,
  width: 13,
} as const;

const noRows = new Int32Array(0);

/** Finds every log record of a chunk of `itemCount` records and its fields. */
export function fillLogs(bytes: Buffer, itemCount: number): Rows {
  const items = new Int32Array(itemCount * recordColumn.width);
  let count = 0;
  const { resources, scopes } = fillGroups(
    bytes,
    () => count,
    (start, end, scope) => {
      fillRecord(bytes, start, end, items, count * recordColumn.width);
      items[count * recordColumn.width + recordColumn.scope] = scope;
      count += 1;
    },
  );
  return { resources, scopes, metrics: noRows, items };
}

/** Fills the row at `base` from the log record `[start, end)`. */
export function fillRecord(bytes: Buffer, start: number, end: number, items: Int32Array, base: number): void {
  items[base] = start;
  items[base + 1] = end;
  let at = start;
  while (at < end) {
    switch (bytes[at]) {
      case 0x09:
        items[base + recordColumn.time] = at + 1;
        break;
      case 0x10:
        items[base + recordColumn.severityNumber] = readVarint(bytes, at + 1);
        break;
      case 0x1a:
        items[base + recordColumn.severityText] = at + 1;
        break;
      case 0x2a:
        items[base + recordColumn.body] = at + 1;
        break;
      case 0x32:
        items[base + recordColumn.attributesFrom] = at;
        at = afterRun(bytes, at, end);
        items[base + recordColumn.attributesTo] = at;
        continue;
      case 0x4a:
        if (bytes[at + 1] !== 0) items[base + recordColumn.traceId] = at + 2;
        break;
      case 0x52:
        if (bytes[at + 1] !== 0) items[base + recordColumn.spanId] = at + 2;
        break;
      case 0x59:
        items[base + recordColumn.observedTime] = at + 1;
        break;
      case 0x62:
        items[base + recordColumn.eventName] = at + 1;
        break;
      default:
        break;
    }
    at = afterField(bytes, at);
  }
}
