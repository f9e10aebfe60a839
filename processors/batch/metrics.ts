import type { ProcessorHost } from "../../pipeline/host.ts";

const itemBounds = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000,
  100000,
];

/** What a batch processor measures, with the Collector's names. */
export interface BatchMetrics {
  sent(items: number): void;
  sizeTriggered(): void;
  timeoutTriggered(): void;
}

export function batchMetrics(host: ProcessorHost, combinations: () => number): BatchMetrics {
  const name = (rest: string) => `otelcol_processor_batch_${rest}`;
  const size = host.meter.histogram(name("batch_send_size"), {
    description: "Number of units in the batch",
    unit: "{unit}",
    bounds: itemBounds,
  });
  const bySize = host.meter.counter(name("batch_size_trigger_send"), {
    description: "Number of times the batch was sent due to a size trigger",
    unit: "{time}",
  });
  const byTimeout = host.meter.counter(name("timeout_trigger_send"), {
    description: "Number of times the batch was sent due to a timeout trigger",
    unit: "{time}",
  });
  host.meter.gauge(
    name("metadata_cardinality"),
    { description: "Number of distinct metadata value combinations being processed", unit: "{combination}" },
    combinations,
  );
  return {
    sent: (items) => size.record(items),
    sizeTriggered: () => bySize.add(1),
    timeoutTriggered: () => byTimeout.add(1),
  };
}
