import { type ClientInfo, ConsumeError } from "../delivery.ts";
import type { Counter, Histogram, Labels, Meter } from "../host.ts";
import { rpcCodeName } from "../net/status.ts";
import type { Pdata, Signal } from "../pdata/index.ts";
import type { MetricRegistry } from "./meter.ts";

/** How the Collector names the items of a signal in metrics: the end of a name, the words of its help, and its unit. */
export const itemNames: { readonly [S in Signal]: { readonly suffix: string; readonly noun: string; unit: string } } = {
  traces: { suffix: "spans", noun: "spans", unit: "{span}" },
  metrics: { suffix: "metric_points", noun: "metric points", unit: "{datapoint}" },
  logs: { suffix: "log_records", noun: "log records", unit: "{record}" },
  profiles: { suffix: "profile_samples", noun: "profile samples", unit: "{sample}" },
};

/** Upper bounds for numbers of items, as the Collector's histograms have them. */
export const itemBounds: readonly number[] = [
  10, 25, 50, 75, 100, 250, 500, 750, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000, 20000, 30000, 50000,
  100000,
];

/** Upper bounds for sizes in bytes, as the Collector's histograms have them: 128 to 16 MiB. */
export const byteBounds: readonly number[] = Array.from({ length: 18 }, (_, index) => 2 ** (index + 7));

/** Upper bounds of histograms that say nothing else. @see OpenTelemetry specification: metrics SDK, default bounds. */
const standardBounds = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000];

/** `otelcol_processor_internal_duration` of one processor, in seconds; undefined where it is not measured. */
export function processorDuration(metrics: MetricRegistry, id: string, signal: Signal): Histogram | undefined {
  return metrics.meter({ processor: id, "otel.signal": signal }).histogram("otelcol_processor_internal_duration", {
    description: "Duration of time taken to process a batch of telemetry data through the processor. [Alpha]",
    unit: "s",
    bounds: standardBounds,
    level: "detailed",
  });
}

type Transport = ClientInfo["transport"];
type Bound = ReturnType<Counter["with"]>;

/** What became of what a receiver took in, by transport. */
export interface ReceiverMeter {
  settled(transport: Transport, items: number, wasTaken: boolean): void;
}

/** `otelcol_receiver_accepted_*`, `…_refused_*` and `…_failed_*` of one signal; the last is always 0, as the Collector's. */
export function receiverMeter(meter: Meter, signal: Signal): ReceiverMeter {
  const { suffix, noun, unit } = itemNames[signal];
  const counter = (word: string, description: string) =>
    meter.counter(`otelcol_receiver_${word}_${suffix}`, { description: `${description} [Alpha]`, unit });
  const accepted = counter("accepted", `Number of ${noun} successfully pushed into the pipeline.`);
  const refused = counter("refused", `Number of ${noun} that could not be pushed into the pipeline.`);
  const failed = counter(
    "failed",
    `The number of ${noun} that failed to be processed by the receiver due to internal errors.`,
  );
  const series = new Map<Transport, { readonly accepted: Bound; readonly refused: Bound; readonly failed: Bound }>();
  const seriesOf = (name: Transport) => {
    const known = series.get(name);
    if (known !== undefined) return known;
    const transport = { transport: name === "internal" ? "" : name };
    const made = {
      accepted: accepted.with(transport),
      refused: refused.with(transport),
      failed: failed.with(transport),
    };
    series.set(name, made);
    return made;
  };
  return {
    settled(transport, items, wasTaken) {
      const counts = seriesOf(transport);
      counts.accepted.add(wasTaken ? items : 0);
      counts.refused.add(wasTaken ? 0 : items);
      counts.failed.add(0);
    },
  };
}

/** What an exporter's destination took, and what it did not take in the end. */
export interface ExporterMeter {
  /** Labels of where it sends to; they stand on what is counted from now on. */
  destination(labels: Labels): void;
  /** A batch that is about to be sent, where batching is on. */
  sending(data: Pdata): void;
  sent(items: number): void;
  failed(items: number, error: ConsumeError): void;
}

/** `otelcol_exporter_sent_*` and `otelcol_exporter_send_failed_*` of one signal. */
export function exporterMeter(meter: Meter, signal: Signal, isDetailed: boolean): ExporterMeter {
  const { suffix, noun, unit } = itemNames[signal];
  const stability = signal === "profiles" ? "[Development]" : "[Alpha]";
  const sent = meter.counter(`otelcol_exporter_sent_${suffix}`, {
    description: `Number of ${signal === "logs" ? "log record" : noun} successfully sent to destination. ${stability}`,
    unit,
  });
  const failed = meter.counter(`otelcol_exporter_send_failed_${suffix}`, {
    description:
      `Number of ${noun} in failed attempts to send to destination. At detailed telemetry level, includes ` +
      `attributes: error.type (semantic convention), error.permanent. ${stability}`,
    unit,
  });
  let destination: Labels = {};
  let sentThere = sent.with(destination);
  let sizes: ReturnType<typeof batchSizes> | undefined;
  return {
    destination(labels) {
      destination = labels;
      sentThere = sent.with(labels);
    },
    sending(data) {
      sizes ??= batchSizes(meter);
      sizes.items?.record(data.itemCount, destination);
      sizes.bytes?.record(data.sizeBytes, destination);
    },
    sent: (items) => sentThere.add(items),
    failed(items, error) {
      sentThere.add(0);
      failed.add(items, isDetailed ? { ...destination, ...errorLabels(error) } : destination);
    },
  };
}

function batchSizes(meter: Meter) {
  const level = "detailed";
  const notes = "Only recorded when batching is enabled. Only available on detailed level. [Development]";
  return {
    items: meter.histogram("otelcol_exporter_queue_batch_send_size", {
      description: `Number of units in the batch. ${notes}`,
      unit: "{unit}",
      bounds: itemBounds,
      level,
    }),
    bytes: meter.histogram("otelcol_exporter_queue_batch_send_size_bytes", {
      description: `Number of bytes in batch that was sent. ${notes}`,
      unit: "By",
      bounds: byteBounds,
      level,
    }),
  };
}

function errorLabels(error: ConsumeError): Labels {
  return { "error.type": errorType(error), "error.permanent": String(!error.retryable) };
}

/** The gRPC code of an error by Go's name, `Shutdown`, `Canceled`, or `_OTHER`. @see Collector: `obs_report_sender.go`. */
function errorType(error: ConsumeError): string {
  if (error.message.startsWith("shutdown")) return "Shutdown";
  if (error.message.startsWith("request is cancelled")) return "Canceled";
  const { cause } = error;
  const code = error.grpcStatus ?? (cause instanceof ConsumeError ? cause.grpcStatus : undefined);
  return code === undefined ? "_OTHER" : rpcCodeName(code);
}
