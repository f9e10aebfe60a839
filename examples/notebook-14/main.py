"""Notebook 14's instrumentation as a script: real requests, real Python SDK, OTLP over gRPC.

Span names, attributes and metrics are those of the notebook's cells 6 to 14. What kept it from showing a trace graph is
mended: requests have a parent span, and everything is exported before the script ends. See README.md beside this file.
"""

import argparse
import json
import random
import sys
import time

from opentelemetry import metrics, trace
from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode

from client import LlamaCppClient

PROMPTS = [
    "Explain transformer architecture",
    "What is quantization in LLMs?",
    "How does FlashAttention work?",
    "Describe the attention mechanism",
    "What is GGUF format?",
]


def describe_worker():
    """Cell 6: the resource, with the GPU's context."""
    return Resource.create(
        {
            "service.name": "llamatelemetry-inference",
            "service.version": "0.1.0",
            "service.instance.id": "kaggle-t4-worker-1",
            "deployment.environment": "kaggle-notebook",
            "host.name": "kaggle-gpu-0",
            "gpu.model": "Tesla T4",
            "gpu.memory.total": 15360,  # MiB, as nvidia-smi says
            "gpu.compute_capability": "7.5",
        }
    )


def set_up_traces(resource, endpoint):
    """Cell 7, and cell 14's exporter: attached here, before the first span, so that it misses none."""
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint, insecure=True)))
    memory = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(memory))
    trace.set_tracer_provider(provider)
    return provider, memory


def set_up_metrics(resource, endpoint):
    """Cell 8: the provider, exporting every five seconds."""
    exporter = OTLPMetricExporter(endpoint=endpoint, insecure=True)
    reader = PeriodicExportingMetricReader(exporter, export_interval_millis=5000)
    provider = MeterProvider(resource=resource, metric_readers=[reader])
    metrics.set_meter_provider(provider)
    return provider


