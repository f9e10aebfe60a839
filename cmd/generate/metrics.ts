import { encode, type Metrics } from "../../pipeline/pdata/index.ts";
import type { Parcel } from "./generator.ts";
import { applications } from "./services.ts";
import type { Attributes, AttributeValue, Span } from "./span.ts";

const tokenBounds = [1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864];
const secondBounds = [0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92];
const cumulative = 2;

/**
 * The metrics that the application with the current conventions writes about its calls of models, cumulative since the
 * run began: token counts and durations.
 */
export class ClientMetrics {
  readonly #tokens = new Histograms(tokenBounds);
  readonly #seconds = new Histograms(secondBounds);

  /** Notes the calls among spans that are sent for the first time. */
  add({ trace, duplicate }: Parcel, spans: readonly Span[]): void {
    if (duplicate || trace.dialect !== "current") return;
    for (const span of spans) if (span.facts.usage?.role === "request") this.#addCall(span);
  }

  #addCall(span: Span): void {
    const { attributes } = span.text;
    const common = commonOf(attributes);
    this.#seconds.add({ ...common, "error.type": attributes["error.type"] }, (span.endNs - span.startNs) / 1e9);
    for (const type of ["input", "output"] as const) {
      const tokens = attributes[`gen_ai.usage.${type}_tokens`];
      if (typeof tokens === "number") this.#tokens.add({ ...common, "gen_ai.token.type": type }, tokens);
    }
  }

  /** All so far; undefined while there is nothing. */
  export(startUnixNano: bigint, timeUnixNano: bigint): Metrics | undefined {
    if (this.#seconds.isEmpty) return undefined;
    const metric = (name: string, unit: string, histograms: Histograms) => ({
      name,
      unit,
      histogram: {
        aggregationTemporality: cumulative,
        dataPoints: histograms.points().map((point) => ({ ...point, startTimeUnixNano: startUnixNano, timeUnixNano })),
      },
    });
    return encode("metrics", {
      resourceMetrics: [
        {
          resource: { attributes: keyValues(applications.current.resource) },
          scopeMetrics: [
            {
              scope: { name: "opentelemetry.instrumentation.openai_v2", version: "2.3b0" },
              metrics: [
                metric("gen_ai.client.operation.duration", "s", this.#seconds),
                metric("gen_ai.client.token.usage", "{token}", this.#tokens),
              ],
            },
          ],
        },
      ],
    });
  }
}

const commonNames = [
  "gen_ai.operation.name",
  "gen_ai.provider.name",
  "gen_ai.request.model",
  "gen_ai.response.model",
  "server.address",
  "server.port",
];

function commonOf(attributes: Attributes): Record<string, AttributeValue> {
  return Object.fromEntries(commonNames.map((name) => [name, attributes[name]]));
}

interface Histogram {
  readonly attributes: Attributes;
  readonly counts: number[];
  count: number;
  sum: number;
  min: number;
  max: number;
}

/** Histograms of one metric by their attributes. */
class Histograms {
  readonly #bounds: readonly number[];
  readonly #byAttributes = new Map<string, Histogram>();

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds;
  }

  get isEmpty(): boolean {
    return this.#byAttributes.size === 0;
  }

  add(attributes: Attributes, value: number): void {
    const key = Object.values(attributes).join("\n");
    const counts = () => new Array<number>(this.#bounds.length + 1).fill(0);
    const fresh = () => ({ attributes, counts: counts(), count: 0, sum: 0, min: value, max: value });
    const histogram = this.#byAttributes.get(key) ?? fresh();
    this.#byAttributes.set(key, histogram);
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    histogram.counts[bucket === -1 ? this.#bounds.length : bucket]!++;
    histogram.count++;
    histogram.sum += value;
    histogram.min = Math.min(histogram.min, value);
    histogram.max = Math.max(histogram.max, value);
  }

  points() {
    return [...this.#byAttributes.values()].map(({ attributes, counts, count, sum, min, max }) => ({
      attributes: keyValues(attributes),
      bucketCounts: counts,
      explicitBounds: this.#bounds,
      count,
      sum,
      min,
      max,
    }));
  }
}

interface KeyValue {
  readonly key: string;
  readonly value: { readonly stringValue: string } | { readonly intValue: number };
}

/** Texts and whole numbers, as the attributes of these metrics are; what is undefined is left out. */
function keyValues(attributes: Attributes): KeyValue[] {
  return Object.entries(attributes).flatMap(([key, value]): KeyValue[] => {
    if (typeof value === "string") return [{ key, value: { stringValue: value } }];
    return typeof value === "number" ? [{ key, value: { intValue: value } }] : [];
  });
}
