import type { Chunk } from "./chunk.ts";
import { itemWidth } from "./item_width.ts";
import { memoryOf, type Pdata, pdataOf } from "./pdata.ts";
import { retain } from "./retain.ts";
import { itemColumn, resourceColumn, scopeColumn } from "./rows.ts";
import { metricColumn, pointColumn } from "./rows_metrics.ts";
import { varintSize } from "./wire.ts";

export interface SplitLimit {
  /** Most items of a part; at least 1. */
  readonly items?: number;
  /** Most bytes of a part; a single item that is larger makes a part alone. */
  readonly bytes?: number;
}

/** One batch out of many, without copying. @throws {RangeError} for no parts, or more than one batch of profiles */
export function concat<T extends Pdata>(parts: readonly T[]): T {
  const [first] = parts;
  if (first === undefined) throw new RangeError("concat needs at least one batch");
  if (parts.length === 1) return first;
  if (first.signal === "profiles") throw new RangeError("profiles share a dictionary and do not concatenate");
  return pdataOf(
    first.signal,
    parts.flatMap((part) => part.chunks),
  ) as Pdata as T;
}

/**
 * Cuts a batch into parts within the limit, in order; every part repeats the resource and scope of its items. Chunks
 * that fit whole are shared, not copied. The same object alone when it fits; profiles are never cut. Each part is cut
 * when it is asked for: of many parts with a large resource, all at once can be a thousand times the batch.
 */
export function* split<T extends Pdata>(data: T, limit: SplitLimit): Generator<T, void, undefined> {
  if (data.signal === "profiles" || fits(data, limit)) {
    yield data;
    return;
  }
  const cutter = new Cutter<T>();
  cutter.add(data);
  for (let part = cutter.cut(limit); part !== undefined; part = cutter.cut(limit)) yield part;
}

function fits(data: Pdata, { items, bytes }: SplitLimit): boolean {
  const { POSITIVE_INFINITY } = Number;
  return data.itemCount <= (items ?? POSITIVE_INFINITY) && data.sizeBytes <= (bytes ?? POSITIVE_INFINITY);
}

/** Batches of one signal, not profiles, behind each other, of which parts are cut off the front one by one. */
export class Cutter<T extends Pdata> {
  #signal: T["signal"] | undefined;
  #chunks: Chunk[] = [];
  /** The first chunk that is not used up, and the first item of it that is left. */
  #first = 0;
  #from = 0;
  #heads: Heads | undefined;
  #itemCount = 0;
  #memoryBytes = 0;

  /** Items that are left. */
  get itemCount(): number {
    return this.#itemCount;
  }

  /** What is held: a chunk of which anything is left counts whole. */
  get memoryBytes(): number {
    return this.#memoryBytes;
  }

