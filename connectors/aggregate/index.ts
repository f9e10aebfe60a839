import { type Connector, connector } from "../../pipeline/component.ts";
import { SpanAggregation } from "../../pipeline/frame/aggregation.ts";
import { pauseOn } from "../../pipeline/frame/engine.ts";
import { type AggregateSettings, aggregateConfig, aggregateSettings } from "../../pipeline/frame/settings.ts";
import type { ConnectorHost } from "../../pipeline/host.ts";
import type { Traces } from "../../pipeline/pdata/index.ts";
import { metricsOf } from "./metrics.ts";
import { Outbox } from "./outbox.ts";

export default connector({
  type: "aggregate",
  stability: { traces_to_metrics: "alpha" },
  summary:
    "Aggregates spans in tumbling windows by any of their fields; each closed window becomes metrics, count and sum as delta sums, the others as gauges.",
  config: aggregateConfig,
  examples: [
    {
      title: "Requests, tokens and latency per service, model and status",
      yaml: `aggregate:
  window: 10s
  group_by: [resource.service.name, gen_ai.request.model, status]
  columns: { requests: count, tokens: sum(gen_ai.usage.output_tokens), p95_ms: "quantile(duration, 0.95)" }`,
    },
  ],
  create: (config, host) => aggregate(aggregateSettings(config), host),
});

/**
 * A span is acked once it is read into its window, and held in the books until the metrics of that window have been
 * taken. One that comes too late for its window is dropped with the reason `late`.
 */
function aggregate(settings: AggregateSettings, host: ConnectorHost): Connector<Traces> {
  const outbox = new Outbox(host);
  const pause = pauseOn(host.clock);
  const aggregation = new SpanAggregation(settings, host, async ({ table, spanCount }) => {
    const metrics = await metricsOf(table, settings, host.build.version, pause);
    if (metrics === undefined) host.sent(spanCount);
    else outbox.add(metrics, spanCount);
  });
  const { board, id } = host;
  let withdraw = () => {};
  return {
    async start() {
      await aggregation.ready();
      withdraw = board.publish("tables", id, aggregation.tables);
    },
    consume(delivery) {
      aggregation.take(delivery.data, (skipped) => {
        for (const [reason, spans] of skipped) host.drop(spans, reason);
        delivery.ack();
      });
    },
    async drain(deadlineMs) {
      await aggregation.flush();
      await outbox.drain(deadlineMs);
    },
    async stop() {
      outbox.stop();
      withdraw();
      const dropped = await aggregation.stop();
      if (dropped > 0) host.drop(dropped, "shutdown");
    },
    facts: () => aggregation.tables.facts?.() ?? [],
  };
}
