import { requests } from "./messages.ts";
import { afterRun, findField, RowList, type Rows, resourceColumn, scopeColumn } from "./rows.ts";
import { fillIds, spanColumn } from "./rows_traces.ts";
import { keyValueEnd } from "./walk_attributes.ts";
import {
  allowance,
  anyNumber,
  payloadEnd,
  payloadStart,
  refused,
  stringEnd,
  unknownEnd,
  varintEnd,
} from "./walk_bytes.ts";
import { idEnd, messageEnd, type Plan, planOf } from "./walk_table.ts";
import { readVarint } from "./wire.ts";

// Local, because V8 loads a constant that is exported or imported each time.
const nowhere = refused;
const left = allowance;
const column = spanColumn;
const resourceCell = resourceColumn;
const scopeCell = scopeColumn;

const resourceSpansPlan = childOf(planOf(requests.traces), 0x0a);
const scopeSpansPlan = childOf(resourceSpansPlan, 0x12);
const resourcePlan = childOf(resourceSpansPlan, 0x0a);
const scopePlan = childOf(scopeSpansPlan, 0x0a);
const spanPlan = childOf(scopeSpansPlan, 0x12);
const eventPlan = childOf(spanPlan, 0x5a);
const linkPlan = childOf(spanPlan, 0x6a);
const statusPlan = childOf(spanPlan, 0x7a);
const noRows = new Int32Array(0);

function childOf(plan: Plan, tag: number): Plan {
  const child = plan.children[tag];
  if (child === undefined) throw new TypeError(`no message has the tag ${tag}`);
  return child;
}

/** Rows of spans while their number is not known; reused from request to request, copied to size at the end. */
let scratch = new Int32Array(1024 * column.width);
let count = 0;
const mostScratch = 1 << 20;
/** What a span, scope or resource counts besides its fields: about the time of so many empty attributes. */
const rowElements = 4;

/**
 * The fast validating walk of a traces request, which fills the rows on its way.
 *
 * @param most how many elements it walks before it gives up
 * @returns undefined when it gave up or the walk of `check.ts` has to look at the bytes
 */
export function walkTraces(bytes: Buffer, view: DataView, most = anyNumber): Rows | undefined {
  const resources = new RowList(resourceCell.width, 1);
  const scopes = new RowList(scopeCell.width, 1);
  count = 0;
  left.elements = most;
  const size = bytes.length;
  let at = 0;
  while (at < size) {
    left.elements -= rowElements;
    at =
      bytes[at] === 0x0a ? resourceSpansEnd(bytes, view, at + 1, size, resources, scopes) : unknownEnd(bytes, at, size);
    if (at === nowhere || left.elements < 0) return undefined;
  }
  const items = scratch.slice(0, count * column.width);
  if (scratch.length > mostScratch) scratch = new Int32Array(1024 * column.width);
  return { resources: resources.take(), scopes: scopes.take(), metrics: noRows, items };
}

function resourceSpansEnd(
  bytes: Buffer,
  view: DataView,
  lengthAt: number,
  end: number,
  resources: RowList,
  scopes: RowList,
): number {
  const to = payloadEnd(bytes, lengthAt, end);
  if (to === nowhere) return nowhere;
  let at = payloadStart(bytes, lengthAt);
  const row = resources.add();
  resources.set(row + resourceCell.start, at);
  resources.set(row + resourceCell.end, to);
  resources.set(row + resourceCell.firstScope, scopes.length);
  resources.set(row + resourceCell.firstItem, count);
  const index = resources.length - 1;
  let seen = 0;
  while (at < to) {
    left.elements -= rowElements;
    const tag = bytes[at]!;
    const start = at;
    if (tag === 0x12) at = scopeSpansEnd(bytes, view, at + 1, to, scopes, index);
    else if (tag === 0x0a) at = groupEnd(bytes, view, at, to, resourcePlan, 0x0a, resources, row);
    else if (tag === 0x1a) at = stringEnd(bytes, view, at + 1, to);
    else at = otherEnd(bytes, at, to);
    if (at === nowhere || left.elements < 0) return nowhere;
    if (tag === 0x12) continue;
    const bit = tag === 0x0a || tag === 0x1a ? tag : 0;
    if (bit !== 0 && (seen & (1 << (bit >>> 3))) !== 0) return nowhere;
    seen |= bit === 0 ? 0 : 1 << (bytes[start]! >>> 3);
  }
  return to;
}

/** Position behind an unknown field; the deprecated lists of field 1000 are refused. */
function otherEnd(bytes: Buffer, at: number, to: number): number {
  return bytes[at] === 0xc2 && at + 1 < to && bytes[at + 1] === 0x3e ? nowhere : unknownEnd(bytes, at, to);
}

