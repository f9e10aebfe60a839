import assert from "node:assert/strict";
import { it } from "node:test";
import { catalog } from "../../../../cmd/catalog.ts";
import { loadConfig } from "../../../../pipeline/config/load.ts";
import { systemClock } from "../../../../pipeline/process/clock.ts";
import { Service } from "../../../../pipeline/service.ts";
import { propagationOf } from "../../../../pipeline/telemetry/tracing/propagation.ts";
import { samplerOf } from "../../../../pipeline/telemetry/tracing/sampler.ts";
import { type FinishedSpan, Tracing } from "../../../../pipeline/telemetry/tracing/tracing.ts";
import { httpBackend } from "../../../support/otlp_backends.ts";
import { someSpans } from "../../../support/traces.ts";

// Scenario: a request with a trace context passes a processor and a queue and is sent on over HTTP.
// Guarantees: the spans are the Collector's, each inside the one before, and the next server is told of the last.
it("spans follow a request through the service", async () => {
  const backend = await httpBackend();
  const yaml = `
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:0" } } } }
processors: { attributes: { actions: [{ key: a, value: b, action: insert }] } }
exporters: { otlp_http: { endpoint: "${backend.endpoint}", compression: none } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [attributes], exporters: [otlp_http] } }`;
  const config = await loadConfig([`yaml:${yaml}`], catalog);
  const spans: FinishedSpan[] = [];
  const tracing = new Tracing({
    clock: systemClock,
    random: Math.random,
    sampler: samplerOf(undefined),
    propagation: propagationOf(["tracecontext"]),
    onEnd: (span) => void spans.push(span),
  });
  let endpoint = "";
  const line = (fields: object, message: string) => {
    if (message === "Starting HTTP server") endpoint = String((fields as { endpoint?: string }).endpoint);
  };
  const loggers = () => ({ debug: line, info: line, warn: line, error: line });
  const service = new Service(config, { version: "1", configSources: [], loggers, tracing });
  await service.start();
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const headers = { "content-type": "application/x-protobuf", traceparent };
  const body = new Uint8Array(someSpans(3).toBuffer());
  const answer = await fetch(`http://${endpoint}/v1/traces`, { method: "POST", headers, body });
  assert.equal(answer.status, 200);
  await service.stop(10_000);

  const found = (name: string) => spans.find((span) => span.name === name);
  const way = [
    found("POST /v1/traces"),
    found("receiver/otlp/TraceDataReceived"),
    found("exporter/enqueue"),
    found("exporter/otlp_http/traces"),
    found("HTTP POST"),
  ];
  assert.equal(spans.length, way.length);
  assert.equal(way[0]?.parent?.spanId, "b7ad6b7169203331");
  for (const [index, span] of way.slice(1).entries()) assert.deepEqual(span?.parent, way[index]?.context, span?.name);
  const [server, received, enqueued, exported, sent] = way;
  assert.equal(server?.attributes["http.response.status_code"], 200);
  assert.equal(received?.attributes["accepted_spans"], 3);
  assert.deepEqual(
    received?.events.map(({ name, attributes }) => [name, attributes["processor"]]),
    [
      ["Start processing.", "attributes"],
      ["End processing.", "attributes"],
    ],
  );
  assert.deepEqual(
    enqueued?.events.map(({ name }) => name),
    ["Enqueued item."],
  );
  assert.deepEqual(exported?.attributes, {
    exporter: "otlp_http",
    data_type: "traces",
    "items.sent": 3,
    "items.failed": 0,
  });
  assert.equal(sent?.attributes["url.full"], `${backend.endpoint}/v1/traces`);
  const { traceId, spanId } = sent?.context ?? {};
  assert.equal(backend.received[0]?.headers["traceparent"], `00-${traceId}-${spanId}-01`);
});
