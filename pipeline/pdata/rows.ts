import { afterField, afterLength, afterVarint } from "./wire.ts";

/**
 * Where everything lies in a chunk, as offsets: columns of fixed-size rows in three flat arrays. An offset of 0 means
 * "absent" (a request begins with a tag, so nothing else can lie there). Resources, scopes and items are in wire
 * order, so the scopes of a resource and the items of a scope are ranges.
 */
export interface Rows {
  readonly resources: Int32Array;
  readonly scopes: Int32Array;
  /** Metrics only; a data point's row names its metric. */
  readonly metrics: Int32Array;
  readonly items: Int32Array;
}

/** Columns of a resource row (`ResourceSpans` and its like). `messageStart`: the payload of the `Resource` inside. */
export const resourceColumn = {
  start: 0,
  end: 1,
  messageStart: 2,
  messageEnd: 3,
  attributesFrom: 4,
  attributesTo: 5,
  firstScope: 6,
  firstItem: 7,
  width: 8,
} as const;

/** Columns of a scope row (`ScopeSpans` and its like). `messageStart`: the payload of the scope inside. */
export const scopeColumn = {
  start: 0,
  end: 1,
  messageStart: 2,
  messageEnd: 3,
  attributesFrom: 4,
  attributesTo: 5,
  resource: 6,
  firstItem: 7,
  /** Not 0 when other fields lie between the items (or metrics). */
  isScattered: 8,
  width: 9,
} as const;

/** Columns that rows of items of every signal share. */
export const itemColumn = { start: 0, end: 1, attributesFrom: 2, attributesTo: 3, scope: 4 } as const;

/** A growing list of rows of integers. */
export class RowList {
  #cells: Int32Array;
  readonly #width: number;
  length = 0;

  constructor(width: number, expected: number) {
    this.#width = width;
    this.#cells = new Int32Array(width * Math.max(expected, 1));
  }

  /** Adds a row of zeros and returns its index in cells. */
  add(): number {
    const base = this.length * this.#width;
    if (base + this.#width > this.#cells.length) {
      const grown = new Int32Array(this.#cells.length * 2);
      grown.set(this.#cells);
      this.#cells = grown;
    }
    this.length += 1;
    return base;
  }

  set(cell: number, value: number): void {
    this.#cells[cell] = value;
  }

  /** The rows added so far. */
  take(): Int32Array {
    return this.#cells.subarray(0, this.length * this.#width);
  }
}

/** Fills the items of a scope list from `[start, end)`, where `scope` is the scope's row number. */
export type FillItem = (start: number, end: number, scope: number) => void;

/** Walks the resources and scopes of any signal, hands each item to `fillItem` and returns the two lists of rows. */
export function fillGroups(
  bytes: Buffer,
  itemsSoFar: () => number,
  fillItem: FillItem,
): { resources: Int32Array; scopes: Int32Array } {
  const resources = new RowList(resourceColumn.width, 1);
  const scopes = new RowList(scopeColumn.width, 1);
  for (let at = 0; at < bytes.length; at = afterField(bytes, at)) {
    if (bytes[at] !== 0x0a) continue;
    const end = afterLength(bytes, at + 1);
    const start = afterVarint(bytes, at + 1);
    const row = resources.add();
    resources.set(row + resourceColumn.firstScope, scopes.length);
    resources.set(row + resourceColumn.firstItem, itemsSoFar());
    for (let inner = start; inner < end; inner = afterField(bytes, inner)) {
      if (bytes[inner] === 0x0a) fillMessage(bytes, inner, 0x0a, resources, row);
      else if (bytes[inner] === 0x12) fillScope(bytes, inner, scopes, resources.length - 1, itemsSoFar, fillItem);
    }
    resources.set(row + resourceColumn.start, start);
    resources.set(row + resourceColumn.end, end);
  }
  return { resources: resources.take(), scopes: scopes.take() };
}

function fillScope(
  bytes: Buffer,
  at: number,
  scopes: RowList,
  resource: number,
  itemsSoFar: () => number,
  fillItem: FillItem,
): void {
  const end = afterLength(bytes, at + 1);
  const start = afterVarint(bytes, at + 1);
  const index = scopes.length;
  const row = scopes.add();
  scopes.set(row + scopeColumn.start, start);
  scopes.set(row + scopeColumn.end, end);
  scopes.set(row + scopeColumn.resource, resource);
  scopes.set(row + scopeColumn.firstItem, itemsSoFar());
  let itemsEnd = 0;
  for (let inner = start; inner < end; inner = afterField(bytes, inner)) {
    if (bytes[inner] === 0x0a) fillMessage(bytes, inner, 0x1a, scopes, row);
    else if (bytes[inner] === 0x12) {
      if (itemsEnd !== 0 && itemsEnd !== inner) scopes.set(row + scopeColumn.isScattered, 1);
      itemsEnd = afterLength(bytes, inner + 1);
      fillItem(afterVarint(bytes, inner + 1), itemsEnd, index);
    }
  }
}

/** Fills the columns of the `Resource` or scope message whose tag stands at `at`; `attributeTag` is its attributes'. */
function fillMessage(bytes: Buffer, at: number, attributeTag: number, rows: RowList, row: number): void {
  const end = afterLength(bytes, at + 1);
  const start = afterVarint(bytes, at + 1);
  rows.set(row + resourceColumn.messageStart, start);
  rows.set(row + resourceColumn.messageEnd, end);
  const from = findField(bytes, start, end, attributeTag);
  if (from === 0) return;
  rows.set(row + resourceColumn.attributesFrom, from);
  rows.set(row + resourceColumn.attributesTo, afterRun(bytes, from, end));
}

/** Position of the first field with this one-byte tag, or 0. */
export function findField(bytes: Buffer, start: number, end: number, tag: number): number {
  for (let at = start; at < end; at = afterField(bytes, at)) if (bytes[at] === tag) return at;
  return 0;
}

/** Position behind the run of length-delimited fields that have the tag standing at `from`. */
export function afterRun(bytes: Buffer, from: number, end: number): number {
  const tag = bytes[from];
  let at = from;
  while (at < end && bytes[at] === tag) at = afterLength(bytes, at + 1);
  return at;
}
