import { type Attributes, entriesOf, intAt, isValue, numberAt, stringAt, valueAt } from "./attributes.ts";
import type { Chunk } from "./chunk.ts";
import { ResourceView, resourceOf, type Scope, ScopeView, textAt } from "./group_views.ts";
import { absent, type Key, locateInRow } from "./keys.ts";
import { readFixed64 } from "./number64.ts";
import { retain } from "./retain.ts";
import { dataTag, metricColumn, pointColumn } from "./rows_metrics.ts";
import type { Text } from "./text.ts";
import { readSigned64, type Value } from "./value.ts";

// Local, because V8 loads a constant that is exported or imported each time.
const column = pointColumn;

export type MetricType = "gauge" | "sum" | "histogram" | "exponential_histogram" | "summary";

/** A data point with its metric, read where it lies. A reused cursor: valid only inside the turn of the loop. */
export interface DataPoint extends Attributes {
  readonly metricName: string;
  readonly metricUnit: string;
  readonly metricType: MetricType;
  readonly startUnixNano: bigint;
  readonly timeUnixNano: bigint;
  /** The value of a gauge's or sum's point; undefined for the other kinds and for a point without one. */
  readonly numberValue: number | bigint | undefined;
  readonly resource: Attributes;
  readonly scope: Scope;
  /** The point with its metric, resource and scope in bytes of its own. */
  copy(): DataPoint;
  /** Size of the point's message. */
  readonly sizeBytes: number;
}

const typeOfData: Readonly<Record<number, MetricType>> = {
  [dataTag.gauge]: "gauge",
  [dataTag.sum]: "sum",
  [dataTag.histogram]: "histogram",
  [dataTag.exponentialHistogram]: "exponential_histogram",
  [dataTag.summary]: "summary",
};

/** The only implementation of `DataPoint`: its position is the start of a row. */
export class PointCursor implements DataPoint {
  chunk: Chunk;
  items: Int32Array;
  /** The cell where the point's row begins. */
  row = 0;
  readonly #resource: ResourceView;
  readonly #scope: ScopeView;

  constructor(chunk: Chunk) {
    this.chunk = chunk;
    this.items = chunk.rows.items;
    this.#resource = new ResourceView(chunk);
    this.#scope = new ScopeView(chunk);
  }

  /** Moves to the data point of this index in the chunk. */
  moveTo(index: number): this {
    this.row = index * column.width;
    return this;
  }

  get metricName(): string {
    return textAt(this.chunk, this.#metric(metricColumn.name));
  }
  get metricUnit(): string {
    return textAt(this.chunk, this.#metric(metricColumn.unit));
  }
  get metricType(): MetricType {
    return typeOfData[this.dataTag] ?? "gauge";
  }
  /** The tag of the field that holds the metric's data points. */
  get dataTag(): number {
    return this.#metric(metricColumn.dataTag);
  }
  get startUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.items[this.row + column.startTime]!);
  }
  get timeUnixNano(): bigint {
    return readFixed64(this.chunk.view, this.items[this.row + column.time]!);
  }
  get numberValue(): number | bigint | undefined {
    const at = this.items[this.row + column.value]!;
    if (at === 0) return undefined;
    const { bytes, view } = this.chunk;
    return bytes[at] === 0x21 ? view.getFloat64(at + 1, true) : readSigned64(view, at + 1);
  }

  get resource(): Attributes {
    return this.#resource.moveTo(resourceOf(this.chunk, this.items[this.row + column.scope]!));
  }
  get scope(): Scope {
    return this.#scope.moveTo(this.items[this.row + column.scope]!);
  }

  copy(): DataPoint {
    const index = this.row / column.width;
    return new PointCursor(retain(this.chunk, index, index + 1));
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

  #metric(cell: number): number {
    const metric = this.items[this.row + column.metric]!;
    return this.chunk.rows.metrics[metric * metricColumn.width + cell]!;
  }
}
