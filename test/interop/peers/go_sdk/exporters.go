package main

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetricgrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlpmetric/otlpmetrichttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

type exporters struct {
	traces  sdktrace.SpanExporter
	metrics sdkmetric.Exporter
	logs    sdklog.Exporter
}

func newExporters(ctx context.Context, settings settings) (exporters, error) {
	if settings.protocol == "http" {
		return httpExporters(ctx, settings)
	}
	return grpcExporters(ctx, settings)
}

func grpcExporters(ctx context.Context, settings settings) (exporters, error) {
	traces := []otlptracegrpc.Option{otlptracegrpc.WithEndpoint(settings.endpoint), otlptracegrpc.WithInsecure()}
	metrics := []otlpmetricgrpc.Option{otlpmetricgrpc.WithEndpoint(settings.endpoint), otlpmetricgrpc.WithInsecure()}
	logs := []otlploggrpc.Option{otlploggrpc.WithEndpoint(settings.endpoint), otlploggrpc.WithInsecure()}
	if settings.gzip {
		traces = append(traces, otlptracegrpc.WithCompressor("gzip"))
		metrics = append(metrics, otlpmetricgrpc.WithCompressor("gzip"))
		logs = append(logs, otlploggrpc.WithCompressor("gzip"))
	}
	traceExporter, traceError := otlptracegrpc.New(ctx, traces...)
	metricExporter, metricError := otlpmetricgrpc.New(ctx, metrics...)
	logExporter, logError := otlploggrpc.New(ctx, logs...)
	return exporters{traceExporter, metricExporter, logExporter}, errors.Join(traceError, metricError, logError)
}

func httpExporters(ctx context.Context, settings settings) (exporters, error) {
	traces := []otlptracehttp.Option{otlptracehttp.WithEndpointURL(settings.endpoint + "/v1/traces")}
	metrics := []otlpmetrichttp.Option{otlpmetrichttp.WithEndpointURL(settings.endpoint + "/v1/metrics")}
	logs := []otlploghttp.Option{otlploghttp.WithEndpointURL(settings.endpoint + "/v1/logs")}
	if settings.gzip {
		traces = append(traces, otlptracehttp.WithCompression(otlptracehttp.GzipCompression))
		metrics = append(metrics, otlpmetrichttp.WithCompression(otlpmetrichttp.GzipCompression))
		logs = append(logs, otlploghttp.WithCompression(otlploghttp.GzipCompression))
	}
	traceExporter, traceError := otlptracehttp.New(ctx, traces...)
	metricExporter, metricError := otlpmetrichttp.New(ctx, metrics...)
	logExporter, logError := otlploghttp.New(ctx, logs...)
	return exporters{traceExporter, metricExporter, logExporter}, errors.Join(traceError, metricError, logError)
}
