import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLoggers } from "../../../pipeline/telemetry/logger.ts";
import { MetricRegistry } from "../../../pipeline/telemetry/meter.ts";
import { prometheusText, servePrometheus } from "../../../pipeline/telemetry/prometheus.ts";

describe("own metrics", () => {
  it("become Prometheus text with the names they have: dots to underscores, nothing added", () => {
    const registry = new MetricRegistry();
    const meter = registry.meter({ processor: "batch" });
    const counter = meter.counter("otelcol_sent", { description: "Sent\nitems", unit: "{item}" });
    counter.add(2);
    counter.add(3, { "otel.signal": 'a"b\\c' });
    meter.gauge("otelcol.size", { description: "Size", unit: "By" }, () => 7);
    const histogram = meter.histogram("otelcol_batch", { description: "Batch", unit: "{item}", bounds: [10, 100] });
    for (const value of [1, 10, 11, 1000]) histogram.record(value);
    assert.equal(
      prometheusText(registry.samples()),
      [
        "# HELP otelcol_sent Sent\\nitems",
        "# TYPE otelcol_sent counter",
        'otelcol_sent{processor="batch"} 2',
        'otelcol_sent{processor="batch",otel_signal="a\\"b\\\\c"} 3',
        "# HELP otelcol_size Size",
        "# TYPE otelcol_size gauge",
        'otelcol_size{processor="batch"} 7',
        "# HELP otelcol_batch Batch",
        "# TYPE otelcol_batch histogram",
        'otelcol_batch_bucket{processor="batch",le="10"} 2',
        'otelcol_batch_bucket{processor="batch",le="100"} 3',
        'otelcol_batch_bucket{processor="batch",le="+Inf"} 4',
        'otelcol_batch_sum{processor="batch"} 1022',
        'otelcol_batch_count{processor="batch"} 4',
        "",
      ].join("\n"),
    );
  });

  it("refuse one name for two kinds of metric", () => {
    const meter = new MetricRegistry().meter({});
    meter.counter("same", { description: "", unit: "" });
    assert.throws(() => meter.gauge("same", { description: "", unit: "" }, () => 0), /same is a counter/);
  });

  it("are served on /metrics and nowhere else", async () => {
    const registry = new MetricRegistry();
    registry.meter({}).counter("one", { description: "One.", unit: "1" }).add(1);
    const listening = await servePrometheus("localhost:0", () => registry.samples());
    try {
      const base = `http://${listening.addresses[0]}`;
      assert.match(await (await fetch(`${base}/metrics`)).text(), /^one 1$/m);
      assert.equal((await fetch(`${base}/`)).status, 404);
    } finally {
      listening.close();
      listening.destroyConnections();
    }
  });
});

describe("own logs", () => {
  const logged = (encoding: "console" | "json", level: "info" | "debug" | "fatal" = "info") => {
    const lines: string[] = [];
    const loggers = createLoggers({ level, encoding, write: (text) => void lines.push(text) });
    return { lines, loggers };
  };

  it("are columns between tabs, with fields as spaced JSON, in the console encoding", () => {
    const { lines, loggers } = logged("console");
    const fields = { "otelcol.component.id": "batch/a", "otelcol.component.kind": "processor" };
    loggers(fields).warn({ items: 3, nested: { list: [1, "x"] } }, "Sender failed");
    loggers({}).info({}, "Plain.");
    assert.match(
      lines[0]!,
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\twarn\tprocessor\/batch\/a\tSender failed\t\{"otelcol.component.id": "batch\/a", "otelcol.component.kind": "processor", "items": 3, "nested": \{"list": \[1, "x"\]\}\}\n$/,
    );
    assert.match(lines[1]!, /\tinfo\totelpipe\tPlain\.\n$/);
  });

  it("are one object a line in the json encoding, and errors are their message", () => {
    const { lines, loggers } = logged("json");
    loggers({}).error({ error: new Error("refused") }, "Export failed.");
    const { level, msg, error, caller } = JSON.parse(lines[0]!);
    assert.deepEqual([level, msg, error, caller], ["error", "Export failed.", "refused", "otelpipe"]);
  });

  it("lose at most the fields that JSON cannot hold, never the message", () => {
    const { lines, loggers } = logged("console");
    const circle: { self?: object } = {};
    circle.self = circle;
    loggers({}).error({ error: circle }, "Thrown by who knows whom.");
    loggers({}).info({ at: 1n, missing: undefined }, "Large.");
    assert.match(lines[0]!, /\terror\totelpipe\tThrown by who knows whom\.\n$/);
    assert.match(lines[1]!, /\tinfo\totelpipe\tLarge\.\t\{"at": "1"\}\n$/);
  });

  it("leave out what is under the level", () => {
    const { lines, loggers } = logged("console");
    loggers({}).debug({}, "Detail.");
    assert.deepEqual(lines, []);
  });

  it("leave out all there is when only fatal ones are wanted", () => {
    const { lines, loggers } = logged("json", "fatal");
    loggers({}).error({}, "Failed.");
    assert.deepEqual(lines, []);
  });
});
