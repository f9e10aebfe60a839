import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { OwnOtlpSettings } from "../../../../pipeline/config/telemetry/exporter.ts";
import { receive, type Signal, toJson } from "../../../../pipeline/pdata/index.ts";
import { createLoggers } from "../../../../pipeline/telemetry/logger.ts";
import { MetricRegistry } from "../../../../pipeline/telemetry/meter.ts";
import { openLogSender } from "../../../../pipeline/telemetry/sending/logs.ts";
import { openMetricSender } from "../../../../pipeline/telemetry/sending/metrics.ts";
import { openSpanSender } from "../../../../pipeline/telemetry/sending/spans.ts";
import { grpcBackend, httpBackend } from "../../../support/otlp_backends.ts";
import { SimulatedClock } from "../../../support/simulated_host.ts";
import { eventually } from "../../../support/turns.ts";

const otlp: OwnOtlpSettings = {
  protocol: "http/protobuf",
  endpoint: "",
  headers: { "x-key": "k" },
  compression: "none",
  timeoutMs: 10_000,
  certificate: undefined,
  clientCertificate: undefined,
  clientKey: undefined,
  temporality: "cumulative",
};

function surroundings() {
  const clock = new SimulatedClock();
  const lines: string[] = [];
  const line = (_fields: object, message: string) => void lines.push(message);
  const logger = { debug: line, info: line, warn: line, error: line };
  const options = {
    clock,
    logger,
    userAgent: "otelpipe/1 (test)",
    resource: { "service.name": "otelpipe", replicas: 3 },
    schemaUrl: "https://example.com/schema",
    startedUnixMs: clock.nowMs(),
  };
  return { clock, lines, options };
}

/** What a destination got, as OTLP/JSON. */
function jsonOf(signal: Signal, body: Buffer | undefined) {
  return JSON.parse(toJson(receive(signal, body ?? Buffer.alloc(0))).toString());
}

