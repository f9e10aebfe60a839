import { hostname } from "node:os";
import { type Attributes, DiagConsoleLogger, DiagLogLevel, diag, metrics } from "@opentelemetry/api";
import { OTLPMetricExporter } from "@opentelemetry/exporter-metrics-otlp-grpc";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { MeterProvider, PeriodicExportingMetricReader } from "@opentelemetry/sdk-metrics";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

/** The SDK, set up to send traces and metrics over OTLP/gRPC. */
export interface Telemetry {
  readonly tracerProvider: NodeTracerProvider;
  readonly meterProvider: MeterProvider;
  /** Sends what is left; a program that exits without it loses its last spans. */
  shutdown(): Promise<void>;
}

/** Where to send, and who sends. */
export interface TelemetrySettings {
  /** Such as `http://127.0.0.1:4317`. */
  readonly endpoint: string;
  readonly service: string;
  /** More resource attributes, such as those of the GPU. */
  readonly attributes: Attributes;
}

/** Registers both providers globally, so that libraries' spans join the same traces. */
export function startTelemetry(settings: TelemetrySettings): Telemetry {
  diag.setLogger(new DiagConsoleLogger(), DiagLogLevel.WARN); // a failed export is said on standard error, not hidden
  const resource = defaultResource().merge(
    resourceFromAttributes({
      "service.name": settings.service,
      "service.instance.id": `${hostname()}-${process.pid}`,
      "host.name": hostname(),
      ...settings.attributes,
    }),
  );
  const tracerProvider = new NodeTracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor(new OTLPTraceExporter({ url: settings.endpoint }))],
  });
  const exporter = new OTLPMetricExporter({ url: settings.endpoint });
  const meterProvider = new MeterProvider({
    resource,
    readers: [new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 10_000 })],
  });
  tracerProvider.register();
  metrics.setGlobalMeterProvider(meterProvider);
  return {
    tracerProvider,
    meterProvider,
    shutdown: async () => {
      await Promise.all([tracerProvider.shutdown(), meterProvider.shutdown()]);
    },
  };
}
