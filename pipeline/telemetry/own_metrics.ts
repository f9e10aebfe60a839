import type { Clock } from "../host.ts";
import type { ServiceView } from "../view.ts";
import type { MetricRegistry, Sample } from "./meter.ts";

/** Registers what the service measures of itself: the books of each node, memory, the event loop. */
export function registerOwnMetrics(metrics: MetricRegistry, view: ServiceView, clock: Clock): void {
  const meter = metrics.meter({});
  const gauge = (name: string, unit: string, description: string, read: () => number) =>
    meter.gauge(name, { unit, description }, read);
  gauge("otelcol_process_uptime", "s", "Seconds since the start.", () => (clock.nowMs() - view.startedUnixMs) / 1000);
  gauge("otelcol_process_memory_rss", "By", "Resident memory.", () => view.process().rssBytes);
  gauge(
    "otelpipe_event_loop_lag",
    "ms",
    "99th percentile of the event loop's delay, milliseconds.",
    () => view.process().loopLagMs,
  );
  gauge("otelpipe_cpu_cores", "{cpu}", "Cores in use over the last second.", () => view.process().cpuCores);
  gauge("otelpipe_budget_used", "By", "Bytes unanswered, queued or batched.", () => view.process().budgetUsedBytes);
  gauge("otelpipe_budget_limit", "By", "Bytes that may be.", () => view.process().budgetLimitBytes);
}

/** The books of every node as samples: in = out + dropped + refused + held, items. */
export function* bookSamples(view: ServiceView): Iterable<Sample> {
  const sample = (name: string, description: string, labels: Sample["labels"], value: number): Sample => ({
    name,
    type: name.endsWith("_held") ? "gauge" : "counter",
    description,
    unit: "{item}",
    labels,
    value,
  });
  for (const side of ["in", "out", "refused", "held"] as const) {
    for (const { key, books } of view.nodes()) {
      yield sample(`otelpipe_node_items_${side}`, "The books of a component.", { node: key }, books[side]);
    }
  }
  for (const { key, books } of view.nodes()) {
    for (const [reason, items] of books.dropped) {
      yield sample("otelpipe_node_items_dropped", "Items dropped, by reason.", { node: key, reason }, items);
    }
  }
}