describe("own metrics that are sent", () => {
  const registry = () => {
    const metrics = new MetricRegistry();
    const meter = metrics.meter({ exporter: "debug" });
    const sent = meter.counter("otelcol_exporter_sent_spans", { description: "Sent.", unit: "{span}" });
    const size = { description: "Sizes.", unit: "By", bounds: [10, 100] };
    const sizes = meter.histogram("otelcol_exporter_enqueue_size_bytes", size);
    meter.gauge("otelcol_exporter_in_flight_requests", { description: "", unit: "{request}", as: "updown" }, () => 2);
    meter.gauge("otelcol_process_memory_rss", { description: "", unit: "By", isDouble: true }, () => 0.5);
    sent.add(5);
    sizes?.record(50);
    return { metrics, sent, sizes };
  };

  it("leave every interval, with scope, resource and schema, as the kinds they are", async () => {
    const backend = await httpBackend();
    const { clock, options } = surroundings();
    const { metrics } = registry();
    const settings = { interval: 1000, timeout: 500, exporter: { ...otlp, endpoint: backend.endpoint } };
    const sender = await openMetricSender(settings, { ...options, samples: () => metrics.samples() });
    clock.advance(999);
    assert.equal(backend.received.length, 0);
    clock.advance(1);
    await eventually(() => backend.received.length === 1);
    const [request] = backend.received;
    assert.equal(request?.path, "/v1/metrics");
    assert.equal(request?.headers["x-key"], "k");
    assert.equal(request?.headers["user-agent"], "otelpipe/1 (test)");
    const [byResource] = jsonOf("metrics", request?.body).resourceMetrics;
    assert.equal(byResource.schemaUrl, "https://example.com/schema");
    assert.deepEqual(byResource.resource.attributes, [
      { key: "service.name", value: { stringValue: "otelpipe" } },
      { key: "replicas", value: { intValue: "3" } },
    ]);
    assert.deepEqual(
      byResource.scopeMetrics.map(({ scope }: { scope: { name: string } }) => scope.name),
      ["go.opentelemetry.io/collector/exporter/exporterhelper", "go.opentelemetry.io/collector/service"],
    );
    const times = { startTimeUnixNano: "1767225600000000000", timeUnixNano: "1767225601000000000" };
    const attributes = [{ key: "exporter", value: { stringValue: "debug" } }];
    const sum = { aggregationTemporality: 2, dataPoints: [{ attributes, ...times, asInt: "5" }] };
    const [sent, sizes, inFlight] = byResource.scopeMetrics[0].metrics;
    assert.deepEqual(sent, {
      name: "otelcol_exporter_sent_spans",
      description: "Sent.",
      unit: "{span}",
      sum: { ...sum, isMonotonic: true },
    });
    assert.deepEqual(sizes.histogram, {
      aggregationTemporality: 2,
      dataPoints: [
        {
          attributes,
          ...times,
          count: "1",
          sum: 50,
          bucketCounts: ["0", "1", "0"],
          explicitBounds: [10, 100],
          min: 50,
          max: 50,
        },
      ],
    });
    assert.equal(inFlight.sum.isMonotonic, undefined);
    assert.equal(byResource.scopeMetrics[1].metrics[0].gauge.dataPoints[0].asDouble, 0.5);
    await sender.stop();
    assert.equal(backend.received.length, 2); // the last values leave at the end
    assert.equal(clock.pendingTimers, 0);
  });

  it("are what came since the last time when the other side wants deltas", async () => {
    const backend = await httpBackend();
    const { clock, options } = surroundings();
    const { metrics, sent, sizes } = registry();
    const exporter = { ...otlp, endpoint: backend.endpoint, temporality: "delta" } as const;
    const sender = await openMetricSender(
      { interval: 1000, timeout: 500, exporter },
      { ...options, samples: () => metrics.samples() },
    );
    clock.advance(1000);
    await eventually(() => backend.received.length === 1);
    await new Promise(setImmediate);
    sent.add(2);
    sizes?.record(500);
    await sender.stop();
    const [first, second] = backend.received.map(
      ({ body }) => jsonOf("metrics", body).resourceMetrics[0].scopeMetrics[0].metrics,
    );
    assert.deepEqual([first[0].sum.dataPoints[0].asInt, second[0].sum.dataPoints[0].asInt], ["5", "2"]);
    assert.equal(second[0].sum.aggregationTemporality, 1);
    assert.deepEqual(second[1].histogram.dataPoints[0].bucketCounts, ["0", "0", "1"]);
    assert.deepEqual([first[2].sum.dataPoints[0].asInt, second[2].sum.dataPoints[0].asInt], ["2", "2"]);
    assert.equal(second[2].sum.aggregationTemporality, 2);
  });

  it("are told in the log when nobody takes them, and tried again while there is time", async () => {
    let answers = 0;
    const backend = await httpBackend((response) => void response.writeHead(++answers === 1 ? 503 : 400).end());
    const { clock, lines, options } = surroundings();
    const settings = { interval: 1000, timeout: 30_000, exporter: { ...otlp, endpoint: backend.endpoint } };
    const sender = await openMetricSender(settings, { ...options, samples: () => [] });
    clock.advance(1000);
    const begunMs = clock.monotonicMs();
    await eventually(() => {
      clock.advance(1); // answers come within a few turns, the second attempt after thousands
      return lines.length > 0;
    });
    assert.ok(clock.monotonicMs() - begunMs >= 5000);
    assert.deepEqual(lines, ["Sending own metrics failed."]);
    assert.equal(backend.received.length, 2);
    await sender.stop();
  });
});

