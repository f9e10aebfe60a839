import type { ExporterHost } from "../host.ts";
import type { Signal } from "../pdata/index.ts";

const itemMetric: Record<Signal, string> = {
  traces: "spans",
  metrics: "metric_points",
  logs: "log_records",
  profiles: "profile_samples",
};

/** The Collector's metrics of a queued exporter. */
export function exporterMeters(host: ExporterHost) {
  const { meter, signal } = host;
  const failedName = `otelcol_exporter_enqueue_failed_${itemMetric[signal]}`;
  const description = "Number of items that could not be added to the sending queue.";
  let failed: ReturnType<typeof meter.counter> | undefined;
  return {
    /** Counts items that the queue refused; the series appears with the first. */
    enqueueFailed(items: number): void {
      failed ??= meter.counter(failedName, { description, unit: "{item}" });
      failed.add(items);
    },
    inFlight(read: () => number): void {
      const options = { description: "Requests that are being sent.", unit: "{request}" };
      meter.gauge("otelcol_exporter_in_flight_requests", options, read);
    },
    queue(queue: () => { readonly usedSize: number; readonly capacity: number }): void {
      const size = { description: "Current size of the sending queue, in units of its sizer.", unit: "{batch}" };
      meter.gauge("otelcol_exporter_queue_size", size, () => queue().usedSize);
      const capacity = { description: "Capacity of the sending queue, in units of its sizer.", unit: "{batch}" };
      meter.gauge("otelcol_exporter_queue_capacity", capacity, () => queue().capacity);
    },
  };
}
