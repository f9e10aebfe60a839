"""Sends one trace, a counter, a histogram and log records with the official OpenTelemetry Python SDK.

Prints what it sent as JSON; fails when an exporter could not deliver.
"""

import argparse
import json
import logging
import sys

from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc import _log_exporter as grpc_logs
from opentelemetry.exporter.otlp.proto.grpc import metric_exporter as grpc_metrics
from opentelemetry.exporter.otlp.proto.grpc import trace_exporter as grpc_traces
from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http import _log_exporter as http_logs
from opentelemetry.exporter.otlp.proto.http import metric_exporter as http_metrics
from opentelemetry.exporter.otlp.proto.http import trace_exporter as http_traces
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode


class Complaints(logging.Handler):
    """The SDK logs a failed export and goes on; here it ends the program."""

    def __init__(self):
        super().__init__(logging.ERROR)
        self.messages = []

    def emit(self, record):
        self.messages.append(record.getMessage())


def exporters(endpoint, protocol, gzip):
    if protocol == "http":
        compression = Compression.Gzip if gzip else Compression.NoCompression
        return (
            http_traces.OTLPSpanExporter(endpoint=f"{endpoint}/v1/traces", compression=compression),
            http_metrics.OTLPMetricExporter(endpoint=f"{endpoint}/v1/metrics", compression=compression),
            http_logs.OTLPLogExporter(endpoint=f"{endpoint}/v1/logs", compression=compression),
        )
    import grpc

    options = {
        "endpoint": endpoint,
        "insecure": True,
        "compression": grpc.Compression.Gzip if gzip else grpc.Compression.NoCompression,
    }
    return (
        grpc_traces.OTLPSpanExporter(**options),
        grpc_metrics.OTLPMetricExporter(**options),
        grpc_logs.OTLPLogExporter(**options),
    )


def record(tracer, meter, logger, spans, protocol):
    requests = meter.create_counter("peer.requests", unit="{request}")
    duration = meter.create_histogram("peer.request.duration", unit="s")
    with tracer.start_as_current_span("peer root", kind=SpanKind.SERVER) as root:
        ids = [format(root.get_span_context().span_id, "016x")]
        for index in range(1, spans):
            with tracer.start_as_current_span(f"peer child {index}", kind=SpanKind.CLIENT) as child:
                child.set_attributes(
                    {"peer.index": index, "peer.ratio": index / 2, "peer.even": index % 2 == 0, "peer.numbers": [-1, 2**53]}
                )
                child.add_event("peer event", {"text": "zażółć 🚀"})
                if index == 1:
                    child.record_exception(RuntimeError("provoked"))
                    child.set_status(Status(StatusCode.ERROR, "provoked"))
                requests.add(1, {"peer.protocol": protocol})
                duration.record(0.01 * index, {"peer.protocol": protocol})
                logger.emit(
                    LogRecord(
                        severity_number=SeverityNumber.INFO,
                        severity_text="INFO",
                        body=f"request {index}",
                        attributes={"peer": {"index": index, "nested": True}},
                    )
                )
                ids.append(format(child.get_span_context().span_id, "016x"))
        return format(root.get_span_context().trace_id, "032x"), ids


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--endpoint", default="127.0.0.1:4317")
    parser.add_argument("--protocol", choices=["grpc", "http"], default="grpc")
    parser.add_argument("--compression", choices=["none", "gzip"], default="none")
    parser.add_argument("--signals", choices=["all", "traces"], default="all")
    parser.add_argument("--spans", type=int, default=10)
    parser.add_argument("--service", default="python-sdk")
    arguments = parser.parse_args()

    complaints = Complaints()
    logging.getLogger("opentelemetry").addHandler(complaints)
    spans, metrics, logs = exporters(arguments.endpoint, arguments.protocol, arguments.compression == "gzip")
    resource = Resource.create({"service.name": arguments.service, "peer.tags": ["python", arguments.protocol]})
    tracers = TracerProvider(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(spans))
    everything = arguments.signals == "all"
    readers = [PeriodicExportingMetricReader(metrics)] if everything else []
    meters = MeterProvider(resource=resource, metric_readers=readers)
    loggers = LoggerProvider(resource=resource)
    if everything:
        loggers.add_log_record_processor(BatchLogRecordProcessor(logs))
    trace.set_tracer_provider(tracers)

    trace_id, span_ids = record(
        tracers.get_tracer("python_sdk", "1.0.0"),
        meters.get_meter("python_sdk"),
        loggers.get_logger("python_sdk"),
        arguments.spans,
        arguments.protocol,
    )
    for provider in (tracers, meters, loggers):
        provider.shutdown()
    if complaints.messages:
        sys.exit("; ".join(complaints.messages))
    sent = {"service": arguments.service, "traceId": trace_id, "spanIds": span_ids, "requests": len(span_ids) - 1}
    print(json.dumps(sent))


if __name__ == "__main__":
    main()
