// Sends one trace, a counter, a histogram and log records with the official OpenTelemetry JavaScript SDK, then prints what
// it sent as JSON. It fails when an exporter could not deliver.
import { parseArgs } from "node:util";
import { DiagLogLevel, diag, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace, ValueType } from "@opentelemetry/api";
import { SeverityNumber } from "@opentelemetry/api-logs";
import { OTLPLogExporter as GrpcLogs } from "@opentelemetry/exporter-logs-otlp-grpc";
import { OTLPLogExporter as HttpLogs } from "@opentelemetry/exporter-logs-otlp-proto";
import { OTLPMetricExporter as GrpcMetrics } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPMetricExporter as HttpMetrics } from "@opentelemetry/exporter-metrics-otlp-proto";
import { OTLPTraceExporter as GrpcTraces } from "@opentelemetry/exporter-trace-otlp-grpc";
import { OTLPTraceExporter as HttpTraces } from "@opentelemetry/exporter-trace-otlp-proto";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BatchLogRecordProcessor, LoggerProvider } from "@opentelemetry/sdk-logs";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BasicTracerProvider, BatchSpanProcessor } from "@opentelemetry/sdk-trace-base";

const text = { type: "string" };
const { values } = parseArgs({
  options: { endpoint: text, protocol: text, compression: text, signals: text, spans: text, service: text },
});
const { endpoint = "", protocol = "grpc", compression = "none", spans = "10", service = "javascript-sdk" } = values;

/** The SDK logs a failed export and goes on; here it ends the program. */
const complaints = [];
const complain = (message) => complaints.push(message);
diag.setLogger(
  { error: complain, warn: () => {}, info: () => {}, debug: () => {}, verbose: () => {} },
  DiagLogLevel.ERROR,
);

const isHttp = protocol === "http";
const [Traces, Metrics, Logs] = isHttp ? [HttpTraces, HttpMetrics, HttpLogs] : [GrpcTraces, GrpcMetrics, GrpcLogs];
const to = (path) => ({ url: isHttp ? `${endpoint}/v1/${path}` : `http://${endpoint}`, compression });

const resource = resourceFromAttributes({ "service.name": service, "peer.tags": ["javascript", protocol] });
const tracers = new BasicTracerProvider({
  resource,
  spanProcessors: [new BatchSpanProcessor(new Traces(to("traces")))],
});
const everything = values.signals !== "traces";
const reader = new PeriodicExportingMetricReader({
  exporter: new Metrics(to("metrics")),
  exportIntervalMillis: 3_600_000,
});
const meters = new MeterProvider({ resource, readers: everything ? [reader] : [] });
const logProcessor = new BatchLogRecordProcessor({ exporter: new Logs(to("logs")) });
const loggers = new LoggerProvider({ resource, processors: everything ? [logProcessor] : [] });

const sent = record(Number(spans));
for (const provider of [tracers, meters, loggers]) await provider.shutdown();
if (complaints.length > 0) {
  console.error(complaints.join("; "));
  process.exit(1);
}
console.log(JSON.stringify(sent));

function record(count) {
  const tracer = tracers.getTracer("javascript_sdk", "1.0.0");
  const meter = meters.getMeter("javascript_sdk");
  const logger = loggers.getLogger("javascript_sdk");
  const requests = meter.createCounter("peer.requests", { unit: "{request}", valueType: ValueType.INT });
  const duration = meter.createHistogram("peer.request.duration", { unit: "s" });
  const root = tracer.startSpan("peer root", { kind: SpanKind.SERVER });
  const { traceId, spanId } = root.spanContext();
  const context = trace.setSpan(ROOT_CONTEXT, root);
  const spanIds = [spanId];
  for (let index = 1; index < count; index += 1) {
    const child = tracer.startSpan(`peer child ${index}`, { kind: SpanKind.CLIENT }, context);
    child.setAttributes({
      "peer.index": index,
      "peer.ratio": index / 2,
      "peer.even": index % 2 === 0,
      "peer.numbers": [-1, 2 ** 53],
    });
    child.addEvent("peer event", { text: "zażółć 🚀" });
    if (index === 1) {
      child.recordException(new Error("provoked"));
      child.setStatus({ code: SpanStatusCode.ERROR, message: "provoked" });
    }
    requests.add(1, { "peer.protocol": protocol });
    duration.record(0.01 * index, { "peer.protocol": protocol });
    logger.emit({
      severityNumber: SeverityNumber.INFO,
      severityText: "INFO",
      body: `request ${index}`,
      attributes: { peer: { index, nested: true } },
      context: trace.setSpan(context, child),
    });
    child.end();
    spanIds.push(child.spanContext().spanId);
  }
  root.end();
  return { service, traceId, spanIds, requests: spanIds.length - 1 };
}
