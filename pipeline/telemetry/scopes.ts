const core = "go.opentelemetry.io/collector";

/** The Collector's instrumentation scopes by how the names of their metrics begin; the first that fits counts. */
const scopes: readonly (readonly [string, string])[] = [
  ["otelcol_processor_batch_", `${core}/processor/batchprocessor`],
  ["otelcol_processor_memory_limiter_", `${core}/processor/memorylimiterprocessor`],
  ["otelcol_processor_incoming_items", `${core}/processor/processorhelper`],
  ["otelcol_processor_outgoing_items", `${core}/processor/processorhelper`],
  ["otelcol_processor_internal_duration", `${core}/processor/processorhelper`],
  ["otelcol_receiver_", `${core}/receiver/receiverhelper`],
  ["otelcol_exporter_", `${core}/exporter/exporterhelper`],
  ["otelcol_process_", `${core}/service`],
  ["http.", "go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"],
  ["rpc.", "go.opentelemetry.io/contrib/instrumentation/google.golang.org/grpc/otelgrpc"],
];

/** The name of the instrumentation scope of a metric: the Collector's for what the Collector measures, else our own. */
export function scopeOf(metric: string): string {
  return scopes.find(([start]) => metric.startsWith(start))?.[1] ?? "otelpipe";
}
