import type { TelemetryConfig } from "../config/telemetry.ts";
import type { Labels } from "../host.ts";
import type { Buckets, Sample } from "./meter.ts";
import { scopeOf } from "./scopes.ts";

type View = NonNullable<TelemetryConfig["metrics"]["views"]>[number];

/** Metrics as `service::telemetry::metrics::views` wants them. */
export interface Views {
  /** The bounds a view gives to the histogram `name`; undefined for its own. */
  boundsOf(name: string, unit: string): readonly number[] | undefined;
  /** What `samples` become: of a metric that no view is about, themselves; else one stream for each view that is. */
  apply(samples: Iterable<Sample>): Iterable<Sample>;
}

/** @see OpenTelemetry specification: metrics SDK, view. */
export function viewsOf(views: readonly View[]): Views {
  const compiled = views.map((view) => ({ matches: matcherOf(view), stream: view.stream }));
  return {
    boundsOf(name, unit) {
      const found = compiled.find(({ matches }) => matches({ name, unit, type: "histogram" }));
      const boundaries = found?.stream.aggregation?.explicit_bucket_histogram?.boundaries;
      return boundaries?.length ? boundaries : undefined;
    },
    apply(samples) {
      const series = new Map<string, Sample>();
      for (const sample of samples) {
        const found = compiled.filter(({ matches }) => matches(sample));
        const streams = found.length === 0 ? [sample] : found.flatMap(({ stream }) => streamOf(sample, stream));
        for (const one of streams) {
          const key = JSON.stringify([one.name, Object.entries(one.labels).sort()]);
          const known = series.get(key);
          series.set(key, known === undefined ? one : joined(known, one));
        }
      }
      return series.values();
    },
  };
}

type Instrument = Pick<Sample, "name" | "unit" | "type">;

const samplesTypes: Readonly<Record<string, Sample["type"]>> = {
  counter: "counter",
  observable_counter: "counter",
  histogram: "histogram",
  observable_gauge: "gauge",
  up_down_counter: "updown",
  observable_up_down_counter: "updown",
};

function matcherOf({ selector }: View): (instrument: Instrument) => boolean {
  const { instrument_name, instrument_type, unit, meter_name, meter_version, meter_schema_url } = selector ?? {};
  const name = instrument_name ? wildcard(instrument_name) : undefined;
  return (instrument) =>
    (name === undefined || name.test(instrument.name)) &&
    (instrument_type === undefined || samplesTypes[instrument_type] === instrument.type) &&
    (!unit || unit === instrument.unit) &&
    (!meter_name || meter_name === scopeOf(instrument.name)) &&
    !meter_version && // scopes have neither
    !meter_schema_url;
}

/** A text in which `*` stands for any characters and `?` for one. */
export function wildcard(text: string): RegExp {
  const escaped = text.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`, "s");
}

function streamOf(sample: Sample, stream: View["stream"]): Sample[] {
  const { name, description, attribute_keys, aggregation } = stream;
  if (aggregation?.drop !== undefined) return [];
  const { buckets, ...scalar } = sample;
  const isSum = aggregation?.sum !== undefined && sample.type === "histogram";
  const named: Sample = {
    ...(isSum ? { ...scalar, type: "counter", isDouble: true } : sample),
    ...(name && { name, scope: scopeOf(sample.name) }),
    ...(description && { description }),
  };
  return [attribute_keys === undefined ? named : { ...named, labels: keptLabels(sample.labels, attribute_keys) }];
}

function keptLabels(labels: Labels, keys: NonNullable<View["stream"]["attribute_keys"]>): Labels {
  const { included, excluded } = keys;
  const isKept = (name: string) => !excluded.includes(name) && (included.length === 0 || included.includes(name));
  return Object.fromEntries(Object.entries(labels).filter(([name]) => isKept(name)));
}

/** Two series that have become one: totals and counts are added up, of gauges the later one counts. */
function joined(left: Sample, right: Sample): Sample {
  if (left.type === "gauge") return right;
  const sum = { ...left, value: left.value + right.value };
  const { buckets } = left;
  return buckets === undefined || right.buckets === undefined
    ? sum
    : { ...sum, buckets: joinedBuckets(buckets, right.buckets) };
}

/** Two distributions over the same bounds, as one. */
export function joinedBuckets(left: Buckets, right: Buckets): Buckets {
  return {
    bounds: left.bounds,
    counts: left.counts.map((count, index) => count + (right.counts[index] ?? 0)),
    min: Math.min(left.min ?? Number.POSITIVE_INFINITY, right.min ?? Number.POSITIVE_INFINITY),
    max: Math.max(left.max ?? Number.NEGATIVE_INFINITY, right.max ?? Number.NEGATIVE_INFINITY),
  };
}
