import type { TableWindow } from "../../pipeline/board.ts";
import { numberAt, textAt } from "../../pipeline/frame/builders.ts";
import type { Column, NumberColumn, StringColumn } from "../../pipeline/frame/columns.ts";
import type { Pause } from "../../pipeline/frame/engine.ts";
import { type Expression, unitOf } from "../../pipeline/frame/expression.ts";
import { type Field, fieldName } from "../../pipeline/frame/fields.ts";
import { overflowText } from "../../pipeline/frame/group_keys.ts";
import { concat, encode, type Metrics } from "../../pipeline/pdata/index.ts";

const deltaTemporality = 1;

/** Data points encoded between two pauses: about 5 ms. */
const pointsPerStep = 100;

/** What of a config decides how a table becomes metrics. */
export interface MetricsShape {
  readonly groupBy: readonly Field[];
  readonly columns: ReadonlyMap<string, Expression>;
}

/**
 * A closed window as metrics: one metric per column, by the column's name; one data point per row that has a value.
 *
 * - `count` and `sum` become sums with delta temporality (`count`s of integers; monotonic where the values cannot be
 *   negative: counts, durations and token usage), everything else gauges. Points span the window.
 * - `group_by: resource.KEY` becomes attribute KEY of the resource, so that rows of one resource share one; other fields
 *   become attributes of the point, named as in `group_by` (without `span.`). An absent value gives no attribute.
 * - The row of what found no group of its own has the one attribute `otel.metric.overflow: true`.
 *
 * Works in steps of some hundred points. Undefined when there is no point at all.
 */
export async function metricsOf(
  table: TableWindow,
  shape: MetricsShape,
  version: string,
  pause: Pause,
): Promise<Metrics | undefined> {
  const keys = table.columns.slice(0, shape.groupBy.length).filter(isText);
  const aggregates = table.columns.slice(shape.groupBy.length).filter(isNumber);
  const parts: Metrics[] = [];
  for (const rows of slicesByResource(
    keys,
    shape.groupBy,
    table.rowCount,
    Math.ceil(pointsPerStep / aggregates.length),
  )) {
    if (parts.length > 0) await pause();
    const metrics = aggregates.flatMap((column) => {
      const points = rows.flatMap((row) => pointOf(column, row, table, keys, shape));
      return points.length === 0 ? [] : [metric(column.name, expressionOf(shape, column.name), points)];
    });
    if (metrics.length === 0) continue;
    const resource = { attributes: resourceAttributes(keys, shape.groupBy, rows[0] ?? 0) };
    const scope = { name: "otelpipe.aggregate", version };
    parts.push(encode("metrics", { resourceMetrics: [{ resource, scopeMetrics: [{ scope, metrics }] }] }));
  }
  return parts.length === 0 ? undefined : concat(parts);
}

type Attribute = { key: string; value: { stringValue: string } | { boolValue: boolean } };

interface Point {
  readonly attributes: Attribute[];
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
  readonly asInt?: bigint;
  readonly asDouble?: number;
}

function metric(name: string, expression: Expression, dataPoints: Point[]) {
  const unit = unitOf(expression);
  if (expression.fn !== "count" && expression.fn !== "sum") return { name, unit, gauge: { dataPoints } };
  return {
    name,
    unit,
    sum: { dataPoints, aggregationTemporality: deltaTemporality, isMonotonic: isMonotonic(expression) },
  };
}

function pointOf(
  column: NumberColumn,
  row: number,
  table: TableWindow,
  keys: readonly StringColumn[],
  shape: MetricsShape,
): Point[] {
  const value = numberAt(column, row);
  if (value === undefined) return [];
  const times = { startTimeUnixNano: nanoseconds(table.startUnixMs), timeUnixNano: nanoseconds(table.endUnixMs) };
  const attributes = pointAttributes(keys, shape.groupBy, row);
  if (isCount(expressionOf(shape, column.name))) return [{ attributes, ...times, asInt: BigInt(value) }];
  return [{ attributes, ...times, asDouble: value }];
}

function isCount({ fn }: Expression): boolean {
  return fn === "count" || fn === "nunique";
}

/** Whether the sum of a window can never be below zero. */
function isMonotonic(expression: Expression): boolean {
  if (!("field" in expression) || isCount(expression)) return true;
  const name = fieldName(expression.field);
  return name === "duration" || name === "event_count" || name.startsWith("gen_ai.usage.");
}

function expressionOf(shape: MetricsShape, name: string): Expression {
  const expression = shape.columns.get(name);
  if (expression === undefined) throw new Error(`the table has a column "${name}" that the config does not name`);
  return expression;
}

/** Rows of one resource together, at most `limit` at a time. */
function slicesByResource(
  keys: readonly StringColumn[],
  groupBy: readonly Field[],
  rowCount: number,
  limit: number,
): readonly (readonly number[])[] {
  const open = new Map<string, number[]>();
  const slices: number[][] = [];
  for (let row = 0; row < rowCount; row++) {
    const identity = JSON.stringify(resourceAttributes(keys, groupBy, row));
    let slice = open.get(identity);
    if (slice === undefined || slice.length === limit) {
      slice = [];
      slices.push(slice);
      open.set(identity, slice);
    }
    slice.push(row);
  }
  return slices;
}

function resourceAttributes(keys: readonly StringColumn[], groupBy: readonly Field[], row: number): Attribute[] {
  if (isOverflow(keys, row)) return [];
  return groupBy.flatMap((field, place) => {
    const text = isResource(field) ? textAt(keys[place]!, row) : undefined;
    return text === undefined || field.from !== "attribute" ? [] : [{ key: field.key, value: { stringValue: text } }];
  });
}

function pointAttributes(keys: readonly StringColumn[], groupBy: readonly Field[], row: number): Attribute[] {
  if (isOverflow(keys, row)) return [{ key: overflowText, value: { boolValue: true } }];
  return groupBy.flatMap((field, place) => {
    const text = isResource(field) ? undefined : textAt(keys[place]!, row);
    return text === undefined ? [] : [{ key: pointKey(field), value: { stringValue: text } }];
  });
}

function pointKey(field: Field): string {
  return field.from === "attribute" && field.of === "span" ? field.key : fieldName(field);
}

function isResource(field: Field): boolean {
  return field.from === "attribute" && field.of === "resource";
}

function isOverflow(keys: readonly StringColumn[], row: number): boolean {
  return keys.length > 0 && keys.every((column) => textAt(column, row) === overflowText);
}

/** Exact for whole microseconds. */
function nanoseconds(unixMs: number): bigint {
  return BigInt(Math.round(unixMs * 1000)) * 1000n;
}

function isText(column: Column): column is StringColumn {
  return column.type === "string";
}

function isNumber(column: Column): column is NumberColumn {
  return column.type === "f64";
}
