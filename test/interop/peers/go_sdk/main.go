// Command go_sdk sends one trace, a counter, a histogram and log records with the official OpenTelemetry Go SDK, then
// prints what it sent as JSON. It fails when an exporter could not deliver.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/log"
	"go.opentelemetry.io/otel/metric"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

type sent struct {
	Service  string   `json:"service"`
	TraceID  string   `json:"traceId"`
	SpanIDs  []string `json:"spanIds"`
	Requests int64    `json:"requests"`
}

func main() {
	endpoint := flag.String("endpoint", "127.0.0.1:4317", "host:port for grpc, URL for http")
	protocol := flag.String("protocol", "grpc", "grpc or http")
	compression := flag.String("compression", "none", "none or gzip")
	signals := flag.String("signals", "all", "all or traces")
	spans := flag.Int("spans", 10, "spans in the trace")
	service := flag.String("service", "go-sdk", "service.name")
	flag.Parse()

	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	result, err := send(ctx, settings{*endpoint, *protocol, *compression == "gzip", *signals == "all", *spans, *service})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	_ = json.NewEncoder(os.Stdout).Encode(result)
}

type settings struct {
	endpoint string
	protocol string
	gzip     bool
	all      bool
	spans    int
	service  string
}

func send(ctx context.Context, settings settings) (sent, error) {
	var failures []error
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) { failures = append(failures, err) }))
	exporters, err := newExporters(ctx, settings)
	if err != nil {
		return sent{}, err
	}
	described := resource.NewSchemaless(
		attribute.String("service.name", settings.service),
		attribute.StringSlice("peer.tags", []string{"go", settings.protocol}),
	)
	tracers := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporters.traces), sdktrace.WithResource(described))
	metricOptions := []sdkmetric.Option{sdkmetric.WithResource(described)}
	logOptions := []sdklog.LoggerProviderOption{sdklog.WithResource(described)}
	if settings.all {
		reader := sdkmetric.NewPeriodicReader(exporters.metrics, sdkmetric.WithInterval(time.Hour))
		metricOptions = append(metricOptions, sdkmetric.WithReader(reader))
		logOptions = append(logOptions, sdklog.WithProcessor(sdklog.NewBatchProcessor(exporters.logs)))
	}
	meters := sdkmetric.NewMeterProvider(metricOptions...)
	logs := sdklog.NewLoggerProvider(logOptions...)

	result, err := record(ctx, settings, tracers, meters, logs)
	failures = append(failures, err, tracers.Shutdown(ctx), meters.Shutdown(ctx), logs.Shutdown(ctx))
	return result, errors.Join(failures...)
}

func record(
	ctx context.Context,
	settings settings,
	tracers *sdktrace.TracerProvider,
	meters *sdkmetric.MeterProvider,
	logs *sdklog.LoggerProvider,
) (sent, error) {
	requests, err := meters.Meter("go_sdk").Int64Counter("peer.requests", metric.WithUnit("{request}"))
	if err != nil {
		return sent{}, err
	}
	duration, err := meters.Meter("go_sdk").Float64Histogram("peer.request.duration", metric.WithUnit("s"))
	if err != nil {
		return sent{}, err
	}
	over := metric.WithAttributes(attribute.String("peer.protocol", settings.protocol))
	tracer := tracers.Tracer("go_sdk", trace.WithInstrumentationVersion("1.0.0"))
	ctx, root := tracer.Start(ctx, "peer root", trace.WithSpanKind(trace.SpanKindServer))
	result := sent{
		Service: settings.service,
		TraceID: root.SpanContext().TraceID().String(),
		SpanIDs: []string{root.SpanContext().SpanID().String()},
	}
	for index := 1; index < settings.spans; index++ {
		childCtx, child := tracer.Start(ctx, fmt.Sprintf("peer child %d", index), trace.WithSpanKind(trace.SpanKindClient))
		child.SetAttributes(
			attribute.Int("peer.index", index),
			attribute.Float64("peer.ratio", float64(index)/2),
			attribute.Bool("peer.even", index%2 == 0),
			attribute.Int64Slice("peer.numbers", []int64{-1, 1 << 53}),
		)
		child.AddEvent("peer event", trace.WithAttributes(attribute.String("text", "zażółć 🚀")))
		if index == 1 {
			child.RecordError(errors.New("provoked"))
			child.SetStatus(codes.Error, "provoked")
		}
		requests.Add(childCtx, 1, over)
		duration.Record(childCtx, 0.01*float64(index), over)
		emit(childCtx, logs.Logger("go_sdk"), index)
		child.End()
		result.SpanIDs = append(result.SpanIDs, child.SpanContext().SpanID().String())
		result.Requests++
	}
	root.End()
	return result, nil
}

func emit(ctx context.Context, logger log.Logger, index int) {
	var record log.Record
	record.SetTimestamp(time.Now())
	record.SetSeverity(log.SeverityInfo)
	record.SetBody(attribute.StringValue(fmt.Sprintf("request %d", index)))
	record.AddAttributes(attribute.Map("peer", attribute.Int("index", index), attribute.Bool("nested", true)))
	logger.Emit(ctx, record)
}
