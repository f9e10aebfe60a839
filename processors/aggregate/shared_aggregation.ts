import { SpanAggregation } from "../../pipeline/frame/aggregation.ts";
import type { AggregateSettings } from "../../pipeline/frame/settings.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";

/** One aggregation for all pipelines that list the same component id, since its tables go by that id. */
export class SharedAggregation {
  readonly #settings: AggregateSettings;
  readonly #host: ProcessorHost;
  #aggregation: SpanAggregation | undefined;
  #withdraw: () => void = () => {};
  #users = 0;
  /** Pipelines that may still bring spans. */
  #flowing = 0;

  constructor(settings: AggregateSettings, host: ProcessorHost) {
    this.#settings = settings;
    this.#host = host;
  }

  /** Opens the aggregation for one more pipeline and publishes its tables. Returns how to let go of it. */
  acquire(): () => Promise<void> {
    this.#users++;
    this.#flowing++;
    if (this.#aggregation === undefined) {
      this.#aggregation = new SpanAggregation(this.#settings, this.#host);
      this.#withdraw = this.#host.board.publish("tables", this.#host.id, this.#aggregation.tables);
    }
    return () => this.#release();
  }

  take(traces: Traces): void {
    this.#aggregation?.take(traces);
  }

  /** One pipeline has ended. After the last one all windows close; resolves when their tables are published. */
  async complete(): Promise<void> {
    this.#flowing--;
    if (this.#flowing === 0) await this.#aggregation?.flush();
  }

  async #release(): Promise<void> {
    this.#users--;
    const aggregation = this.#aggregation;
    if (this.#users > 0 || aggregation === undefined) return;
    this.#aggregation = undefined;
    this.#withdraw();
    await aggregation.stop();
  }
}
