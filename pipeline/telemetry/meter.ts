import type { Counter, Labels, Meter, MetricOptions, TelemetryLevel } from "../host.ts";

/** One series of an own metric, read at one moment. */
export interface Sample {
  readonly name: string;
  /** Its instrumentation scope, where the name does not tell (`scopeOf`). */
  readonly scope?: string;
  /** `updown` is a sum that can fall. */
  readonly type: "counter" | "updown" | "gauge" | "histogram";
  readonly description: string;
  readonly unit: string;
  /** Whether its values are fractions; what is not is sent as whole numbers. */
  readonly isDouble: boolean;
  readonly labels: Labels;
  /** Of a histogram the sum of what was recorded. */
  readonly value: number;
  readonly buckets?: Buckets;
}

/** The distribution of a histogram. */
export interface Buckets {
  readonly bounds: readonly number[];
  /** The number of values at or under each bound; the last has no bound. */
  readonly counts: readonly number[];
  /** The least and the greatest value, where they are known. */
  readonly min?: number;
  readonly max?: number;
}

interface Series {
  readonly labels: Labels;
  value: number;
  buckets?: { readonly bounds: readonly number[]; readonly counts: number[]; min: number; max: number };
}

interface Instrument {
  readonly type: Sample["type"];
  readonly options: MetricOptions;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
  readonly gauges: Set<{ readonly labels: Labels; readonly read: () => number | undefined }>;
}

type BoundsOf = (name: string, unit: string) => readonly number[] | undefined;

const levels: readonly TelemetryLevel[] = ["none", "basic", "normal", "detailed"];
const nothing = { add: () => {} };

/** All own metrics of the process. Components see a part of it through `meter(labels)`. */
export class MetricRegistry {
  /** How much is measured: what asks for more costs nothing and is not there. */
  readonly level: TelemetryLevel;
  readonly #instruments = new Map<string, Instrument>();
  readonly #boundsOf: BoundsOf;

  /** `boundsOf` may give a histogram other bounds than its own. */
  constructor(level: TelemetryLevel = "normal", boundsOf?: BoundsOf) {
    this.level = level;
    this.#boundsOf = boundsOf ?? (() => undefined);
  }

  /** Whether metrics of `level` are measured. */
  measures(level: TelemetryLevel): boolean {
    return levels.indexOf(level) <= levels.indexOf(this.level);
  }

  /** A meter whose series all carry `labels`. */
  meter(labels: Labels): Meter {
    const isOff = ({ level = "basic" }: MetricOptions) => !this.measures(level);
    return {
      counter: (name, options) => {
        if (isOff(options)) return { ...nothing, with: () => nothing };
        return counterOf(this.#instrument(name, "counter", options), labels);
      },
      gauge: (name, options, read, more = {}) => {
        if (isOff(options)) return () => {};
        const { gauges } = this.#instrument(name, options.as ?? "gauge", options);
        const gauge = { labels: { ...labels, ...more }, read };
        gauges.add(gauge);
        return () => void gauges.delete(gauge);
      },
      histogram: (name, options) => {
        if (isOff(options)) return undefined;
        const bounds = this.#boundsOf(name, options.unit) ?? options.bounds;
        const instrument = this.#instrument(name, "histogram", options, bounds);
        return { record: (value, more = {}) => record(instrument, { ...labels, ...more }, value) };
      },
    };
  }

  /** Every series with its present value, in the order of registration; gauges of the same labels are added up. */
  *samples(): Iterable<Sample> {
    for (const [name, { type, options, series, gauges }] of this.#instruments) {
      const { description, unit, isDouble = false } = options;
      const common = { name, type, description, unit, isDouble };
      for (const { labels, value, buckets } of [...series.values(), ...added(gauges)]) {
        yield { ...common, labels, value, ...(buckets !== undefined && { buckets }) };
      }
    }
  }

  #instrument(name: string, type: Sample["type"], options: MetricOptions, bounds: readonly number[] = []): Instrument {
    const known = this.#instruments.get(name);
    if (known !== undefined) {
      if (known.type !== type) throw new Error(`metric ${name} is a ${known.type}, not a ${type}`);
      return known;
    }
    const made: Instrument = { type, options, bounds, series: new Map(), gauges: new Set() };
    this.#instruments.set(name, made);
    return made;
  }
}

function counterOf(instrument: Instrument, labels: Labels): Counter {
  return {
    add: (value, more) =>
      void (seriesOf(instrument, more === undefined ? labels : { ...labels, ...more }).value += value),
    with: (more) => {
      const all = { ...labels, ...more };
      let series: Series | undefined;
      return {
        add: (value) => {
          series ??= seriesOf(instrument, all);
          series.value += value;
        },
      };
    },
  };
}

function* added(gauges: Instrument["gauges"]): Iterable<Series> {
  const sums = new Map<string, Series>();
  for (const { labels, read } of gauges) {
    const value = read();
    if (value === undefined) continue;
    const key = keyOf(labels);
    sums.set(key, { labels, value: value + (sums.get(key)?.value ?? 0) });
  }
  yield* sums.values();
}

function keyOf(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort());
}

/** More series than these become one: labels may hold what a stranger sends. @see OpenTelemetry: cardinality limits. */
const mostSeries = 2000;
const overflow = { "otel.metric.overflow": "true" };

function seriesOf(instrument: Instrument, labels: Labels): Series {
  const { series } = instrument;
  const key = keyOf(labels);
  const known = series.get(key);
  if (known !== undefined) return known;
  if (series.size >= mostSeries && labels !== overflow) return seriesOf(instrument, overflow);
  const made: Series = { labels, value: 0 };
  series.set(key, made);
  return made;
}

function record(instrument: Instrument, labels: Labels, value: number): void {
  const { bounds } = instrument;
  const series = seriesOf(instrument, labels);
  series.buckets ??= { bounds, counts: new Array(bounds.length + 1).fill(0), min: value, max: value };
  const { buckets } = series;
  const bucket = bounds.findIndex((bound) => value <= bound);
  const at = bucket === -1 ? bounds.length : bucket;
  buckets.counts[at] = (buckets.counts[at] ?? 0) + 1;
  buckets.min = Math.min(buckets.min, value);
  buckets.max = Math.max(buckets.max, value);
  series.value += value;
}