/** Walks the resource or scope message whose tag stands at `at`, and fills its columns. */
function groupEnd(
  bytes: Buffer,
  view: DataView,
  at: number,
  end: number,
  plan: Plan,
  attributeTag: number,
  rows: RowList,
  row: number,
): number {
  const to = payloadEnd(bytes, at + 1, end);
  if (to === nowhere) return nowhere;
  const start = payloadStart(bytes, at + 1);
  if (messageEnd(bytes, view, start, to, plan, 3) === nowhere) return nowhere;
  rows.set(row + resourceCell.messageStart, start);
  rows.set(row + resourceCell.messageEnd, to);
  const from = findField(bytes, start, to, attributeTag);
  if (from !== 0) {
    rows.set(row + resourceCell.attributesFrom, from);
    rows.set(row + resourceCell.attributesTo, afterRun(bytes, from, to));
  }
  return to;
}

function scopeSpansEnd(
  bytes: Buffer,
  view: DataView,
  lengthAt: number,
  end: number,
  scopes: RowList,
  resource: number,
): number {
  const to = payloadEnd(bytes, lengthAt, end);
  if (to === nowhere) return nowhere;
  let at = payloadStart(bytes, lengthAt);
  const index = scopes.length;
  const row = scopes.add();
  scopes.set(row + scopeCell.start, at);
  scopes.set(row + scopeCell.end, to);
  scopes.set(row + scopeCell.resource, resource);
  scopes.set(row + scopeCell.firstItem, count);
  let seen = 0;
  let itemsEnd = 0;
  while (at < to) {
    const tag = bytes[at]!;
    if (tag === 0x12) {
      if (itemsEnd !== 0 && itemsEnd !== at) scopes.set(row + scopeCell.isScattered, 1);
      const spanEnd = payloadEnd(bytes, at + 1, to);
      if (spanEnd === nowhere) return nowhere;
      if ((count + 1) * column.width > scratch.length) grow();
      const base = count * column.width;
      for (let cell = base; cell < base + column.width; cell++) scratch[cell] = 0;
      scratch[base + column.scope] = index;
      count += 1;
      if (walkSpan(bytes, view, payloadStart(bytes, at + 1), spanEnd, scratch, base) === nowhere) return nowhere;
      left.elements -= rowElements;
      if (left.elements < 0) return nowhere;
      at = spanEnd;
      itemsEnd = at;
      continue;
    }
    left.elements -= 1;
    const bit = tag === 0x0a ? 1 : tag === 0x1a ? 2 : 0;
    if ((seen & bit) !== 0 || left.elements < 0) return nowhere;
    seen |= bit;
    if (tag === 0x0a) at = groupEnd(bytes, view, at, to, scopePlan, 0x1a, scopes, row);
    else if (tag === 0x1a) at = stringEnd(bytes, view, at + 1, to);
    else at = unknownEnd(bytes, at, to);
    if (at === nowhere) return nowhere;
  }
  return to;
}

/** Makes room for twice as many spans. */
function grow(): void {
  const grown = new Int32Array(scratch.length * 2);
  grown.set(scratch);
  scratch = grown;
}

/** Walks the span `[from, to)` and fills its row of zeros at `base`; returns `to` or `refused`. */
function walkSpan(bytes: Buffer, view: DataView, from: number, to: number, rows: Int32Array, base: number): number {
  rows[base + column.start] = from;
  rows[base + column.end] = to;
  // The usual beginning: ids, name, kind, times, in the order of their numbers.
  let at = fillIds(bytes, from, to, rows, base);
  let seen = at === from ? 0 : (1 << 1) | (1 << 2);
  if (rows[base + column.parentSpanId] !== 0) seen |= 1 << 4;
  if (at < to && bytes[at] === 0x2a) {
    rows[base + column.name] = at + 1;
    seen |= 1 << 5;
    at = stringEnd(bytes, view, at + 1, to);
    if (at === nowhere) return nowhere;
  }
  if (at + 20 < to && bytes[at] === 0x30 && bytes[at + 1]! < 128) {
    rows[base + column.kind] = bytes[at + 1]!;
    seen |= 1 << 6;
    at += 2;
  }
  if (at + 18 < to && bytes[at] === 0x39 && bytes[at + 9] === 0x41) {
    rows[base + column.startTime] = at + 1;
    rows[base + column.endTime] = at + 10;
    seen |= (1 << 7) | (1 << 8);
    at += 18;
  }
  if (at < to && bytes[at] === 0x4a) {
    rows[base + column.attributesFrom] = at;
    const most = left.elements;
    let elements = 0;
    do {
      elements += 1;
      at = keyValueEnd(bytes, view, at + 1, to, 4);
      if (at === nowhere || elements > most) return nowhere;
    } while (at < to && bytes[at] === 0x4a);
    rows[base + column.attributesTo] = at;
    left.elements -= elements;
  }
  return at === to ? to : walkSpanRest(bytes, view, at, to, rows, base, seen);
}