class InstrumentedLLMClient:
    """Cell 11: a client whose every request is a span and three metrics."""

    def __init__(self, base_url, tracer, meter):
        self.client = LlamaCppClient(base_url)
        self.tracer = tracer
        self.request_counter = meter.create_counter(
            name="llm.requests.total", description="Total number of LLM requests", unit="1"
        )
        self.latency_histogram = meter.create_histogram(
            name="llm.request.duration", description="LLM request latency", unit="ms"
        )
        self.token_histogram = meter.create_histogram(
            name="llm.tokens.total", description="Token usage per request", unit="{token}"
        )

    def chat_completion(self, messages, **kwargs):
        model = kwargs.get("model", "unknown")
        # The span's context manager would record the exception a second time: once, by `_record_failure`, is enough.
        with self.tracer.start_as_current_span(
            name=f"llm.chat.{model}",
            kind=SpanKind.CLIENT,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            span.set_attribute("llm.system", "llama.cpp")
            span.set_attribute("llm.model", model)
            span.set_attribute("llm.request.max_tokens", kwargs.get("max_tokens", 100))
            span.set_attribute("llm.request.temperature", kwargs.get("temperature", 0.7))
            span.set_attribute("llm.request.messages", len(messages))
            start_time = time.time()
            try:
                response = self.client.chat.completions.create(messages=messages, **kwargs)
                self._record_success(span, model, response, (time.time() - start_time) * 1000)
                return response
            except Exception as error:
                self._record_failure(span, model, error)
                raise

    def _record_success(self, span, model, response, latency_ms):
        finish_reason = response.choices[0].finish_reason
        span.set_attribute("llm.response.finish_reason", finish_reason)
        span.set_attribute("llm.response.length", len(response.choices[0].message.content or ""))
        self.request_counter.add(1, {"model": model, "finish_reason": finish_reason, "status": "success"})
        self.latency_histogram.record(latency_ms, {"model": model, "status": "success"})
        usage = getattr(response, "usage", None)
        if usage is not None:
            span.set_attribute("llm.usage.input_tokens", usage.prompt_tokens)
            span.set_attribute("llm.usage.output_tokens", usage.completion_tokens)
            self.token_histogram.record(usage.prompt_tokens, {"model": model, "token_type": "input"})
            self.token_histogram.record(usage.completion_tokens, {"model": model, "token_type": "output"})
        span.set_status(Status(StatusCode.OK))

    def _record_failure(self, span, model, error):
        span.set_status(Status(StatusCode.ERROR, str(error)))
        span.record_exception(error)
        attributes = {"model": model, "status": "error", "error_type": type(error).__name__}
        self.request_counter.add(1, attributes)


def run_session(llm, tracer, arguments):
    """Cells 12 to 14 under one session span: without a parent every request is a trace of its own and has no edge."""
    choices = random.Random(arguments.seed)
    with tracer.start_as_current_span("llm.session", attributes={"session.id": f"notebook-14-{arguments.seed}"}):
        ask(llm, "What is CUDA?", max_tokens=arguments.max_tokens, temperature=0.7, **model_of(arguments))
        with tracer.start_as_current_span("llm.batch.requests"):
            for prompt in PROMPTS:
                limit = choices.randint(arguments.max_tokens // 2 + 1, arguments.max_tokens)
                temperature = choices.uniform(0.5, 0.9)
                ask(llm, prompt, max_tokens=limit, temperature=temperature, **model_of(arguments))
        with tracer.start_as_current_span("llm.batch.test"):
            for index in range(arguments.requests):
                ask(llm, f"Test request {index}", max_tokens=arguments.max_tokens, **model_of(arguments))
            if arguments.failure:
                ask(llm, "too long " * 200_000, max_tokens=1, **model_of(arguments))


def ask(llm, prompt, **kwargs):
    """One request; a failure is on its span and does not end the session."""
    try:
        response = llm.chat_completion(messages=[{"role": "user", "content": prompt}], **kwargs)
        print(f"{prompt[:50]}: {response.choices[0].finish_reason}", file=sys.stderr)
    except OSError as error:
        print(f"{prompt[:50]}: {error}", file=sys.stderr)


def model_of(arguments):
    """The notebook never names a model, and so its spans say `unknown`; `--model` mends that."""
    return {"model": arguments.model} if arguments.model else {}


def summarize(spans):
    """What was sent, for comparison with what arrives."""
    requests = [span for span in spans if span.name.startswith("llm.chat.")]
    return {
        "traceIds": sorted({format(span.context.trace_id, "032x") for span in spans}),
        "spans": len(spans),
        "edges": sum(span.parent is not None for span in spans),
        "requests": len(requests),
        "errors": sum(span.status.status_code is StatusCode.ERROR for span in requests),
        "inputTokens": sum(span.attributes.get("llm.usage.input_tokens", 0) for span in requests),
        "outputTokens": sum(span.attributes.get("llm.usage.output_tokens", 0) for span in requests),
    }


def main():
    parser = argparse.ArgumentParser(description="Notebook 14's requests, traced over OTLP/gRPC.")
    parser.add_argument("--server", default="http://127.0.0.1:8090", help="llama-server or another like it")
    parser.add_argument("--otlp", default="http://127.0.0.1:4317", help="OTLP/gRPC endpoint")
    parser.add_argument("--requests", type=int, default=10, help="test requests, besides the six fixed prompts")
    parser.add_argument("--max-tokens", type=int, default=100)
    parser.add_argument("--model", help="name the model; the notebook does not")
    parser.add_argument("--failure", action="store_true", help="also send one prompt the context cannot hold")
    parser.add_argument("--seed", type=int, default=14)
    arguments = parser.parse_args()

    resource = describe_worker()
    tracer_provider, memory = set_up_traces(resource, arguments.otlp)
    meter_provider = set_up_metrics(resource, arguments.otlp)
    tracer = trace.get_tracer(__name__)
    llm = InstrumentedLLMClient(arguments.server, tracer, metrics.get_meter(__name__))
    try:
        run_session(llm, tracer, arguments)
    finally:
        # A BatchSpanProcessor holds spans for up to five seconds: without this the last ones are lost.
        tracer_provider.shutdown()
        meter_provider.shutdown()
    print(json.dumps(summarize(memory.get_finished_spans()), indent=2))


if __name__ == "__main__":
    main()
