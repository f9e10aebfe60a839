import io.opentelemetry.api.common.AttributeKey;
import io.opentelemetry.api.common.Attributes;
import io.opentelemetry.api.common.Value;
import io.opentelemetry.api.logs.Severity;
import io.opentelemetry.api.trace.Span;
import io.opentelemetry.api.trace.SpanKind;
import io.opentelemetry.api.trace.StatusCode;
import io.opentelemetry.context.Context;
import io.opentelemetry.exporter.otlp.http.logs.OtlpHttpLogRecordExporter;
import io.opentelemetry.exporter.otlp.http.metrics.OtlpHttpMetricExporter;
import io.opentelemetry.exporter.otlp.http.trace.OtlpHttpSpanExporter;
import io.opentelemetry.exporter.otlp.logs.OtlpGrpcLogRecordExporter;
import io.opentelemetry.exporter.otlp.metrics.OtlpGrpcMetricExporter;
import io.opentelemetry.exporter.otlp.trace.OtlpGrpcSpanExporter;
import io.opentelemetry.sdk.common.CompletableResultCode;
import io.opentelemetry.sdk.logs.SdkLoggerProvider;
import io.opentelemetry.sdk.logs.export.BatchLogRecordProcessor;
import io.opentelemetry.sdk.logs.export.LogRecordExporter;
import io.opentelemetry.sdk.metrics.SdkMeterProvider;
import io.opentelemetry.sdk.metrics.SdkMeterProviderBuilder;
import io.opentelemetry.sdk.metrics.export.MetricExporter;
import io.opentelemetry.sdk.metrics.export.PeriodicMetricReader;
import io.opentelemetry.sdk.resources.Resource;
import io.opentelemetry.sdk.trace.SdkTracerProvider;
import io.opentelemetry.sdk.trace.export.BatchSpanProcessor;
import io.opentelemetry.sdk.trace.export.SpanExporter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * Sends one trace, a counter, a histogram and log records with the official OpenTelemetry Java SDK, then prints what it
 * sent as JSON. It fails when an exporter could not deliver.
 */
public final class Send {
  private static final String SCOPE = "java_sdk";

  public static void main(String[] arguments) {
    Map<String, String> flags = new HashMap<>();
    for (String argument : arguments) {
      String[] parts = argument.substring(2).split("=", 2);
      flags.put(parts[0], parts[1]);
    }
    String protocol = flags.get("protocol");
    String service = flags.get("service");
    boolean everything = "all".equals(flags.get("signals"));
    Exporters exporters = exporters(flags.get("endpoint"), "http".equals(protocol), flags.get("compression"));
    Resource resource =
        Resource.create(
            Attributes.builder().put("service.name", service).put("peer.tags", "java", protocol).build());
    SdkTracerProvider tracers =
        SdkTracerProvider.builder()
            .setResource(resource)
            .addSpanProcessor(BatchSpanProcessor.builder(exporters.spans()).build())
            .build();
    SdkMeterProviderBuilder meterBuilder = SdkMeterProvider.builder().setResource(resource);
    SdkLoggerProvider loggers =
        SdkLoggerProvider.builder()
            .setResource(resource)
            .addLogRecordProcessor(BatchLogRecordProcessor.builder(exporters.logs()).build())
            .build();
    if (everything) {
      Duration never = Duration.ofHours(1);
      meterBuilder.registerMetricReader(
          PeriodicMetricReader.builder(exporters.metrics()).setInterval(never).build());
    }
    SdkMeterProvider meters = meterBuilder.build();

    List<String> ids = new ArrayList<>();
    int spans = Integer.parseInt(flags.get("spans"));
    String traceId = record(tracers, meters, everything ? loggers : null, spans, protocol, ids);
    List<CompletableResultCode> ends = List.of(tracers.shutdown(), meters.shutdown(), loggers.shutdown());
    boolean delivered = CompletableResultCode.ofAll(ends).join(20, TimeUnit.SECONDS).isSuccess();
    if (!delivered) System.exit(1);
    String list = ids.stream().map(id -> '"' + id + '"').collect(Collectors.joining(","));
    System.out.printf(
        "{\"service\":\"%s\",\"traceId\":\"%s\",\"spanIds\":[%s],\"requests\":%d}%n",
        service, traceId, list, ids.size() - 1);
  }

  private record Exporters(SpanExporter spans, MetricExporter metrics, LogRecordExporter logs) {}

  private static Exporters exporters(String endpoint, boolean http, String compression) {
    if (http) {
      return new Exporters(
          OtlpHttpSpanExporter.builder().setEndpoint(endpoint + "/v1/traces").setCompression(compression).build(),
          OtlpHttpMetricExporter.builder().setEndpoint(endpoint + "/v1/metrics").setCompression(compression).build(),
          OtlpHttpLogRecordExporter.builder().setEndpoint(endpoint + "/v1/logs").setCompression(compression).build());
    }
    String url = "http://" + endpoint;
    return new Exporters(
        OtlpGrpcSpanExporter.builder().setEndpoint(url).setCompression(compression).build(),
        OtlpGrpcMetricExporter.builder().setEndpoint(url).setCompression(compression).build(),
        OtlpGrpcLogRecordExporter.builder().setEndpoint(url).setCompression(compression).build());
  }

  private static String record(
      SdkTracerProvider tracers,
      SdkMeterProvider meters,
      SdkLoggerProvider loggers,
      int spans,
      String protocol,
      List<String> ids) {
    var tracer = tracers.tracerBuilder(SCOPE).setInstrumentationVersion("1.0.0").build();
    var requests = meters.get(SCOPE).counterBuilder("peer.requests").setUnit("{request}").build();
    var duration = meters.get(SCOPE).histogramBuilder("peer.request.duration").setUnit("s").build();
    Attributes over = Attributes.of(AttributeKey.stringKey("peer.protocol"), protocol);
    Span root = tracer.spanBuilder("peer root").setSpanKind(SpanKind.SERVER).setNoParent().startSpan();
    ids.add(root.getSpanContext().getSpanId());
    Context parent = Context.root().with(root);
    for (int index = 1; index < spans; index++) {
      Span child =
          tracer.spanBuilder("peer child " + index).setSpanKind(SpanKind.CLIENT).setParent(parent).startSpan();
      child.setAttribute("peer.index", index);
      child.setAttribute("peer.ratio", index / 2.0);
      child.setAttribute("peer.even", index % 2 == 0);
      child.setAttribute(AttributeKey.longArrayKey("peer.numbers"), List.of(-1L, 1L << 53));
      child.addEvent("peer event", Attributes.of(AttributeKey.stringKey("text"), "zażółć 🚀"));
      if (index == 1) {
        child.recordException(new RuntimeException("provoked"));
        child.setStatus(StatusCode.ERROR, "provoked");
      }
      requests.add(1, over);
      duration.record(0.01 * index, over);
      if (loggers != null) {
        Value<?> peer = Value.of(Map.of("index", Value.of(index), "nested", Value.of(true)));
        loggers
            .get(SCOPE)
            .logRecordBuilder()
            .setContext(parent.with(child))
            .setSeverity(Severity.INFO)
            .setSeverityText("INFO")
            .setBody("request " + index)
            .setAttribute(AttributeKey.valueKey("peer"), peer)
            .emit();
      }
      child.end();
      ids.add(child.getSpanContext().getSpanId());
    }
    root.end();
    return root.getSpanContext().getTraceId();
  }
}
