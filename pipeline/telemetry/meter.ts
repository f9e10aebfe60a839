import type { Labels, Meter, MetricOptions } from "../host.ts";

/** One series of an own metric, read at one moment. */
export interface Sample {
  readonly name: string;
  readonly type: "counter" | "gauge" | "histogram";
  readonly description: string;
  readonly unit: string;
  readonly labels: Labels;
  readonly value: number;
  /** Histograms only: upper bounds and the number of values at or under each; the last count has no bound. */
  readonly buckets?: { readonly bounds: readonly number[]; readonly counts: readonly number[] };
}

interface Series {
  readonly labels: Labels;
  value: number;
  counts?: number[];
}

interface Instrument {
  readonly type: Sample["type"];
  readonly options: MetricOptions;
  readonly bounds: readonly number[];
  readonly series: Map<string, Series>;
  readonly gauges: { readonly labels: Labels; readonly read: () => number }[];
}

/** All own metrics of the process. Components see a part of it through `meter(labels)`. */
export class MetricRegistry {
  readonly #instruments = new Map<string, Instrument>();

  /** A meter whose series all carry `labels`. */
  meter(labels: Labels): Meter {
    return {
      counter: (name, options) => {
        const instrument = this.#instrument(name, "counter", options);
        return { add: (value, more = {}) => void (seriesOf(instrument, { ...labels, ...more }).value += value) };
      },
      gauge: (name, options, read) => {
        this.#instrument(name, "gauge", options).gauges.push({ labels, read });
      },
      histogram: (name, options) => {
        const instrument = this.#instrument(name, "histogram", options, options.bounds);
        return { record: (value, more = {}) => record(instrument, { ...labels, ...more }, value) };
      },
    };
  }

  /** Every series with its present value, in the order of registration. */
  *samples(): Iterable<Sample> {
    for (const [name, { type, options, bounds, series, gauges }] of this.#instruments) {
      const common = { name, type, description: options.description, unit: options.unit };
      for (const { labels, value, counts } of series.values()) {
        yield { ...common, labels, value, ...(counts !== undefined && { buckets: { bounds, counts } }) };
      }
      for (const { labels, read } of gauges) yield { ...common, labels, value: read() };
    }
  }

  #instrument(name: string, type: Sample["type"], options: MetricOptions, bounds: readonly number[] = []): Instrument {
    const known = this.#instruments.get(name);
    if (known !== undefined) {
      if (known.type !== type) throw new Error(`metric ${name} is a ${known.type}, not a ${type}`);
      return known;
    }
    const made: Instrument = { type, options, bounds, series: new Map(), gauges: [] };
    this.#instruments.set(name, made);
    return made;
  }
}

function seriesOf({ series }: Instrument, labels: Labels): Series {
  const key = JSON.stringify(Object.entries(labels).sort());
  const known = series.get(key);
  if (known !== undefined) return known;
  const made: Series = { labels, value: 0 };
  series.set(key, made);
  return made;
}

function record(instrument: Instrument, labels: Labels, value: number): void {
  const series = seriesOf(instrument, labels);
  series.counts ??= new Array<number>(instrument.bounds.length + 1).fill(0);
  const bucket = instrument.bounds.findIndex((bound) => value <= bound);
  const at = bucket === -1 ? instrument.bounds.length : bucket;
  series.counts[at] = (series.counts[at] ?? 0) + 1;
  series.value += value;
}
