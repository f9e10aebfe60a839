import type { Decoded } from "../../pipeline/pdata/index.ts";
import { fixedText, shortText } from "./go_text.ts";
import { level, Numbering } from "./numbering.ts";
import { type AnyValue, type InstrumentationScope, idText, type KeyValue, plainText, type Resource } from "./values.ts";

type Metric = Decoded["metrics"]["resourceMetrics"][number]["scopeMetrics"][number]["metrics"][number];
type NumberPoint = NonNullable<Metric["gauge"]>["dataPoints"][number];
type HistogramPoint = NonNullable<Metric["histogram"]>["dataPoints"][number];
type ExponentialPoint = NonNullable<Metric["exponentialHistogram"]>["dataPoints"][number];
type SummaryPoint = NonNullable<Metric["summary"]>["dataPoints"][number];

/** One line per span, below lines for resources and scopes. */
export function normalTraces({ resourceSpans }: Decoded["traces"], numbering = new Numbering()): string {
  const lines = resourceSpans.flatMap((group) => [
    ...numbering.next(level.resource, (index) => [resourceLine("ResourceTraces", index, group)]),
    ...group.scopeSpans.flatMap((scoped) => [
      ...numbering.next(level.scope, (index) => [scopeLine("ScopeTraces", index, scoped)]),
      ...scoped.spans.map((span) =>
        [span.name, idText(span.traceId), idText(span.spanId), ...pairs(span.attributes)].join(" "),
      ),
    ]),
  ]);
  return textOf(lines);
}

/** One line per log record; the space after the body stands there without attributes as well. */
export function normalLogs({ resourceLogs }: Decoded["logs"], numbering = new Numbering()): string {
  const lines = resourceLogs.flatMap((group) => [
    ...numbering.next(level.resource, (index) => [resourceLine("ResourceLog", index, group)]),
    ...group.scopeLogs.flatMap((scoped) => [
      ...numbering.next(level.scope, (index) => [scopeLine("ScopeLog", index, scoped)]),
      ...scoped.logRecords.map((record) => `${plainText(record.body)} ${pairs(record.attributes).join(" ")}`),
    ]),
  ]);
  return textOf(lines);
}

/** One line per data point, in the manner of Prometheus. */
export function normalMetrics({ resourceMetrics }: Decoded["metrics"], numbering = new Numbering()): string {
  const lines = resourceMetrics.flatMap((group) => [
    ...numbering.next(level.resource, (index) => [resourceLine("ResourceMetrics", index, group)]),
    ...group.scopeMetrics.flatMap((scoped) => [
      ...numbering.next(level.scope, (index) => [scopeLine("ScopeMetrics", index, scoped)]),
      ...scoped.metrics.flatMap(metricLines),
    ]),
  ]);
  return textOf(lines);
}

/** One line per profile. */
export function normalProfiles({ resourceProfiles, dictionary }: Decoded["profiles"]): string {
  const lines = resourceProfiles.flatMap((group, index) => [
    resourceLine("ResourceProfiles", index, group),
    ...group.scopeProfiles.flatMap((scoped, scopeIndex) => [
      scopeLine("ScopeProfiles", scopeIndex, scoped),
      ...scoped.profiles.map((profile) => {
        const attributes = profile.attributeIndices.map((at) => indexedText(dictionary, at, "=", plainText));
        return [idText(profile.profileId), `samples=${profile.samples.length}`, ...attributes].join(" ");
      }),
    ]),
  ]);
  return textOf(lines);
}

/** The attribute at an index of the dictionary's table, as `key` `between` `value`. */
export function indexedText(
  dictionary: Decoded["profiles"]["dictionary"],
  at: number,
  between: string,
  text: (value: AnyValue | undefined) => string,
): string {
  const attribute = dictionary?.attributeTable[at];
  if (attribute === undefined) return `[Missing Dictionary AttributeTable Item #${at}]`;
  const { keyStrindex, value } = attribute;
  const key = dictionary?.stringTable[keyStrindex] ?? `[Missing Dictionary Key String Item #${keyStrindex}]`;
  return `${key}${between}${text(value)}`;
}

interface Grouped {
  readonly schemaUrl: string;
}

function resourceLine(
  label: string,
  index: number,
  group: Grouped & { readonly resource?: Resource | undefined },
): string {
  return [`${label} #${index}`, ...bracketed(group.schemaUrl), ...pairs(group.resource?.attributes ?? [])].join(" ");
}

function scopeLine(
  label: string,
  index: number,
  group: Grouped & { readonly scope?: InstrumentationScope | undefined },
): string {
  const { name = "", version = "", attributes = [] } = group.scope ?? {};
  const title = version === "" ? name : `${name}@${version}`;
  return [
    `${label} #${index}`,
    ...(title === "" ? [] : [title]),
    ...bracketed(group.schemaUrl),
    ...pairs(attributes),
  ].join(" ");
}

function bracketed(schemaUrl: string): string[] {
  return schemaUrl === "" ? [] : [`[${schemaUrl}]`];
}

function pairs(attributes: readonly KeyValue[]): string[] {
  return attributes.map(({ key, value }) => `${key}=${plainText(value)}`);
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

function metricLines(metric: Metric): string[] {
  const line = (point: { readonly attributes: KeyValue[] }, value: string) =>
    `${metric.name}{${pairs(point.attributes).join(",")}} ${value}`;
  const numbers = metric.gauge?.dataPoints ?? metric.sum?.dataPoints ?? [];
  return [
    ...numbers.map((point) => line(point, numberText(point))),
    ...(metric.histogram?.dataPoints ?? []).map((point) => line(point, histogramText(point))),
    ...(metric.exponentialHistogram?.dataPoints ?? []).map((point) => line(point, exponentialText(point))),
    ...(metric.summary?.dataPoints ?? []).map((point) => line(point, summaryText(point))),
  ];
}

function numberText({ asInt, asDouble }: NumberPoint): string {
  if (asInt !== undefined) return String(asInt);
  return asDouble === undefined ? "" : shortText(asDouble);
}

function statisticsText({ count, sum, min, max }: HistogramPoint | ExponentialPoint): string[] {
  const optional = Object.entries({ sum, min, max }).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${shortText(value)}`],
  );
  return [`count=${count}`, ...optional];
}

function histogramText(point: HistogramPoint): string {
  const buckets = point.bucketCounts.map((count, index) => {
    const bound = point.explicitBounds[index];
    return bound === undefined ? String(count) : `le${shortText(bound)}=${count}`;
  });
  return [...statisticsText(point), ...buckets].join(" ");
}

function exponentialText(point: ExponentialPoint): string {
  const { positive, negative, zeroCount, scale } = point;
  const bound = (index: number) => Math.exp(index * Math.LN2 * 2 ** -scale);
  const below = (negative?.bucketCounts ?? []).map(
    (count, index) => `le${shortText(-bound((negative?.offset ?? 0) + index))}=${count}`,
  );
  const above = (positive?.bucketCounts ?? []).map(
    (count, index) => `le${shortText(bound((positive?.offset ?? 0) + index + 1))}=${count}`,
  );
  const zero = zeroCount === 0n ? [] : [`zero=${zeroCount}`];
  return [...statisticsText(point), ...below.reverse(), ...zero, ...above].join(" ");
}

function summaryText({ count, sum, quantileValues }: SummaryPoint): string {
  const quantiles = quantileValues.map(({ quantile, value }) => `q${shortText(quantile)}=${shortText(value)}`);
  return [`count=${count}`, `sum=${fixedText(sum)}`, ...quantiles].join(" ");
}
