import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { gzipSync } from "node:zlib";
import { compressionAlgorithms } from "@grpc/grpc-js";
import { ROOT_CONTEXT, SpanStatusCode, trace } from "@opentelemetry/api";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-grpc";
import { resourceFromAttributes } from "@opentelemetry/resources";
import { BasicTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base";
import { ConsumeError } from "../../../pipeline/delivery.ts";
import { decodeStatus } from "../../../pipeline/net/status.ts";
import { decode, encode, type Traces } from "../../../pipeline/pdata/index.ts";
import { call } from "../../support/grpc_call.ts";
import { startReceiver, stopReceivers } from "./harness.ts";

after(stopReceivers);

const batches = {
  traces: encode("traces", {
    resourceSpans: [{ scopeSpans: [{ spans: [{ name: "chat", traceId: Buffer.alloc(16, 1) }] }] }],
  }),
  metrics: encode("metrics", {
    resourceMetrics: [{ scopeMetrics: [{ metrics: [{ name: "tokens", gauge: { dataPoints: [{ asInt: 5n }] } }] }] }],
  }),
  logs: encode("logs", { resourceLogs: [{ scopeLogs: [{ logRecords: [{ body: { stringValue: "hello" } }] }] }] }),
  profiles: encode("profiles", { resourceProfiles: [{ scopeProfiles: [{ profiles: [{ samples: [{}] }] }] }] }),
};

describe("gRPC calls that are taken", () => {
  for (const signal of ["traces", "metrics", "logs", "profiles"] as const) {
    it(`${signal}`, async () => {
      const { grpc, offers } = await startReceiver();
      const { error, reply } = await call(grpc, signal, batches[signal].toBuffer());
      assert.equal(error, null);
      assert.equal(reply?.length, 0);
      assert.equal(offers[0]?.signal, signal);
      assert.equal(offers[0]?.caller.client.transport, "grpc");
      assert.ok(offers[0]?.data.toBuffer().equals(batches[signal].toBuffer()));
    });
  }

  it("without items, which never reach a pipeline", async () => {
    const { grpc, offers } = await startReceiver();
    assert.equal((await call(grpc, "traces", Buffer.alloc(0))).error, null);
    assert.equal(offers.length, 0);
  });

  // Scenario: the official JavaScript SDK exports nested spans over gRPC with gzip.
  // Guarantees: names, parents, attributes, status and resource arrive as the SDK has them.
  it("from the official JavaScript SDK", async () => {
    const { grpc, offers } = await startReceiver();
    const exporter = new OTLPTraceExporter({ url: `http://${grpc}`, compression: "gzip" as never });
    const provider = new BasicTracerProvider({
      resource: resourceFromAttributes({ "service.name": "worker" }),
      spanProcessors: [new SimpleSpanProcessor(exporter)],
    });
    const tracer = provider.getTracer("inference");
    const parent = tracer.startSpan("chat", {
      attributes: { "gen_ai.request.model": "llama", tokens: 17, nested: [1, 2] },
    });
    const child = tracer.startSpan("decode", {}, trace.setSpan(ROOT_CONTEXT, parent));
    child.setStatus({ code: SpanStatusCode.ERROR, message: "overflow" });
    child.end();
    parent.end();
    await provider.forceFlush();
    await provider.shutdown();
    const spans = offers
      .flatMap((offer) => decode<"traces">(offer.data as Traces).resourceSpans)
      .flatMap((group) => group.scopeSpans.flatMap((scope) => scope.spans.map((span) => ({ span, scope, group }))));
    const byName = new Map(spans.map((each) => [each.span.name, each]));
    const [chat, inner] = [byName.get("chat"), byName.get("decode")];
    assert.equal(spans.length, 2);
    assert.deepEqual(inner?.span.parentSpanId, chat?.span.spanId);
    assert.equal(chat?.span.spanId.toString("hex"), parent.spanContext().spanId);
    assert.equal(inner?.span.status?.message, "overflow");
    assert.equal(chat?.scope.scope?.name, "inference");
    const model = chat?.span.attributes.find((attribute) => attribute.key === "gen_ai.request.model");
    assert.equal(model?.value?.stringValue, "llama");
    const service = chat?.group.resource?.attributes.find((attribute) => attribute.key === "service.name");
    assert.equal(service?.value?.stringValue, "worker");
  });
});

describe("gRPC calls that are not", () => {
  it("undecodable: INVALID_ARGUMENT, counted, and the next call is taken", async () => {
    const { grpc, malformed, offers } = await startReceiver();
    const { error } = await call(grpc, "logs", Buffer.from([0xff, 0xff, 1]));
    assert.equal(error?.code, 3);
    assert.deepEqual(malformed, ["logs grpc undecodable"]);
    assert.equal((await call(grpc, "logs", batches.logs.toBuffer())).error, null);
    assert.equal(offers.length, 1);
  });

  it("over 4 MiB, also once inflated: RESOURCE_EXHAUSTED, counted", async () => {
    const { grpc, malformed } = await startReceiver();
    const large = Buffer.alloc(4 * 1024 * 1024 + 1);
    assert.equal((await call(grpc, "traces", large)).error?.code, 8);
    const gzip = { "grpc.default_compression_algorithm": compressionAlgorithms.gzip };
    assert.equal((await call(grpc, "traces", large, gzip)).error?.code, 8);
    assert.deepEqual(malformed, ["traces grpc too_large", "traces grpc too_large"]);
    assert.ok(gzipSync(large).length < 10_000);
  });

  it("larger ones are taken with max_recv_msg_size_mib", async () => {
    const { grpc } = await startReceiver({ grpc: { max_recv_msg_size_mib: 8 } });
    const name = "x".repeat(5 * 1024 * 1024);
    const data = encode("traces", { resourceSpans: [{ scopeSpans: [{ spans: [{ name }] }] }] });
    assert.equal((await call(grpc, "traces", data.toBuffer())).error, null);
  });

  it("for a signal no pipeline takes: UNIMPLEMENTED", async () => {
    const { grpc } = await startReceiver({ signals: ["traces"] });
    assert.equal((await call(grpc, "logs", batches.logs.toBuffer())).error?.code, 12);
  });
});

describe("what the pipeline says over gRPC", () => {
  for (const { name, error, code, delay } of [
    {
      name: "come back",
      error: new ConsumeError("sending queue is full", { retryable: true, delayMs: 1500 }),
      code: 14,
      delay: 1500,
    },
    { name: "never", error: new ConsumeError("bad", { retryable: false }), code: 13, delay: undefined },
    {
      name: "a downstream's own status",
      error: new ConsumeError("quota", { retryable: true, grpcStatus: 8 }),
      code: 8,
      delay: undefined,
    },
  ]) {
    it(`${name}: code ${code}`, async () => {
      const { grpc } = await startReceiver({ answer: (_offer, answer) => answer(error) });
      const outcome = await call(grpc, "traces", batches.traces.toBuffer());
      assert.equal(outcome.error?.code, code);
      assert.ok(outcome.error?.details.endsWith(error.message));
      const [details] = outcome.error?.metadata.get("grpc-status-details-bin") ?? [];
      assert.equal(Buffer.isBuffer(details) ? decodeStatus(details)?.retryDelayMs : undefined, delay);
    });
  }
});
