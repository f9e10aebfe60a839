import { type Attributes, entriesOf, intAt, isValue, numberAt, stringAt, valueAt } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { ResourceView, resourceOf, type Scope, ScopeView, textAt, textOf } from "./group_views.ts";
import { type Id, IdView } from "./id.ts";
import { absent, type Key, locateInRow } from "./keys.ts";
import { difference, readFixed64, readUnixMs } from "./number64.ts";
import { retain } from "./retain.ts";
import { spanColumn } from "./rows_traces.ts";
import { EventView, eventTag, LinkView, linkTag, type SpanEvent, type SpanLink } from "./span_parts.ts";
import type { Text } from "./text.ts";
import type { Value } from "./value.ts";
import { afterField, afterLength, afterVarint, readVarint } from "./wire.ts";

// Local, because V8 loads a constant that is exported or imported each time.
const column = spanColumn;

/** A span, read where it lies. A reused cursor: valid only inside the turn of the loop; `copy()` to keep one. */
export interface Span extends Attributes {
  readonly traceId: Id;
  readonly spanId: Id;
  readonly parentSpanId: Id;
  readonly name: string;
  /** `SpanKind`: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer. */
  readonly kind: number;
  readonly traceState: string;
  /** `StatusCode`: 0 unset, 1 ok, 2 error. */
  readonly statusCode: number;
  readonly statusMessage: string;
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly startUnixNano: bigint;
  readonly endUnixNano: bigint;
  /** End minus start, exact up to 2^53 ns; negative when the span ends before it starts. */
  readonly durationNano: number;
  readonly flags: number;
  readonly resource: Attributes;
  readonly scope: Scope;
  readonly eventCount: number;
  events(): Iterable<SpanEvent>;
  links(): Iterable<SpanLink>;
  /** The span with its resource and scope in bytes of its own. */
  copy(): Span;
  /** Size of the span's message. */
  readonly sizeBytes: number;
}

/** The only implementation of `Span`: its position is the start of a row. */
export class SpanCursor implements Span {
  chunk: Chunk;
  items: Int32Array;
  /** The cell where the span's row begins. */
  row = 0;
  readonly #traceId: IdView;
  readonly #spanId: IdView;
  readonly #parentSpanId: IdView;
  readonly #resource: ResourceView;
  readonly #scope: ScopeView;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
    this.items = chunk.rows.items;
    this.#traceId = new IdView(16, chunk);
    this.#spanId = new IdView(8, chunk);
    this.#parentSpanId = new IdView(8, chunk);
    this.#resource = new ResourceView(chunk);
    this.#scope = new ScopeView(chunk);
  }

  /** Moves to the span of this index in the chunk. */
  moveTo(index: number): this {
    this.row = index * column.width;
    return this;
  }

  get traceId(): Id {
    this.#traceId.at = this.items[this.row + column.traceId]!;
    return this.#traceId;
  }
  get spanId(): Id {
    this.#spanId.at = this.items[this.row + column.spanId]!;
    return this.#spanId;
  }
  get parentSpanId(): Id {
    this.#parentSpanId.at = this.items[this.row + column.parentSpanId]!;
    return this.#parentSpanId;
  }
  get name(): string {
    return textAt(this.chunk, this.items[this.row + column.name]!);
  }
  get kind(): number {
    return this.items[this.row + column.kind]!;
  }
  get traceState(): string {
    return textOf(this.chunk, this.start, this.end, 0x1a);
  }

  get statusCode(): number {
    const lengthAt = this.items[this.row + column.status]!;
    if (lengthAt === 0) return 0;
    const { bytes } = this.chunk;
    const end = afterLength(bytes, lengthAt);
    for (let at = afterVarint(bytes, lengthAt); at < end; at = afterField(bytes, at)) {
      if (bytes[at] === 0x18) return readVarint(bytes, at + 1) | 0;
    }
    return 0;
  }
  get statusMessage(): string {
    const lengthAt = this.items[this.row + column.status]!;
    if (lengthAt === 0) return "";
    const { bytes } = this.chunk;
    return textOf(this.chunk, afterVarint(bytes, lengthAt), afterLength(bytes, lengthAt), 0x12);
  }

  get startUnixMs(): number {
    return readUnixMs(this.chunk.view, this.items[this.row + column.startTime]!);
  }
  get endUnixMs(): number {
    return readUnixMs(this.chunk.view, this.items[this.row + column.endTime]!);
  }
  get startUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.items[this.row + column.startTime]!);
  }
  get endUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.items[this.row + column.endTime]!);
  }
  get durationNano(): number {
    const { items, row } = this;
    return difference(this.chunk.view, items[row + column.startTime]!, items[row + column.endTime]!);
  }
  get flags(): number {
    const { bytes, view } = this.chunk;
    for (let at = this.start; at < this.end; at = afterField(bytes, at)) {
      if (bytes[at] === 0x85 && bytes[at + 1] === 0x01) return view.getUint32(at + 2, true);
    }
    return 0;
  }

  get resource(): Attributes {
    return this.#resource.moveTo(resourceOf(this.chunk, this.items[this.row + column.scope]!));
  }
  get scope(): Scope {
    return this.#scope.moveTo(this.items[this.row + column.scope]!);
  }

  get eventCount(): number {
    const { bytes } = this.chunk;
    let count = 0;
    for (let at = this.start; at < this.end; at = afterField(bytes, at)) if (bytes[at] === eventTag) count += 1;
    return count;
  }
  *events(): Generator<SpanEvent> {
    const { chunk, end } = this;
    const view = new EventView(chunk);
    for (let at = this.start; at < end; at = afterField(chunk.bytes, at)) {
      if (chunk.bytes[at] === eventTag) yield view.moveTo(at);
    }
  }
  *links(): Generator<SpanLink> {
    const { chunk, end } = this;
    const view = new LinkView(chunk);
    for (let at = this.start; at < end; at = afterField(chunk.bytes, at)) {
      if (chunk.bytes[at] === linkTag) yield view.moveTo(at);
    }
  }

  copy(): Span {
    const index = this.row / column.width;
    return new SpanCursor(retain(this.chunk, index, index + 1));
  }
  get sizeBytes(): number {
    return this.end - this.start;
  }

  has(key: Key): boolean {
    return locateInRow(this.chunk, this.items, this.row, key) !== absent;
  }
  is(key: Key, constant: Text): boolean {
    return isValue(this.chunk, locateInRow(this.chunk, this.items, this.row, key), constant);
  }
  string(key: Key): string | undefined {
    return stringAt(this.chunk, locateInRow(this.chunk, this.items, this.row, key));
  }
  number(key: Key): number | undefined {
    return numberAt(this.chunk, locateInRow(this.chunk, this.items, this.row, key));
  }
  int(key: Key): number | bigint | undefined {
    return intAt(this.chunk, locateInRow(this.chunk, this.items, this.row, key));
  }
  value(key: Key): Value | undefined {
    return valueAt(this.chunk, locateInRow(this.chunk, this.items, this.row, key));
  }
  entries(): Iterable<readonly [key: string, value: Value]> {
    return entriesOf(this.chunk, this.attributesFrom, this.attributesTo);
  }

  get start(): number {
    return this.items[this.row + column.start]!;
  }
  get end(): number {
    return this.items[this.row + column.end]!;
  }
  get attributesFrom(): number {
    return this.items[this.row + column.attributesFrom]!;
  }
  get attributesTo(): number {
    return this.items[this.row + column.attributesTo]!;
  }
}