describe("own logs that are sent", () => {
  it("are records with the severity, the fields and the component of their line", async () => {
    const backend = await grpcBackend();
    const { clock, lines, options } = surroundings();
    // Without a time limit: a call's deadline is a moment of the real clock.
    const exporter = { ...otlp, protocol: "grpc", endpoint: `http://${backend.endpoint}`, timeoutMs: 0 } as const;
    const batch = { exporter, delayMs: 100, maxBatchSize: 10, maxQueueSize: 10, timeoutMs: 1000 };
    const sender = await openLogSender([batch], options);
    const loggers = createLoggers({ level: "info", encoding: "json", write: () => {}, clock, also: sender.add });
    const component = { "otelcol.component.id": "otlp", "otelcol.component.kind": "receiver" };
    loggers(component).error({ error: new Error("no"), sizes: [1, { a: true }] }, "It failed.");
    loggers(component).debug({}, "Not even written.");
    loggers({}).info({}, "All is well.");
    await sender.stop();
    const [call] = backend.calls;
    assert.deepEqual(lines, []);
    assert.equal(call?.path, "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
    const [byResource] = jsonOf("logs", call?.body).resourceLogs;
    assert.equal(byResource.resource.attributes.length, 2);
    const [{ scope, logRecords }, other] = byResource.scopeLogs;
    assert.deepEqual(scope.attributes, [
      { key: "otelcol.component.id", value: { stringValue: "otlp" } },
      { key: "otelcol.component.kind", value: { stringValue: "receiver" } },
    ]);
    assert.deepEqual(logRecords, [
      {
        timeUnixNano: "1767225600000000000",
        observedTimeUnixNano: "1767225600000000000",
        severityNumber: 17,
        severityText: "error",
        body: { stringValue: "It failed." },
        attributes: [
          { key: "error", value: { stringValue: "no" } },
          {
            key: "sizes",
            value: {
              arrayValue: {
                values: [{ intValue: "1" }, { kvlistValue: { values: [{ key: "a", value: { boolValue: true } }] } }],
              },
            },
          },
        ],
      },
    ]);
    assert.deepEqual(
      other.logRecords.map((record: { body: unknown }) => record.body),
      [{ stringValue: "All is well." }],
    );
    assert.equal(clock.pendingTimers, 0);
  });

  it("can be printed as JSON", async () => {
    const { clock, options } = surroundings();
    const printed: string[] = [];
    const simple = { exporter: "console", delayMs: 0, maxBatchSize: 1, maxQueueSize: 10, timeoutMs: 1000 } as const;
    const sender = await openLogSender([simple], { ...options, print: (text: string) => void printed.push(text) });
    const loggers = createLoggers({ level: "info", encoding: "json", write: () => {}, clock, also: sender.add });
    loggers({}).info({}, "Hello.");
    await sender.stop();
    assert.equal(JSON.parse(printed[0] ?? "").resourceLogs[0].scopeLogs[0].logRecords[0].body.stringValue, "Hello.");
  });
});

describe("own spans that are sent", () => {
  it("have their kind, parent, events and status", async () => {
    const backend = await httpBackend();
    const { clock, options } = surroundings();
    const exporter = { ...otlp, endpoint: `${backend.endpoint}/own/path` };
    const batch = { exporter, delayMs: 100, maxBatchSize: 10, maxQueueSize: 10, timeoutMs: 1000 };
    const sender = await openSpanSender([batch], options);
    const traceId = "0af7651916cd43dd8448eb211c80319c";
    const context = { traceId, spanId: "b7ad6b7169203331", isSampled: true, isRemote: false };
    sender.add({
      name: "exporter/debug/traces",
      kind: "client",
      scope: { name: "exporterhelper" },
      component: { "otelcol.component.id": "debug" },
      context,
      parent: { ...context, spanId: "b7ad6b7169203332", isRemote: true },
      startUnixMs: clock.nowMs(),
      endUnixMs: clock.nowMs() + 1.5,
      attributes: { "items.sent": 2 },
      events: [{ name: "Enqueued item.", unixMs: clock.nowMs() + 1, attributes: {} }],
      error: "no route",
    });
    await sender.stop();
    assert.equal(backend.received[0]?.path, "/own/path");
    const [byResource] = jsonOf("traces", backend.received[0]?.body).resourceSpans;
    assert.equal(byResource.schemaUrl, "https://example.com/schema");
    assert.deepEqual(byResource.scopeSpans, [
      {
        scope: {
          name: "exporterhelper",
          attributes: [{ key: "otelcol.component.id", value: { stringValue: "debug" } }],
        },
        spans: [
          {
            traceId,
            spanId: "b7ad6b7169203331",
            parentSpanId: "b7ad6b7169203332",
            flags: 0x301,
            name: "exporter/debug/traces",
            kind: 3,
            startTimeUnixNano: "1767225600000000000",
            endTimeUnixNano: "1767225600001500000",
            attributes: [{ key: "items.sent", value: { intValue: "2" } }],
            events: [{ timeUnixNano: "1767225600001000000", name: "Enqueued item." }],
            status: { message: "no route", code: 2 },
          },
        ],
      },
    ]);
  });
});
