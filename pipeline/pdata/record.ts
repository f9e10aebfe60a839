import { type Attributes, entriesOf, intAt, isValue, numberAt, stringAt, valueAt } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { ResourceView, resourceOf, type Scope, ScopeView, textAt } from "./group_views.ts";
import { type Id, IdView } from "./id.ts";
import { absent, type Key, locateInRow } from "./keys.ts";
import { readFixed64, readUnixMs } from "./number64.ts";
import { retain } from "./retain.ts";
import { findField } from "./rows.ts";
import { recordColumn } from "./rows_logs.ts";
import type { Text } from "./text.ts";
import { readValue, type Value } from "./value.ts";

// Local, because V8 loads a constant that is exported or imported each time.
const column = recordColumn;

/** A log record, read where it lies. A reused cursor: valid only inside the turn of the loop; `copy()` to keep one. */
export interface LogRecord extends Attributes {
  readonly traceId: Id;
  readonly spanId: Id;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly timeUnixNano: bigint;
  readonly timeUnixMs: number;
  readonly observedTimeUnixNano: bigint;
  readonly eventName: string;
  readonly body: Value;
  readonly flags: number;
  readonly resource: Attributes;
  readonly scope: Scope;
  /** The record with its resource and scope in bytes of its own. */
  copy(): LogRecord;
  /** Size of the record's message. */
  readonly sizeBytes: number;
}

/** The only implementation of `LogRecord`: its position is the start of a row. */
export class RecordCursor implements LogRecord {
  chunk: Chunk;
  items: Int32Array;
  /** The cell where the record's row begins. */
  row = 0;
  readonly #traceId: IdView;
  readonly #spanId: IdView;
  readonly #resource: ResourceView;
  readonly #scope: ScopeView;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
    this.items = chunk.rows.items;
    this.#traceId = new IdView(16, chunk);
    this.#spanId = new IdView(8, chunk);
    this.#resource = new ResourceView(chunk);
    this.#scope = new ScopeView(chunk);
  }

  /** Moves to the record of this index in the chunk. */
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
  get severityNumber(): number {
    return this.items[this.row + column.severityNumber]!;
  }
  get severityText(): string {
    return textAt(this.chunk, this.items[this.row + column.severityText]!);
  }
  get timeUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.items[this.row + column.time]!);
  }
  get timeUnixMs(): number {
    return readUnixMs(this.chunk.view, this.items[this.row + column.time]!);
  }
  get observedTimeUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.items[this.row + column.observedTime]!);
  }
  get eventName(): string {
    return textAt(this.chunk, this.items[this.row + column.eventName]!);
  }
  get body(): Value {
    const lengthAt = this.items[this.row + column.body]!;
    return lengthAt === 0 ? null : readValue(this.chunk.bytes, this.chunk.view, lengthAt);
  }
  get flags(): number {
    const at = findField(this.chunk.bytes, this.start, this.end, 0x45);
    return at === 0 ? 0 : this.chunk.view.getUint32(at + 1, true);
  }

  get resource(): Attributes {
    return this.#resource.moveTo(resourceOf(this.chunk, this.items[this.row + column.scope]!));
  }
  get scope(): Scope {
    return this.#scope.moveTo(this.items[this.row + column.scope]!);
  }

  copy(): LogRecord {
    const index = this.row / column.width;
    return new RecordCursor(retain(this.chunk, index, index + 1));
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
