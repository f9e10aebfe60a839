import type { ProcessorHost } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import { byteBounds, itemBounds } from "../../pipeline/telemetry/item_metrics.ts";

/** What a batch processor measures, with the Collector's names. */
export interface BatchMetrics {
  sent(data: Pdata): void;
  sizeTriggered(): void;
  timeoutTriggered(): void;
}

export function batchMetrics(host: ProcessorHost, combinations: () => number): BatchMetrics {
  const name = (rest: string) => `otelcol_processor_batch_${rest}`;
  const options = (description: string, unit: string, level: "normal" | "detailed" = "normal") => ({
    description: `${description} [Development]`,
    unit,
    level,
  });
  const size = host.meter.histogram(name("batch_send_size"), {
    ...options("Number of units in the batch", "{unit}"),
    bounds: itemBounds,
  });
  const bytes = host.meter.histogram(name("batch_send_size_bytes"), {
    ...options("Number of bytes in batch that was sent. Only available on detailed level.", "By", "detailed"),
    bounds: byteBounds,
  });
  const triggered = (trigger: string) =>
    host.meter.counter(
      name(`${trigger}_trigger_send`),
      options(`Number of times the batch was sent due to a ${trigger.replace("batch_", "")} trigger`, "{time}"),
    );
  const bySize = triggered("batch_size");
  const byTimeout = triggered("timeout");
  host.meter.gauge(
    name("metadata_cardinality"),
    { ...options("Number of distinct metadata value combinations being processed", "{combination}"), as: "updown" },
    combinations,
  );
  return {
    sent(data) {
      size?.record(data.itemCount);
      bytes?.record(data.sizeBytes);
    },
    sizeTriggered: () => bySize.add(1),
    timeoutTriggered: () => byTimeout.add(1),
  };
}
