import type { Decoded } from "../../pipeline/pdata/index.ts";
import { attributeLines, resourceLines, scopeLines, textOf, word } from "./detailed_lines.ts";
import { fixedText, timeText } from "./go_text.ts";
import { level, Numbering } from "./numbering.ts";
import { idText, type KeyValue } from "./values.ts";

type Metric = Decoded["metrics"]["resourceMetrics"][number]["scopeMetrics"][number]["metrics"][number];
type NumberPoint = NonNullable<Metric["gauge"]>["dataPoints"][number];
type HistogramPoint = NonNullable<Metric["histogram"]>["dataPoints"][number];
type ExponentialPoint = NonNullable<Metric["exponentialHistogram"]>["dataPoints"][number];
type SummaryPoint = NonNullable<Metric["summary"]>["dataPoints"][number];
type Exemplar = NumberPoint["exemplars"][number];

const temporalities = ["Unspecified", "Delta", "Cumulative"];

/** Every field of every metric and data point. */
export function detailedMetrics({ resourceMetrics }: Decoded["metrics"], numbering = new Numbering()): string {
  return textOf(
    resourceMetrics.flatMap(({ resource, schemaUrl, scopeMetrics }) => [
      ...numbering.next(level.resource, (index) => resourceLines("ResourceMetrics", index, schemaUrl, resource)),
      ...scopeMetrics.flatMap(({ schemaUrl: url, scope, metrics }) => [
        ...numbering.next(level.scope, (index) => scopeLines("ScopeMetrics", index, url, scope)),
        ...metrics.flatMap((metric) => [
          ...numbering.next(level.item, (index) => metricLines(metric, index)),
          ...pointLists(metric).flatMap((lines) => numbering.next(level.point, lines)),
        ]),
      ]),
    ]),
  );
}

function metricLines(metric: Metric, index: number): string[] {
  const { sum, histogram, exponentialHistogram } = metric;
  const aggregated = sum ?? histogram ?? exponentialHistogram;
  return [
    `Metric #${index}`,
    "Descriptor:",
    `     -> Name: ${metric.name}`,
    `     -> Description: ${metric.description}`,
    `     -> Unit: ${metric.unit}`,
    `     -> DataType: ${dataType(metric)}`,
    ...attributeLines("     -> Metadata", metric.metadata),
    ...(sum === undefined ? [] : [`     -> IsMonotonic: ${sum.isMonotonic}`]),
    ...(aggregated === undefined ? [] : [temporalityLine(aggregated)]),
  ];
}

function dataType(metric: Metric): string {
  if (metric.gauge !== undefined) return "Gauge";
  if (metric.sum !== undefined) return "Sum";
  if (metric.histogram !== undefined) return "Histogram";
  if (metric.exponentialHistogram !== undefined) return "ExponentialHistogram";
  return metric.summary === undefined ? "Empty" : "Summary";
}

/** For each data point, what prints it. */
function pointLists(metric: Metric): ((index: number) => string[])[] {
  const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
  const numbers = gauge?.dataPoints ?? sum?.dataPoints;
  if (numbers !== undefined) return numbers.map((point) => (index) => numberLines(point, index));
  if (histogram !== undefined) return histogram.dataPoints.map((point) => (index) => histogramLines(point, index));
  if (exponentialHistogram !== undefined) {
    return exponentialHistogram.dataPoints.map((point) => (index) => exponentialLines(point, index));
  }
  return summary?.dataPoints.map((point) => (index) => summaryLines(point, index)) ?? [];
}

function temporalityLine({ aggregationTemporality }: { readonly aggregationTemporality: number }): string {
  return `     -> AggregationTemporality: ${word(temporalities, aggregationTemporality)}`;
}

interface Point {
  readonly attributes: KeyValue[];
  readonly startTimeUnixNano: bigint;
  readonly timeUnixNano: bigint;
}

function pointLines(label: string, index: number, point: Point): string[] {
  return [
    `${label} #${index}`,
    ...attributeLines("Data point attributes", point.attributes),
    `StartTimestamp: ${timeText(point.startTimeUnixNano)}`,
    `Timestamp: ${timeText(point.timeUnixNano)}`,
  ];
}

function numberLines(point: NumberPoint, index: number): string[] {
  return [...pointLines("NumberDataPoints", index, point), ...valueLines("", point), ...exemplarLines(point.exemplars)];
}

function valueLines(indent: string, { asInt, asDouble }: { asInt?: bigint; asDouble?: number }): string[] {
  if (asInt !== undefined) return [`${indent}Value: ${asInt}`];
  return asDouble === undefined ? [] : [`${indent}Value: ${fixedText(asDouble)}`];
}

function statisticsLines({ count, sum, min, max }: HistogramPoint | ExponentialPoint): string[] {
  const optional = Object.entries({ Sum: sum, Min: min, Max: max });
  return [
    `Count: ${count}`,
    ...optional.flatMap(([label, value]) => (value === undefined ? [] : [`${label}: ${fixedText(value)}`])),
  ];
}

function histogramLines(point: HistogramPoint, index: number): string[] {
  return [
    ...pointLines("HistogramDataPoints", index, point),
    ...statisticsLines(point),
    ...point.explicitBounds.map((bound, at) => `ExplicitBounds #${at}: ${fixedText(bound)}`),
    ...point.bucketCounts.map((count, at) => `Buckets #${at}, Count: ${count}`),
    ...exemplarLines(point.exemplars),
  ];
}

function exponentialLines(point: ExponentialPoint, index: number): string[] {
  const { positive, negative, zeroCount, scale } = point;
  const bound = (at: number) => Math.exp(at * (Math.LN2 * 2 ** -scale));
  const below = (negative?.bucketCounts ?? []).map((count, at) => {
    const from = (negative?.offset ?? 0) + at;
    return `Bucket [${fixedText(-bound(from + 1))}, ${fixedText(-bound(from))}), Count: ${count}`;
  });
  const above = (positive?.bucketCounts ?? []).map((count, at) => {
    const from = (positive?.offset ?? 0) + at;
    return `Bucket (${fixedText(bound(from))}, ${fixedText(bound(from + 1))}], Count: ${count}`;
  });
  return [
    ...pointLines("ExponentialHistogramDataPoints", index, point),
    ...statisticsLines(point),
    ...below.reverse(),
    ...(zeroCount === 0n ? [] : [`Bucket [0, 0], Count: ${zeroCount}`]),
    ...above,
    ...exemplarLines(point.exemplars),
  ];
}

function summaryLines(point: SummaryPoint, index: number): string[] {
  return [
    ...pointLines("SummaryDataPoints", index, point),
    `Count: ${point.count}`,
    `Sum: ${fixedText(point.sum)}`,
    ...point.quantileValues.map(
      ({ quantile, value }, at) => `QuantileValue #${at}: Quantile ${fixedText(quantile)}, Value ${fixedText(value)}`,
    ),
  ];
}

function exemplarLines(exemplars: readonly Exemplar[]): string[] {
  if (exemplars.length === 0) return [];
  return [
    "Exemplars:",
    ...exemplars.flatMap((exemplar, index) => [
      `Exemplar #${index}`,
      `     -> Trace ID: ${idText(exemplar.traceId)}`,
      `     -> Span ID: ${idText(exemplar.spanId)}`,
      `     -> Timestamp: ${timeText(exemplar.timeUnixNano)}`,
      ...valueLines("     -> ", exemplar),
      ...attributeLines("     -> FilteredAttributes", exemplar.filteredAttributes),
    ]),
  ];
}