/** Walks the fields of a span from `from` on, in any order; `seen` has the bits of the singular ones before. */
function walkSpanRest(
  bytes: Buffer,
  view: DataView,
  from: number,
  to: number,
  rows: Int32Array,
  base: number,
  before: number,
): number {
  let seen = before;
  let attributesEnd = rows[base + column.attributesTo]!;
  const most = left.elements;
  let elements = 0;
  let at = from;
  while (at < to) {
    elements += 1;
    if (elements > most) return nowhere;
    const tag = bytes[at]!;
    if (tag === 0x4a) {
      if (attributesEnd === 0) rows[base + column.attributesFrom] = at;
      else if (attributesEnd !== at) return nowhere;
      at = keyValueEnd(bytes, view, at + 1, to, 4);
      if (at === nowhere) return nowhere;
      attributesEnd = at;
      rows[base + column.attributesTo] = at;
      continue;
    }
    let bit = 0;
    const start = at;
    switch (tag) {
      case 0x0a:
        bit = 1 << 1;
        at = idEnd(bytes, at + 1, to, 16);
        if (bytes[start + 1] !== 0) rows[base + column.traceId] = start + 2;
        break;
      case 0x12:
        bit = 1 << 2;
        at = idEnd(bytes, at + 1, to, 8);
        if (bytes[start + 1] !== 0) rows[base + column.spanId] = start + 2;
        break;
      case 0x1a:
        bit = 1 << 3;
        at = stringEnd(bytes, view, at + 1, to);
        break;
      case 0x22:
        bit = 1 << 4;
        at = idEnd(bytes, at + 1, to, 8);
        if (bytes[start + 1] !== 0) rows[base + column.parentSpanId] = start + 2;
        break;
      case 0x2a:
        bit = 1 << 5;
        at = stringEnd(bytes, view, at + 1, to);
        rows[base + column.name] = start + 1;
        break;
      case 0x30:
        bit = 1 << 6;
        at = varintEnd(bytes, at + 1, to);
        if (at !== nowhere) rows[base + column.kind] = readVarint(bytes, start + 1);
        break;
      case 0x39:
        bit = 1 << 7;
        at += 9;
        rows[base + column.startTime] = start + 1;
        break;
      case 0x41:
        bit = 1 << 8;
        at += 9;
        rows[base + column.endTime] = start + 1;
        break;
      case 0x50:
        bit = 1 << 10;
        at = varintEnd(bytes, at + 1, to);
        break;
      case 0x5a:
        at = partEnd(bytes, view, at + 1, to, eventPlan);
        break;
      case 0x60:
        bit = 1 << 12;
        at = varintEnd(bytes, at + 1, to);
        break;
      case 0x6a:
        at = partEnd(bytes, view, at + 1, to, linkPlan);
        break;
      case 0x70:
        bit = 1 << 14;
        at = varintEnd(bytes, at + 1, to);
        break;
      case 0x7a:
        bit = 1 << 15;
        at = statusEnd(bytes, view, at + 1, to);
        rows[base + column.status] = start + 1;
        break;
      case 0x85:
        if (at + 1 < to && bytes[at + 1] === 1) bit = 1 << 16;
        at = unknownEnd(bytes, at, to);
        break;
      default:
        at = unknownEnd(bytes, at, to);
        break;
    }
    if (at === nowhere || at > to || (seen & bit) !== 0) return nowhere;
    seen |= bit;
  }
  left.elements -= elements;
  return to;
}

function partEnd(bytes: Buffer, view: DataView, lengthAt: number, to: number, plan: Plan): number {
  const end = payloadEnd(bytes, lengthAt, to);
  return end === nowhere ? nowhere : messageEnd(bytes, view, payloadStart(bytes, lengthAt), end, plan, 4);
}

/** Position behind the status whose length stands at `lengthAt`; most have nothing but a code. */
function statusEnd(bytes: Buffer, view: DataView, lengthAt: number, to: number): number {
  const end = lengthAt + 3;
  if (end <= to && bytes[lengthAt] === 2 && bytes[lengthAt + 1] === 0x18 && bytes[lengthAt + 2]! < 128) return end;
  return partEnd(bytes, view, lengthAt, to, statusPlan);
}
