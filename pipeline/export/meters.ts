import type { ExporterHost } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import { byteBounds, itemBounds, itemNames } from "../telemetry/item_metrics.ts";

/**
 * The Collector's metrics of a queue and of what is on its way, with its words: it speaks of batches in a retry queue
 * where it counts in the units of the queue's sizer.
 */
export function exporterMeters(host: ExporterHost) {
  const { meter, signal } = host;
  const { suffix, noun, unit } = itemNames[signal];
  const ofSignal = { data_type: signal };
  let failed: ReturnType<typeof meter.counter> | undefined;
  const added = (units: string, what: string, size: string, bounds: readonly number[]) =>
    meter.histogram(`otelcol_exporter_enqueue_size${what}`, {
      description:
        `Number of ${units} in the request added to the sending queue. Only available on detailed level. ` +
        "[Development]",
      unit: size,
      bounds,
      level: "detailed",
    });
  let sizes: { readonly items: ReturnType<typeof added>; readonly bytes: ReturnType<typeof added> } | undefined;
  return {
    /** Measures what is offered to the queue. */
    offered(data: Pdata): void {
      sizes ??= { items: added("units", "", "{unit}", itemBounds), bytes: added("bytes", "_bytes", "By", byteBounds) };
      sizes.items?.record(data.itemCount);
      sizes.bytes?.record(data.sizeBytes);
    },
    /** Counts items that the queue refused; the series appears with the first. */
    enqueueFailed(items: number): void {
      const stability = signal === "profiles" ? "[Development]" : "[Alpha]";
      failed ??= meter.counter(`otelcol_exporter_enqueue_failed_${suffix}`, {
        description: `Number of ${noun} failed to be added to the sending queue. ${stability}`,
        unit,
      });
      failed.add(items);
    },
    inFlight(read: () => number): void {
      const description = "Number of export requests currently in-flight (including retry backoff). [Development]";
      const options = { description, unit: "{request}", as: "updown" } as const;
      meter.gauge("otelcol_exporter_in_flight_requests", options, read, ofSignal);
    },
    queue(queue: () => { readonly usedSize: number; readonly capacity: number }): void {
      const size = { description: "Current size of the retry queue (in batches). [Alpha]", unit: "{batch}" };
      meter.gauge("otelcol_exporter_queue_size", size, () => queue().usedSize, ofSignal);
      const capacity = { description: "Fixed capacity of the retry queue (in batches). [Alpha]", unit: "{batch}" };
      meter.gauge("otelcol_exporter_queue_capacity", capacity, () => queue().capacity, ofSignal);
    },
  };
}
