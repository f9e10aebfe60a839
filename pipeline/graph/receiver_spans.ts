import type { ClientInfo, ConsumeError } from "../delivery.ts";
import type { Signal } from "../pdata/index.ts";
import { itemNames } from "../telemetry/item_metrics.ts";
import type { Tracer, TraceSpan } from "../tracing.ts";

const words = { traces: "TraceData", metrics: "Metrics", logs: "Logs", profiles: "Profiles" } as const;

/** Own spans of what a receiver takes in. @see Collector: `receiver/receiverhelper/obsreport.go`. */
export class ReceiverSpans {
  readonly #tracer: Tracer;
  readonly #name: string;
  readonly #suffix: string;

  constructor(tracer: Tracer, receiverId: string, signal: Signal) {
    this.#tracer = tracer;
    this.#name = `receiver/${receiverId}/${words[signal]}Received`;
    this.#suffix = itemNames[signal].suffix;
  }

  start({ transport, trace }: ClientInfo): TraceSpan {
    return this.#tracer.start(this.#name, { parent: trace, attributes: { transport, format: "protobuf" } });
  }

  end(span: TraceSpan, items: number, error: ConsumeError | undefined): void {
    span.set({
      [`accepted_${this.#suffix}`]: error === undefined ? items : 0,
      [`refused_${this.#suffix}`]: error === undefined ? 0 : items,
      [`failed_${this.#suffix}`]: 0,
    });
    span.end(error?.message);
  }
}