  /**
   * How many of the messages around it the next item shares with the last one that was cut off, and so the next part
   * repeats: 1 is the resource, 2 the scope as well, 3 also the metric.
   */
  get repeatedHeads(): number {
    const chunk = this.#chunks[this.#first];
    if (chunk === undefined || this.#from === 0) return 0;
    const { items, scopes } = chunk.rows;
    const last = (this.#from - 1) * itemWidth(chunk.signal);
    const next = this.#from * itemWidth(chunk.signal);
    const [lastScope, nextScope] = [items[last + itemColumn.scope]!, items[next + itemColumn.scope]!];
    if (lastScope === nextScope) {
      const isMetric = chunk.signal === "metrics";
      return isMetric && items[last + pointColumn.metric] === items[next + pointColumn.metric] ? 3 : 2;
    }
    const resourceOf = (scope: number) => scopes[scope * scopeColumn.width + scopeColumn.resource];
    return resourceOf(lastScope) === resourceOf(nextScope) ? 1 : 0;
  }

  add({ signal, chunks, itemCount, memoryBytes }: T): void {
    this.#signal = signal;
    for (const chunk of chunks) this.#chunks.push(chunk);
    this.#itemCount += itemCount;
    this.#memoryBytes += memoryBytes;
  }

  /** Forgets what is left. */
  clear(): void {
    this.#chunks = [];
    this.#first = 0;
    this.#from = 0;
    this.#heads = undefined;
    this.#itemCount = 0;
    this.#memoryBytes = 0;
  }

  /** The next part within the limit, everything that is left without one; undefined when nothing is left. */
  cut(limit: SplitLimit = {}): T | undefined {
    if (this.#signal === undefined) return undefined;
    const part: Chunk[] = [];
    let room = Math.max(1, Math.floor(limit.items ?? Number.POSITIVE_INFINITY));
    let roomBytes = limit.bytes ?? Number.POSITIVE_INFINITY;
    for (let chunk = this.#chunks[this.#first]; chunk !== undefined && room > 0; chunk = this.#chunks[this.#first]) {
      const piece = this.#piece(chunk, room, roomBytes, part.length === 0);
      if (piece === undefined) break;
      part.push(piece);
      room -= piece.itemCount;
      roomBytes -= piece.bytes.length;
      this.#advance(chunk, piece.itemCount);
    }
    this.#forget();
    return part.length === 0 ? undefined : (pdataOf(this.#signal, part) as Pdata as T);
  }

  /** As much of the chunk as there is room for; if it `isFirst`, an item at least. */
  #piece(chunk: Chunk, room: number, roomBytes: number, isFirst: boolean): Chunk | undefined {
    const from = this.#from;
    if (this.#heads?.chunk !== chunk) this.#heads = new Heads(chunk);
    const to = fill(this.#heads, from, Math.min(room, chunk.itemCount - from), roomBytes);
    if (to === from && chunk.itemCount > from) return isFirst ? retain(chunk, from, from + 1) : undefined;
    const piece = retain(chunk, from, to);
    return isFirst || piece.bytes.length <= roomBytes ? piece : undefined;
  }

  #advance(chunk: Chunk, items: number): void {
    this.#itemCount -= items;
    this.#from += items;
    if (this.#from < chunk.itemCount) return;
    this.#memoryBytes -= memoryOf(chunk);
    this.#first += 1;
    this.#from = 0;
    this.#heads = undefined;
  }

  /** Lets go of the chunks that are used up. */
  #forget(): void {
    this.#chunks.splice(0, this.#first);
    this.#first = 0;
  }
}

/** The end of the longest run of items from `from` that has at most `most` items and surely fits into `bytes`. */
function fill(heads: Heads, from: number, most: number, bytes: number): number {
  const { chunk } = heads;
  if (from === 0 && most === chunk.itemCount && chunk.bytes.length <= bytes) return chunk.itemCount;
  if (bytes === Number.POSITIVE_INFINITY) return from + most;
  const { items, resources } = chunk.rows;
  const width = itemWidth(chunk.signal);
  const resourceCount = resources.length / resourceColumn.width;
  let size = heads.outside();
  let scope = -1;
  let resource = -1;
  let metric = -1;
  for (let index = from; index < from + most; index++) {
    const row = index * width;
    const itsScope = items[row + 4]!;
    if (itsScope !== scope) {
      const itsResource = chunk.rows.scopes[itsScope * scopeColumn.width + scopeColumn.resource]!;
      if (itsResource !== resource) size += heads.resource(itsResource) + emptyBefore(chunk, itsResource, index);
      size += heads.scope(itsScope);
      scope = itsScope;
      resource = itsResource;
    }
    if (chunk.signal === "metrics" && items[row + pointColumn.metric] !== metric) {
      metric = items[row + pointColumn.metric]!;
      size += heads.metric(metric);
    }
    size += fieldSize(items[row]!, items[row + 1]!);
    if (index + 1 === chunk.itemCount) size += emptyBefore(chunk, resourceCount, index + 1);
    if (size > bytes) return index;
  }
  return from + most;
}

/** What the messages around items take by themselves; worked out once a chunk. */
class Heads {
  readonly chunk: Chunk;
  readonly #sizes = new Map<string, number>();

  constructor(chunk: Chunk) {
    this.chunk = chunk;
  }

  outside(): number {
    return this.#size("request", 0, outside);
  }
  resource(index: number): number {
    return this.#size("resource", index, resourceHead);
  }
  scope(index: number): number {
    return this.#size("scope", index, scopeHead);
  }
  metric(index: number): number {
    return this.#size("metric", index, metricHead);
  }

  #size(kind: string, index: number, work: (chunk: Chunk, index: number) => number): number {
    const key = `${kind} ${index}`;
    const known = this.#sizes.get(key);
    if (known !== undefined) return known;
    const size = work(this.chunk, index);
    this.#sizes.set(key, size);
    return size;
  }
}

function fieldSize(start: number, end: number): number {
  return 1 + varintSize(end - start) + end - start;
}

/** Bytes of the request that belong to no resource: unknown fields, which every part keeps. */
function outside(chunk: Chunk): number {
  const { resources } = chunk.rows;
  let size = chunk.bytes.length;
  for (let row = 0; row < resources.length; row += resourceColumn.width) {
    size -= fieldSize(resources[row]!, resources[row + 1]!);
  }
  return size;
}

/** Bytes of the resources without items that lie before this one and go with the item `index`. */
function emptyBefore(chunk: Chunk, resource: number, index: number): number {
  const { resources } = chunk.rows;
  let size = 0;
  for (let row = (resource - 1) * resourceColumn.width; row >= 0; row -= resourceColumn.width) {
    const next = row + resourceColumn.width;
    const last = next < resources.length ? resources[next + resourceColumn.firstItem]! : chunk.itemCount;
    if (resources[row + resourceColumn.firstItem] !== index || last !== index) break;
    size += fieldSize(resources[row]!, resources[row + 1]!);
  }
  return size;
}

/** What a resource takes without the scopes that have items. */
function resourceHead(chunk: Chunk, resource: number): number {
  const { resources, scopes } = chunk.rows;
  const row = resource * resourceColumn.width;
  let size = fieldSize(resources[row]!, resources[row + 1]!);
  for (let scope = resources[row + resourceColumn.firstScope]!; scope * scopeColumn.width < scopes.length; scope++) {
    const cell = scope * scopeColumn.width;
    if (scopes[cell + scopeColumn.resource] !== resource) break;
    if (scopeItems(chunk, scope) > 0) size -= fieldSize(scopes[cell]!, scopes[cell + 1]!);
  }
  return size;
}

function scopeItems(chunk: Chunk, scope: number): number {
  const { scopes } = chunk.rows;
  const next = (scope + 1) * scopeColumn.width + scopeColumn.firstItem;
  const last = next < scopes.length ? scopes[next]! : chunk.itemCount;
  return last - scopes[scope * scopeColumn.width + scopeColumn.firstItem]!;
}

/** What a scope takes without the spans, records or metrics that have items. */
function scopeHead(chunk: Chunk, scope: number): number {
  const { scopes, items, metrics } = chunk.rows;
  const row = scope * scopeColumn.width;
  const first = scopes[row + scopeColumn.firstItem]!;
  const last = first + scopeItems(chunk, scope);
  let size = fieldSize(scopes[row]!, scopes[row + 1]!);
  const width = itemWidth(chunk.signal);
  let metric = -1;
  for (let index = first; index < last; index++) {
    if (chunk.signal !== "metrics") size -= fieldSize(items[index * width]!, items[index * width + 1]!);
    else if (items[index * width + pointColumn.metric] !== metric) {
      metric = items[index * width + pointColumn.metric]!;
      size -= fieldSize(metrics[metric * metricColumn.width]!, metrics[metric * metricColumn.width + 1]!);
    }
  }
  return size;
}

function metricHead(chunk: Chunk, metric: number): number {
  const { metrics, items } = chunk.rows;
  const row = metric * metricColumn.width;
  const next = row + metricColumn.width + metricColumn.firstItem;
  const last = next < metrics.length ? metrics[next]! : chunk.itemCount;
  let size = fieldSize(metrics[row]!, metrics[row + 1]!);
  for (let index = metrics[row + metricColumn.firstItem]!; index < last; index++) {
    size -= fieldSize(items[index * pointColumn.width]!, items[index * pointColumn.width + 1]!);
  }
  return size;
}
