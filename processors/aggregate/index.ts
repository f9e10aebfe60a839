import { Observable } from "rxjs";
import { type Operator, processor } from "../../pipeline/component.ts";
import { ConsumeError } from "../../pipeline/delivery.ts";
import { type AggregateSettings, aggregateConfig, aggregateSettings } from "../../pipeline/frame/settings.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";
import { SharedAggregation } from "./shared_aggregation.ts";

export default processor({
  type: "aggregate",
  stability: { traces: "alpha" },
  summary: "Aggregates spans in tumbling windows by any of their fields, publishes the tables and passes the spans on.",
  config: aggregateConfig,
  examples: [
    {
      title: "Requests, tokens and latency per service, model and status",
      yaml: `aggregate:
  window: 10s
  allowed_lateness: 5s
  group_by: [resource.service.name, gen_ai.request.model, status]
  columns: { requests: count, tokens: sum(gen_ai.usage.output_tokens), p95_ms: "quantile(duration, 0.95)" }
  engine: auto`,
    },
    {
      title: "Error rate and number of traces per operation, once a minute",
      yaml: `aggregate/errors:
  window: 1m
  group_by: [name]
  columns: { error_rate: error_rate, traces: nunique(trace_id) }`,
    },
  ],
  traces: (config, host) => aggregate(aggregateSettings(config), host),
});

/**
 * Reads every span into its window and passes the delivery on as it came. A batch that is refused behind here and sent
 * again counts again. `complete` goes down once the tables of all windows are published, when this is the last pipeline with this aggregate.
 */
function aggregate(settings: AggregateSettings, host: ProcessorHost): Operator<Traces> {
  return (source) =>
    new Observable((subscriber) => {
      const shared = host.shared("aggregation", () => new SharedAggregation(settings, host));
      const release = shared.acquire();
      const subscription = source.subscribe({
        next(delivery) {
          try {
            shared.take(delivery.data);
          } catch (thrown) {
            host.refuse(delivery, ConsumeError.from(thrown));
            return;
          }
          subscriber.next(delivery);
        },
        error: (error) => subscriber.error(error),
        complete: () => void shared.complete().then(() => subscriber.complete()),
      });
      return () => {
        subscription.unsubscribe();
        void release();
      };
    });
}
