import type { TelemetryConfig } from "../config/telemetry.ts";
import type { Clock, Logger } from "../host.ts";
import type { PortOwner } from "../net/listener.ts";
import type { ServiceView } from "../view.ts";
import { MetricRegistry, type Sample } from "./meter.ts";
import { bookSamples, processorSamples, registerOwnMetrics } from "./own_metrics.ts";
import type { Resource } from "./resource.ts";
import { type Views, viewsOf } from "./views.ts";

/** What own telemetry needs of its surroundings. */
export interface OwnTelemetryOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Whom it is about. */
  readonly resource: Resource;
  /** What names this program to servers that own telemetry is sent to. */
  readonly userAgent: string;
  /** Where ports come from that may be those of own telemetry with other settings. */
  readonly owner?: PortOwner;
  /** What other threads measure; absent where there are none. */
  readonly others?: OtherThreads;
  /** The metrics that are measured already; new ones when absent. */
  readonly metrics?: MetricRegistry;
}

/** What threads measure that are a part of the same service. */
interface OtherThreads {
  /** Has them say how things stand. */
  refresh(): Promise<void>;
  /** These series with those of the others. */
  merged(samples: Iterable<Sample>): Iterable<Sample>;
}

/** Something that gives own metrics to others while the service runs. */
interface Reader {
  stop(): Promise<void>;
}

/** The metrics of a running service and those who read them, as `service::telemetry` says. */
export class OwnTelemetry {
  readonly metrics: MetricRegistry;
  readonly #config: TelemetryConfig;
  readonly #options: OwnTelemetryOptions;
  readonly #view: ServiceView;
  readonly #readers: Reader[] = [];
  readonly #views: Views | undefined;

  constructor(config: TelemetryConfig, view: ServiceView, options: OwnTelemetryOptions) {
    this.#config = config;
    this.#view = view;
    this.#options = options;
    const { level, views } = config.metrics;
    this.#views = views === undefined ? undefined : viewsOf(views);
    this.metrics = options.metrics ?? new MetricRegistry(level, this.#views?.boundsOf);
    if (options.metrics === undefined) registerOwnMetrics(this.metrics, view, options.clock);
  }

  /** Every series of every own metric at this moment, as the views of the configuration want them. */
  samples(): Iterable<Sample> {
    return this.#views === undefined ? this.#all() : this.#views.apply(this.#all());
  }

  *#all(): Iterable<Sample> {
    yield* bookSamples(this.#view);
    yield* processorSamples(this.#view);
    const { others } = this.#options;
    yield* others?.merged(this.metrics.samples()) ?? this.metrics.samples();
  }

  /** Starts the readers of the metrics. @throws {Error} naming the endpoint that cannot be bound. */
  async start(): Promise<void> {
    const { level, readers } = this.#config.metrics;
    if (level === "none") {
      this.#options.logger.info({}, "Internal metrics telemetry disabled");
      return;
    }
    for (const { pull, periodic } of readers) {
      if (pull?.exporter.prometheus !== undefined) this.#readers.push(await this.#serve(pull.exporter.prometheus));
      if (periodic !== undefined) this.#readers.push(await this.#send(periodic));
    }
  }

  async stop(): Promise<void> {
    await Promise.all(this.#readers.splice(0).map((reader) => reader.stop()));
  }

  async #serve(settings: PrometheusSettings): Promise<Reader> {
    const { startPrometheusReader } = await import("./prometheus.ts");
    const { resource, logger, owner, others } = this.#options;
    const samples = async () => {
      await others?.refresh();
      return this.samples();
    };
    const { addresses, stop } = await startPrometheusReader(settings, resource, samples, owner);
    logger.info({ endpoint: addresses.join(", ") }, "Serving metrics");
    return { stop };
  }

  async #send(settings: Periodic): Promise<Reader> {
    const { openMetricSender } = await import("./sending/metrics.ts");
    const { schemaUrl } = this.#config.resource;
    const { startedUnixMs } = this.#view;
    return openMetricSender(settings, { ...this.#options, schemaUrl, startedUnixMs, samples: () => this.samples() });
  }
}

type Periodic = NonNullable<TelemetryConfig["metrics"]["readers"][number]["periodic"]>;
type PrometheusSettings = NonNullable<
  NonNullable<TelemetryConfig["metrics"]["readers"][number]["pull"]>["exporter"]["prometheus"]
>;
