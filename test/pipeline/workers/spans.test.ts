import assert from "node:assert/strict";
import { it } from "node:test";
import { catalog } from "../../../cmd/catalog.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import { systemClock } from "../../../pipeline/process/clock.ts";
import { Service } from "../../../pipeline/service.ts";
import { propagationOf } from "../../../pipeline/telemetry/tracing/propagation.ts";
import { samplerOf } from "../../../pipeline/telemetry/tracing/sampler.ts";
import { type FinishedSpan, Tracing } from "../../../pipeline/telemetry/tracing/tracing.ts";
import { WorkerPool } from "../../../pipeline/workers/pool.ts";
import { freePort } from "../../support/free_port.ts";
import { startTraceSink } from "../../support/trace_sink.ts";
import { someSpans } from "../../support/traces.ts";

// Scenario: a request is received in a worker and exported in the main thread.
// Guarantees: own spans of both are one trace, each inside the one before, and are shown together.
it("own spans follow a request from thread to thread", async () => {
  const sink = await startTraceSink();
  const port = await freePort();
  const config = await loadConfig(
    [
      `yaml:
receivers: { otlp: { protocols: { http: { endpoint: "127.0.0.1:${port}" } } } }
connectors: { forward: {} }
exporters: { otlp_http: { endpoint: "${sink.endpoint}", compression: none } }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [forward] }
    traces/out: { receivers: [forward], exporters: [otlp_http] }`,
    ],
    catalog,
  );
  const spans: FinishedSpan[] = [];
  const tracing = new Tracing({
    clock: systemClock,
    random: Math.random,
    sampler: samplerOf(undefined),
    propagation: propagationOf(["tracecontext"]),
    onEnd: (span) => void spans.push(span),
  });
  const line = () => {};
  const loggers = () => ({ debug: line, info: line, warn: line, error: line });
  const file = new URL("../../../cmd/worker_thread.ts", import.meta.url);
  const service = new Service(config, {
    version: "1",
    configSources: [],
    loggers,
    tracing,
    workers: (surroundings) => new WorkerPool({ count: 2, file }, surroundings),
  });
  await service.start();
  const headers = { "content-type": "application/x-protobuf" };
  const body = new Uint8Array(someSpans(3).toBuffer());
  const answer = await fetch(`http://127.0.0.1:${port}/v1/traces`, { method: "POST", headers, body });
  assert.equal(answer.status, 200);
  await service.stop(10_000);
  sink.close();

  const names = [
    "POST /v1/traces",
    "receiver/otlp/TraceDataReceived",
    "exporter/enqueue",
    "exporter/otlp_http/traces",
    "HTTP POST",
  ];
  const way = names.map((name) => spans.find((span) => span.name === name));
  assert.equal(spans.length, way.length);
  for (const [index, span] of way.slice(1).entries()) assert.deepEqual(span?.parent, way[index]?.context, span?.name);
  const shown = service.ownSpans()?.summaries() ?? [];
  assert.deepEqual(
    shown.map(({ name, running }) => [name, running]),
    names.toSorted().map((name) => [name, 0]),
  );
});
