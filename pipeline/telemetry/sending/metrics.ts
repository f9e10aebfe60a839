import type { OwnOtlpSettings } from "../../config/telemetry/exporter.ts";
import type { Labels, Timer } from "../../host.ts";
import type { Sample } from "../meter.ts";
import { scopeOf } from "../scopes.ts";
import { openDestination } from "./destination.ts";
import type { SendingOptions } from "./record_sender.ts";
import { type SdkMetrics, sdkResource, sdkTime } from "./sdk_types.ts";

type Sdk = Pick<typeof import("./opentelemetry.ts"), "AggregationTemporality" | "DataPointType" | "ValueType">;
type SdkMetric = SdkMetrics["scopeMetrics"][number]["metrics"][number];

/** `service::telemetry::metrics::readers[].periodic`, decoded. */
export interface PeriodicSettings {
  /** Milliseconds between two exports. */
  readonly interval: number;
  /** Milliseconds an export may take. */
  readonly timeout: number;
  readonly exporter: OwnOtlpSettings | "console";
}

export interface MetricSenderOptions extends SendingOptions {
  readonly startedUnixMs: number;
  readonly samples: () => Iterable<Sample>;
}

/** Sends all own metrics every so often, and once more when it stops. @throws {Error} when it cannot be opened. */
export async function openMetricSender(
  settings: PeriodicSettings,
  options: MetricSenderOptions,
): Promise<{ stop(): Promise<void> }> {
  const { AggregationTemporality, DataPointType, JsonMetricsSerializer, ProtobufMetricsSerializer, ValueType } =
    await import("./opentelemetry.ts");
  const { clock, logger, samples } = options;
  const destination = await openDestination(settings.exporter, "metrics", options);
  const isDelta = settings.exporter !== "console" && settings.exporter.temporality !== "cumulative";
  const toSdk = new SdkMetricsMaker({ AggregationTemporality, DataPointType, ValueType }, options, isDelta);
  let timer: Timer | undefined;
  let sending: Promise<void> | undefined;
  const sendNow = async () => {
    const metrics = toSdk.of(samples(), clock.nowMs());
    const request = {
      protobuf: () => ProtobufMetricsSerializer.serializeRequest(metrics),
      json: () => JsonMetricsSerializer.serializeRequest(metrics),
    };
    await destination.send(request, settings.timeout).catch((error: unknown) => {
      logger.warn({ error }, "Sending own metrics failed.");
    });
  };
  const next = () => {
    timer = clock.setTimer(() => {
      sending = sendNow().finally(() => {
        if (timer !== undefined) next();
      });
    }, settings.interval);
  };
  next();
  return {
    async stop() {
      if (timer !== undefined) clock.clearTimer(timer);
      timer = undefined;
      await sending;
      await sendNow();
      destination.close();
    },
  };
}

/** Makes what the SDK encodes out of samples; of totals, with delta temporality, what came since the last time. */
class SdkMetricsMaker {
  readonly #sdk: Sdk;
  readonly #isDelta: boolean;
  readonly #resource: SdkMetrics["resource"];
  readonly #former = new Map<string, Sample>();
  readonly #startedUnixMs: number;
  #sinceUnixMs: number;

  constructor(sdk: Sdk, { resource, schemaUrl, startedUnixMs }: MetricSenderOptions, isDelta: boolean) {
    this.#sdk = sdk;
    this.#isDelta = isDelta;
    this.#resource = sdkResource(resource, schemaUrl);
    this.#startedUnixMs = startedUnixMs;
    this.#sinceUnixMs = startedUnixMs;
  }

  of(samples: Iterable<Sample>, nowUnixMs: number): SdkMetrics {
    const byScope = new Map<string, Map<string, Sample[]>>();
    for (const sample of samples) {
      const scope = sample.scope ?? scopeOf(sample.name);
      const metrics = byScope.get(scope) ?? new Map<string, Sample[]>();
      byScope.set(scope, metrics);
      const series = metrics.get(sample.name) ?? [];
      metrics.set(sample.name, series);
      series.push(this.#isDelta ? this.#sinceLast(sample) : sample);
    }
    const scopeMetrics = [...byScope].map(([name, metrics]) => ({
      scope: { name },
      metrics: [...metrics.values()].flatMap((series) => this.#metric(series, nowUnixMs)),
    }));
    this.#sinceUnixMs = nowUnixMs;
    return { resource: this.#resource, scopeMetrics };
  }

  #metric(series: readonly Sample[], nowUnixMs: number): SdkMetric[] {
    const [first] = series;
    if (first === undefined) return [];
    const { name, description, unit, type } = first;
    const { AggregationTemporality, DataPointType, ValueType } = this.#sdk;
    const isWhole = !first.isDouble && series.every(({ value }) => Number.isInteger(value));
    const isSinceLast = this.#isDelta && type !== "updown";
    const common = {
      descriptor: { name, description, unit, valueType: isWhole ? ValueType.INT : ValueType.DOUBLE },
      aggregationTemporality: isSinceLast ? AggregationTemporality.DELTA : AggregationTemporality.CUMULATIVE,
    };
    const times = {
      startTime: sdkTime(isSinceLast ? this.#sinceUnixMs : this.#startedUnixMs),
      endTime: sdkTime(nowUnixMs),
    };
    const numbers = series.map(({ labels, value }) => ({ ...times, attributes: labels, value }));
    if (type === "gauge") return [{ ...common, dataPointType: DataPointType.GAUGE, dataPoints: numbers }];
    if (type !== "histogram") {
      const isMonotonic = type === "counter";
      return [{ ...common, dataPointType: DataPointType.SUM, isMonotonic, dataPoints: numbers }];
    }
    const dataPoints = series.map((sample) => ({ ...times, attributes: sample.labels, value: histogramOf(sample) }));
    return [{ ...common, dataPointType: DataPointType.HISTOGRAM, dataPoints }];
  }

  #sinceLast(sample: Sample): Sample {
    if (sample.type === "gauge" || sample.type === "updown") return sample;
    const key = keyOf(sample.name, sample.labels);
    const former = this.#former.get(key);
    this.#former.set(key, sample.buckets === undefined ? sample : copyOf(sample));
    if (former === undefined) return sample;
    const { buckets } = sample;
    const value = sample.value - former.value;
    if (buckets === undefined) return { ...sample, value };
    const counts = buckets.counts.map((count, index) => count - (former.buckets?.counts[index] ?? 0));
    return { ...sample, value, buckets: { bounds: buckets.bounds, counts } };
  }
}

function keyOf(name: string, labels: Labels): string {
  return JSON.stringify([name, Object.entries(labels).sort()]);
}

/** The counts of a histogram go on being counted in place. */
function copyOf(sample: Sample): Sample {
  const { buckets } = sample;
  return buckets === undefined ? sample : { ...sample, buckets: { ...buckets, counts: [...buckets.counts] } };
}

function histogramOf({ value, buckets }: Sample) {
  const { bounds = [], counts = [], min, max } = buckets ?? {};
  const count = counts.reduce((total, one) => total + one, 0);
  return {
    buckets: { boundaries: [...bounds], counts: [...counts] },
    sum: value,
    count,
    ...(min !== undefined && { min }),
    ...(max !== undefined && { max }),
  };
}
