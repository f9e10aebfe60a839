import { Chunk } from "./chunk.ts";
import { type Logs, type Metrics, type Pdata, pdataOf, type Traces } from "./pdata.ts";
import { type DataPoint, PointCursor } from "./point.ts";
import { type LogRecord, RecordCursor } from "./record.ts";
import { type Span, SpanCursor } from "./span.ts";
import { type Splices, withSplices } from "./splices.ts";
import { sweep } from "./sweep.ts";

/**
 * The spans for which `keep` is true. Scopes and resources that lost spans and have none left go too; when all stay,
 * the same object.
 */
export function filterSpans(data: Traces, keep: (span: Span) => boolean): Traces {
  return rewrite(data, (chunk, splices) => {
    const cursor = new SpanCursor(chunk);
    return sweep(chunk, splices, (index) => keep(cursor.moveTo(index)));
  });
}

/** The log records for which `keep` is true; see `filterSpans`. */
export function filterRecords(data: Logs, keep: (record: LogRecord) => boolean): Logs {
  return rewrite(data, (chunk, splices) => {
    const cursor = new RecordCursor(chunk);
    return sweep(chunk, splices, (index) => keep(cursor.moveTo(index)));
  });
}

/** The data points for which `keep` is true; a metric that lost points and has none left goes too. */
export function filterPoints(data: Metrics, keep: (point: DataPoint) => boolean): Metrics {
  return rewrite(data, (chunk, splices) => {
    const cursor = new PointCursor(chunk);
    return sweep(chunk, splices, (index) => keep(cursor.moveTo(index)));
  });
}

/**
 * Lets `gather` collect the changes of each chunk as splices and returns the batch with them made, or the same object
 * when there are none. `gather` returns how many items it drops.
 */
export function rewrite<T extends Pdata>(data: T, gather: (chunk: Chunk, splices: Splices) => number): T {
  let isChanged = false;
  const chunks: Chunk[] = [];
  for (const chunk of data.chunks) {
    const changed = withSplices((splices) => {
      const dropped = gather(chunk, splices);
      if (splices.count === 0) return chunk;
      return new Chunk(chunk.signal, splices.apply(chunk), chunk.itemCount - dropped, { isOwn: true });
    });
    isChanged ||= changed !== chunk;
    chunks.push(changed);
  }
  return isChanged ? (pdataOf(data.signal, chunks) as Pdata as T) : data;
}
