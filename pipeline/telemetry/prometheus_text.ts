import type { Labels } from "../host.ts";
import type { Sample } from "./meter.ts";
import { scopeOf } from "./scopes.ts";

/** How names and labels are made: the `prometheus` block of a pull reader, and whom the metrics are about. */
export interface PrometheusOptions {
  /** Whether names end in their unit and counters in `_total`. */
  readonly suffixes: boolean;
  /** Whether series carry the labels of their instrumentation scope. */
  readonly scopeInfo: boolean;
  /** Labels on every series. */
  readonly constantLabels: Labels;
  /** The attributes of the own resource, as text: the labels of `target_info`. */
  readonly resource: Labels;
}

interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly series: { readonly labels: readonly (readonly [string, string])[]; readonly sample: Sample }[];
}

/**
 * Samples in the Prometheus text format as the Collector writes it: metrics by name, their series by the values of their
 * labels, dots as `_`.
 *
 * @see Prometheus: exposition formats, text-based; `client_golang` for the order and the numbers.
 */
export function prometheusText(samples: Iterable<Sample>, options: PrometheusOptions): string {
  const families = new Map<string, Family>();
  for (const sample of [...samples, ...constantSamples(options)]) {
    const name = plainName(options.suffixes ? nameWithSuffixes(sample) : sample.name);
    let family = families.get(name);
    if (family === undefined) {
      family = { name, help: sample.description, type: sample.type === "updown" ? "gauge" : sample.type, series: [] };
      families.set(name, family);
    }
    family.series.push({ labels: labelsOf(sample, options), sample });
  }
  return [...families.values()].sort(byName).map(familyText).join("");
}

/** What the Collector's endpoint says besides its metrics. */
function constantSamples({ resource }: PrometheusOptions): Sample[] {
  const errors = (cause: string): Sample => ({
    name: "promhttp_metric_handler_errors_total",
    type: "counter",
    description: "Total number of internal errors encountered by the promhttp metric handler.",
    unit: "",
    isDouble: false,
    labels: { cause },
    value: 0,
  });
  const info = {
    name: "target_info",
    type: "gauge",
    description: "Target metadata",
    unit: "",
    isDouble: false,
  } as const;
  return [errors("encoding"), errors("gathering"), { ...info, labels: resource, value: 1 }];
}

function labelsOf(sample: Sample, { scopeInfo, constantLabels }: PrometheusOptions): [string, string][] {
  const isOwn = sample.name === "target_info" || sample.name.startsWith("promhttp_");
  const scope = {
    otel_scope_name: sample.scope ?? scopeOf(sample.name),
    otel_scope_schema_url: "",
    otel_scope_version: "",
  };
  const labels = { ...sample.labels, ...(!isOwn && { ...constantLabels, ...(scopeInfo && scope) }) };
  const named = Object.entries(labels).map(([key, value]): [string, string] => [plainName(key), value]);
  return named.sort(([left], [right]) => (left < right ? -1 : 1));
}

function byName(left: Family, right: Family): number {
  return left.name < right.name ? -1 : 1;
}

function familyText({ name, help, type, series }: Family): string {
  const lines = [`# HELP ${name} ${escapeHelp(help)}`, `# TYPE ${name} ${type}`];
  for (const { labels, sample } of series.sort(byLabels)) lines.push(...sampleLines(name, labels, sample));
  return `${lines.join("\n")}\n`;
}

function byLabels({ labels: left }: Family["series"][number], { labels: right }: Family["series"][number]): number {
  if (left.length !== right.length) return left.length - right.length;
  for (const [index, [, value]] of left.entries()) {
    const other = right[index]?.[1] ?? "";
    if (value !== other) return value < other ? -1 : 1;
  }
  return 0;
}

function* sampleLines(name: string, labels: Family["series"][number]["labels"], sample: Sample): Iterable<string> {
  const { value, buckets } = sample;
  if (buckets === undefined) {
    yield `${name}${labelText(labels)} ${goNumber(value)}`;
    return;
  }
  let total = 0;
  for (const [index, count] of buckets.counts.entries()) {
    total += count;
    const bound = goNumber(buckets.bounds[index] ?? Infinity);
    yield `${name}_bucket${labelText([...labels, ["le", bound]])} ${goNumber(total)}`;
  }
  yield `${name}_sum${labelText(labels)} ${goNumber(value)}`;
  yield `${name}_count${labelText(labels)} ${goNumber(total)}`;
}

function labelText(labels: readonly (readonly [string, string])[]): string {
  if (labels.length === 0) return "";
  return `{${labels.map(([key, value]) => `${key}="${escapeLabel(value)}"`).join(",")}}`;
}

const unitNames: Readonly<Record<string, string>> = { s: "seconds", ms: "milliseconds", By: "bytes", "%": "percent" };

function nameWithSuffixes({ name, unit, type }: Sample): string {
  if (name === "target_info" || name.startsWith("promhttp_")) return name;
  const suffix = unit === "1" && type === "gauge" ? "ratio" : unitNames[unit];
  const named = suffix === undefined || name.endsWith(`_${suffix}`) ? name : `${name}_${suffix}`;
  return type === "counter" && !named.endsWith("_total") ? `${named}_total` : named;
}

function plainName(name: string): string {
  return name.replace(/[^a-zA-Z0-9_:]/g, "_");
}

/** A number as Go's `strconv` writes it with format `g`: the fewest digits, an exponent from 1e+06 on and below 1e-04. */
export function goNumber(value: number): string {
  if (value === Infinity) return "+Inf";
  if (value === -Infinity) return "-Inf";
  if (value === 0 || Number.isNaN(value)) return String(value);
  const [digits = "", exponent = "0"] = value.toExponential().split("e");
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${digits}e${power < 0 ? "-" : "+"}${String(Math.abs(power)).padStart(2, "0")}`;
}

function escapeHelp(text: string): string {
  return text.replace(/\\/g, "\\\\").replace(/\n/g, "\\n");
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replace(/"/g, '\\"');
}
