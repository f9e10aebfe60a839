import type { TelemetryConfig } from "./config/telemetry.ts";
import type { Exclusives } from "./graph/exclusives.ts";
import { Tenure } from "./graph/tenure.ts";
import { telemetryChanges } from "./telemetry/changes.ts";
import type { LogLevel } from "./telemetry/logger.ts";
import type { MetricRegistry } from "./telemetry/meter.ts";
import { OwnTelemetry, type OwnTelemetryOptions } from "./telemetry/own_telemetry.ts";
import type { ServiceView } from "./view.ts";

export interface RunningTelemetryOptions extends Omit<OwnTelemetryOptions, "owner" | "metrics"> {
  readonly exclusives: Exclusives;
  readonly setLogLevel: ((level: LogLevel) => void) | undefined;
}

/** Own telemetry of a service whose configuration may change. What was counted stays. */
export class RunningTelemetry {
  readonly metrics: MetricRegistry;
  readonly #options: RunningTelemetryOptions;
  readonly #view: ServiceView;
  #current: OwnTelemetry;
  #tenure = new Tenure();

  constructor(config: TelemetryConfig, view: ServiceView, options: RunningTelemetryOptions) {
    this.#view = view;
    this.#options = options;
    this.#current = this.#make(config, this.#tenure);
    this.metrics = this.#current.metrics;
  }

  /** @throws {Error} naming the endpoint that cannot be bound. */
  async start(): Promise<void> {
    await this.#current.start();
  }

  async stop(): Promise<void> {
    await this.#current.stop();
  }

  /**
   * Applies what a running service can: the level of logs, and who reads its metrics. Says what it cannot.
   * @throws {Error} when a reader cannot be started; all is as before then.
   */
  async change(former: TelemetryConfig, next: TelemetryConfig): Promise<void> {
    const { readers, later } = telemetryChanges(former, next);
    if (readers) await this.#replace({ ...former, metrics: { ...former.metrics, readers: next.metrics.readers } });
    const { setLogLevel, logger } = this.#options;
    setLogLevel?.(next.logs.level);
    if (later.length > 0) logger.warn({ settings: later }, "Settings of own telemetry take effect at the next start.");
  }

  async #replace(config: TelemetryConfig): Promise<void> {
    const [former, formerTenure] = [this.#current, this.#tenure];
    const tenure = new Tenure();
    const next = this.#make(config, tenure, this.metrics);
    formerTenure.isEnding = true;
    try {
      await next.start();
    } catch (error) {
      formerTenure.isEnding = false;
      await next.stop();
      throw error;
    }
    this.#current = next;
    this.#tenure = tenure;
    await former.stop();
  }

  #make(config: TelemetryConfig, tenure: Tenure, metrics?: MetricRegistry): OwnTelemetry {
    const { exclusives, setLogLevel: _, ...options } = this.#options;
    const owner: OwnTelemetryOptions["owner"] = {
      exclusive: (name, exclusive) => exclusives.take(tenure, name, exclusive),
    };
    return new OwnTelemetry(config, this.#view, { ...options, owner, ...(metrics !== undefined && { metrics }) });
  }
}
