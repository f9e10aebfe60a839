import type { Clock } from "../host.ts";
import type { ServiceView } from "../view.ts";
import type { MetricRegistry, Sample } from "./meter.ts";

/** Registers what the service measures of itself: the process as the Collector does, the event loop, the byte budget. */
export function registerOwnMetrics(metrics: MetricRegistry, view: ServiceView, clock: Clock): void {
  const meter = metrics.meter({});
  const gauge = (name: string, unit: string, description: string, read: () => number) =>
    meter.gauge(name, { unit, description }, read);
  const rss = "Total physical memory (resident set size) [Alpha]";
  gauge("otelcol_process_memory_rss", "By", rss, () => view.process().rssBytes);
  gauge(
    "otelpipe_event_loop_lag",
    "ms",
    "99th percentile of the event loop's delay, milliseconds.",
    () => view.process().loopLagMs,
  );
  gauge("otelpipe_cpu_cores", "{cpu}", "Cores in use over the last second.", () => view.process().cpuCores);
  gauge("otelpipe_budget_used", "By", "Bytes unanswered, queued or batched.", () => view.process().budgetUsedBytes);
  gauge("otelpipe_budget_limit", "By", "Bytes that may be.", () => view.process().budgetLimitBytes);
  const total = (name: string, unit: string, description: string, read: () => number | undefined) =>
    meter.gauge(name, { unit, description: `${description} [Alpha]`, isDouble: unit === "s", as: "counter" }, read);
  total("otelcol_process_uptime", "s", "Uptime of the process", () => (clock.nowMs() - view.startedUnixMs) / 1000);
  total("otelcol_process_cpu_seconds", "s", "Total CPU user and system time in seconds", cpuSeconds);
  registerHeapMetrics(metrics);
}

/** Registers what a thread measures of its heap: that of the process is what all its threads have. */
export function registerHeapMetrics(metrics: MetricRegistry): void {
  const meter = metrics.meter({});
  const gauge = (name: string, description: string, read: () => number | undefined, as?: "counter") =>
    meter.gauge(
      `otelcol_process_runtime_${name}`,
      { unit: "By", description: `${description} [Alpha]`, ...(as && { as }) },
      read,
    );
  gauge(
    "heap_alloc_bytes",
    "Bytes of allocated heap objects (see 'go doc runtime.MemStats.HeapAlloc')",
    () => process.memoryUsage().heapUsed,
  );
  gauge(
    "total_sys_memory_bytes",
    "Total bytes of memory obtained from the OS (see 'go doc runtime.MemStats.Sys')",
    () => {
      const { heapTotal, external } = process.memoryUsage();
      return heapTotal + external;
    },
  );
  gauge(
    "total_alloc_bytes",
    "Cumulative bytes allocated for heap objects (see 'go doc runtime.MemStats.TotalAlloc')",
    allocatedBytes,
    "counter",
  );
}

/** What has been allocated since the start, where this Node counts it. */
function allocatedBytes(): number | undefined {
  const statistics: object = process.getBuiltinModule("node:v8").getHeapStatistics();
  return "total_allocated_bytes" in statistics ? Number(statistics.total_allocated_bytes) : undefined;
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** What passed the processors, as the Collector counts it: without those that hold data back, like its batch processor. */
export function* processorSamples(view: ServiceView): Iterable<Sample> {
  const passing = view
    .nodes()
    .filter((node) => node.kind === "processor" && node.holdsData !== true && node.books.in > 0);
  const sums = new Map<string, { readonly labels: Sample["labels"]; in: number; out: number }>();
  for (const { id, pipelineId = "", books } of passing) {
    const [signal = ""] = pipelineId.split("/");
    const key = JSON.stringify([id, signal]);
    const sum = sums.get(key) ?? { labels: { processor: id, "otel.signal": signal }, in: 0, out: 0 };
    sum.in += books.in;
    sum.out += books.passed;
    sums.set(key, sum);
  }
  const counter = { type: "counter", unit: "{item}", isDouble: false } as const;
  for (const { labels, in: value } of sums.values()) {
    const description = "Number of items passed to the processor. [Alpha]";
    yield { ...counter, name: "otelcol_processor_incoming_items", description, labels, value };
  }
  for (const { labels, out: value } of sums.values()) {
    const description = "Number of items emitted from the processor. [Alpha]";
    yield { ...counter, name: "otelcol_processor_outgoing_items", description, labels, value };
  }
}

/** The books of every node as samples: in = out + dropped + refused + held, items. */
export function* bookSamples(view: ServiceView): Iterable<Sample> {
  const sample = (name: string, description: string, labels: Sample["labels"], value: number): Sample => ({
    name,
    type: /_(?:in|refused|dropped)$/.test(name) ? "counter" : "gauge",
    description,
    unit: "{item}",
    isDouble: false,
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
