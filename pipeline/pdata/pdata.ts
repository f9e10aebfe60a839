import type { Attributes } from "./attributes.ts";
import { Chunk, type EncodedBody } from "./chunk.ts";
import { resourcesOf } from "./group_views.ts";
import { itemWidth } from "./item_width.ts";
import { ItemIterator } from "./iterate.ts";
import { type DataPoint, PointCursor } from "./point.ts";
import { type LogRecord, RecordCursor } from "./record.ts";
import { metricColumn } from "./rows_metrics.ts";
import type { Signal } from "./signal.ts";
import { type Span, SpanCursor } from "./span.ts";

/**
 * A batch of one signal: an immutable list of OTLP wire chunks, each a serialized `Export…ServiceRequest` that the
 * validating walk has passed. Sharing it costs nothing; whoever keeps it keeps the requests it came in.
 */
export interface Pdata {
  readonly signal: Signal;
  /** Spans, log records, data points or profile samples. */
  readonly itemCount: number;
  readonly sizeBytes: number;
  /** About what it takes in memory, which for tiny items is many times its bytes. The byte budget counts this. */
  readonly memoryBytes: number;
  readonly chunks: readonly Chunk[];
  /** The compressed form of `toBuffer()` in which it came; only of one received request that nobody has changed. */
  readonly encoded: EncodedBody | undefined;
  /** One contiguous request; the chunk's own buffer when there is only one, so do not write into it. */
  toBuffer(): Buffer;
}

/** What a chunk takes besides its bytes and its rows: its objects, measured on Node 24. */
const chunkOverheadBytes = 2048;

const rowCellBytes = Int32Array.BYTES_PER_ELEMENT;

/** A chunk's share of `memoryBytes`. */
export function memoryOf({ bytes, signal, itemCount, encoded }: Chunk): number {
  return (
    bytes.length + (encoded?.bytes.length ?? 0) + chunkOverheadBytes + itemCount * itemWidth(signal) * rowCellBytes
  );
}

abstract class Batch implements Pdata {
  abstract readonly signal: Signal;
  readonly chunks: readonly Chunk[];
  readonly itemCount: number;
  readonly sizeBytes: number;
  readonly memoryBytes: number;

  constructor(chunks: readonly Chunk[]) {
    this.chunks = chunks;
    let itemCount = 0;
    let sizeBytes = 0;
    let memoryBytes = 0;
    for (const chunk of chunks) {
      itemCount += chunk.itemCount;
      sizeBytes += chunk.bytes.length;
      memoryBytes += memoryOf(chunk);
    }
    this.itemCount = itemCount;
    this.sizeBytes = sizeBytes;
    this.memoryBytes = memoryBytes;
  }

  get encoded(): EncodedBody | undefined {
    return this.chunks.length === 1 ? this.chunks[0]?.encoded : undefined;
  }

  toBuffer(): Buffer {
    const [first] = this.chunks;
    if (first !== undefined && this.chunks.length === 1) return first.bytes;
    return Buffer.concat(
      this.chunks.map(({ bytes }) => bytes),
      this.sizeBytes,
    );
  }
}

/** Spans. */
export class Traces extends Batch {
  readonly signal = "traces";

  spans(): Iterable<Span> {
    return { [Symbol.iterator]: () => new ItemIterator<Span>(this.chunks, openSpans) };
  }
  /** Every resource, with or without spans, by one reused cursor. */
  resources(): Iterable<Attributes> {
    return resourcesOf(this.chunks);
  }
}

/** Data points. */
export class Metrics extends Batch {
  readonly signal = "metrics";

  /** Metrics, with or without data points; nothing is decoded. */
  get metricCount(): number {
    return this.chunks.reduce((count, { rows }) => count + rows.metrics.length / metricColumn.width, 0);
  }
  points(): Iterable<DataPoint> {
    return { [Symbol.iterator]: () => new ItemIterator<DataPoint>(this.chunks, openPoints) };
  }
  /** Every resource, with or without data points, by one reused cursor. */
  resources(): Iterable<Attributes> {
    return resourcesOf(this.chunks);
  }
}

/** Log records. */
export class Logs extends Batch {
  readonly signal = "logs";

  records(): Iterable<LogRecord> {
    return { [Symbol.iterator]: () => new ItemIterator<LogRecord>(this.chunks, openRecords) };
  }
  /** Every resource, with or without log records, by one reused cursor. */
  resources(): Iterable<Attributes> {
    return resourcesOf(this.chunks);
  }
}

/** Profiles, passed through request by request: they share a dictionary and so do not concatenate. */
export class Profiles extends Batch {
  readonly signal = "profiles";
}

const openSpans = (chunk: Chunk) => new SpanCursor(chunk);
const openPoints = (chunk: Chunk) => new PointCursor(chunk);
const openRecords = (chunk: Chunk) => new RecordCursor(chunk);

/** The batch type of a signal. */
export interface PdataOf {
  readonly traces: Traces;
  readonly metrics: Metrics;
  readonly logs: Logs;
  readonly profiles: Profiles;
}

/**
 * Gives the memory of a batch that an edit, a filter or a split made back for the next one; that of a received body
 * belongs to its receiver and is left alone. Only for whoever knows that nobody reads the batch any more, nor another
 * batch that shares its chunks. Optional: what is not released is collected.
 */
export function release(data: Pdata): void {
  for (const chunk of data.chunks) chunk.release();
}

/** The same batch, knowing that its one request came as `encoded`; as it is where the bytes had to be rewritten. */
export function withEncoded<T extends Pdata>(data: T, encoded: EncodedBody): T {
  const [chunk] = data.chunks;
  if (chunk === undefined || data.chunks.length > 1 || chunk.isRewritten) return data;
  const { signal, bytes, itemCount, foundRows } = chunk;
  const options = { encoded, ...(foundRows !== undefined && { rows: foundRows }) };
  return make(signal, [new Chunk(signal, bytes, itemCount, options)]) as T;
}

/** A batch of a signal from chunks of that signal; empty chunks are left out. */
export function pdataOf<S extends Signal>(signal: S, chunks: readonly Chunk[]): PdataOf[S] {
  const filled = chunks.every(({ bytes }) => bytes.length > 0)
    ? chunks
    : chunks.filter(({ bytes }) => bytes.length > 0);
  return make(signal, filled) as PdataOf[S];
}

function make(signal: Signal, chunks: readonly Chunk[]): Pdata {
  switch (signal) {
    case "traces":
      return new Traces(chunks);
    case "metrics":
      return new Metrics(chunks);
    case "logs":
      return new Logs(chunks);
    case "profiles":
      return new Profiles(chunks);
  }
}
