import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { MetricRegistry } from "../../../pipeline/telemetry/meter.ts";
import { startPrometheusReader } from "../../../pipeline/telemetry/prometheus.ts";
import { goNumber, type PrometheusOptions, prometheusText } from "../../../pipeline/telemetry/prometheus_text.ts";

const plain: PrometheusOptions = {
  suffixes: false,
  scopeInfo: false,
  constantLabels: {},
  resource: { "service.name": "otelpipe" },
};

/** The lines of a Prometheus text without what every one of ours has. */
function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line !== "" && !/promhttp|target_info/.test(line));
}

describe("own metrics", () => {
  it("become Prometheus text with the names they have, metrics and series in order", () => {
    const registry = new MetricRegistry();
    const meter = registry.meter({ processor: "batch" });
    const counter = meter.counter("otelcol_sent", { description: "Sent\nitems", unit: "{item}" });
    counter.add(3, { "otel.signal": 'a"b\\c' });
    counter.add(2);
    meter.gauge("otelcol.size", { description: "Size", unit: "By" }, () => 7_000_000);
    const histogram = meter.histogram("otelcol_batch", { description: "Batch", unit: "{item}", bounds: [10, 0.5e6] });
    for (const value of [1, 10, 11, 1e6]) histogram?.record(value);
    assert.deepEqual(linesOf(prometheusText(registry.samples(), plain)), [
      "# HELP otelcol_batch Batch",
      "# TYPE otelcol_batch histogram",
      'otelcol_batch_bucket{processor="batch",le="10"} 2',
      'otelcol_batch_bucket{processor="batch",le="500000"} 3',
      'otelcol_batch_bucket{processor="batch",le="+Inf"} 4',
      'otelcol_batch_sum{processor="batch"} 1.000022e+06',
      'otelcol_batch_count{processor="batch"} 4',
      "# HELP otelcol_sent Sent\\nitems",
      "# TYPE otelcol_sent counter",
      'otelcol_sent{processor="batch"} 2',
      'otelcol_sent{otel_signal="a\\"b\\\\c",processor="batch"} 3',
      "# HELP otelcol_size Size",
      "# TYPE otelcol_size gauge",
      'otelcol_size{processor="batch"} 7e+06',
    ]);
  });

  it("have a bounded number of series: the rest becomes one", () => {
    const registry = new MetricRegistry();
    const counter = registry.meter({}).counter("otelpipe_strange", { description: "", unit: "" });
    for (let index = 0; index < 2005; index += 1) counter.add(1, { from: String(index) });
    const series = [...registry.samples()];
    assert.equal(series.length, 2001);
    assert.deepEqual(series.at(-1)?.labels, { "otel.metric.overflow": "true" });
    assert.equal(series.at(-1)?.value, 5);
  });

  it("end with what the Collector's endpoint always says", () => {
    assert.deepEqual(
      prometheusText([], { ...plain, scopeInfo: true, suffixes: true })
        .trimEnd()
        .split("\n"),
      [
        "# HELP promhttp_metric_handler_errors_total Total number of internal errors encountered by the promhttp metric handler.",
        "# TYPE promhttp_metric_handler_errors_total counter",
        'promhttp_metric_handler_errors_total{cause="encoding"} 0',
        'promhttp_metric_handler_errors_total{cause="gathering"} 0',
        "# HELP target_info Target metadata",
        "# TYPE target_info gauge",
        'target_info{service_name="otelpipe"} 1',
      ],
    );
  });

  it("have suffixes, scopes and labels of the resource when asked for", () => {
    const registry = new MetricRegistry();
    const counted = (name: string, unit: string) =>
      registry.meter({}).gauge(name, { description: "", unit, as: "counter" }, () => 1);
    counted("otelcol_process_uptime", "s");
    counted("otelcol_process_cpu_seconds", "s");
    counted("otelcol_receiver_accepted_spans", "{span}");
    registry.meter({}).gauge("otelcol_process_memory_rss", { description: "", unit: "By" }, () => 1);
    const options = { ...plain, suffixes: true, scopeInfo: true, constantLabels: { "service.name": "x" } };
    const labels = (scope: string) =>
      `{otel_scope_name="go.opentelemetry.io/collector/${scope}",otel_scope_schema_url="",otel_scope_version="",service_name="x"}`;
    assert.deepEqual(
      linesOf(prometheusText(registry.samples(), options)).filter((line) => !line.startsWith("#")),
      [
        `otelcol_process_cpu_seconds_total${labels("service")} 1`,
        `otelcol_process_memory_rss_bytes${labels("service")} 1`,
        `otelcol_process_uptime_seconds_total${labels("service")} 1`,
        `otelcol_receiver_accepted_spans_total${labels("receiver/receiverhelper")} 1`,
      ],
    );
  });

  for (const [value, text] of [
    [0, "0"],
    [0.05, "0.05"],
    [999_999.5, "999999.5"],
    [1_000_000, "1e+06"],
    [1_234_567.891, "1.234567891e+06"],
    [0.0001, "0.0001"],
    [0.00001234, "1.234e-05"],
    [Number.POSITIVE_INFINITY, "+Inf"],
    [Number.NaN, "NaN"],
  ] as const) {
    it(`writes ${text} as Go does`, () => assert.equal(goNumber(value), text));
  }

  it("are not measured above the level, and cost nothing then", () => {
    const registry = new MetricRegistry("basic");
    const meter = registry.meter({});
    const normal = { description: "", unit: "", level: "normal" } as const;
    meter.counter("counter", normal).add(1);
    meter.counter("bound", normal).with({ a: "b" }).add(1);
    meter.gauge("gauge", normal, () => assert.fail("read"));
    assert.equal(meter.histogram("histogram", { ...normal, bounds: [1] }), undefined);
    assert.deepEqual([...registry.samples()], []);
  });

  it("add up gauges of the same labels, and forget one that is taken away", () => {
    const registry = new MetricRegistry();
    const gauge = (read: () => number) =>
      registry.meter({ processor: "batch" }).gauge("size", { description: "", unit: "", as: "updown" }, read);
    gauge(() => 2);
    const forget = gauge(() => 3);
    assert.deepEqual(
      [...registry.samples()].map(({ value }) => value),
      [5],
    );
    forget();
    assert.deepEqual(
      [...registry.samples()].map(({ value }) => value),
      [2],
    );
  });

  it("refuse one name for two kinds of metric", () => {
    const meter = new MetricRegistry().meter({});
    meter.counter("same", { description: "", unit: "" });
    assert.throws(() => meter.gauge("same", { description: "", unit: "" }, () => 0), /same is a counter/);
  });

  it("are served on /metrics and nowhere else, compressed when asked for", async () => {
    const registry = new MetricRegistry();
    registry
      .meter({})
      .counter("one", { description: "One. ".repeat(1000), unit: "1" })
      .add(1);
    const settings = {
      host: "localhost",
      port: 0,
      without_scope_info: true,
      without_units: true,
      without_type_suffix: true,
    };
    const reader = await startPrometheusReader(settings, { "service.name": "x" }, () => registry.samples());
    try {
      const base = `http://${reader.addresses[0]}`;
      for (const encoding of ["gzip", "identity", "gzip;q=0"]) {
        const reply = await fetch(`${base}/metrics`, { headers: { "accept-encoding": encoding } });
        assert.equal(reply.headers.get("content-encoding"), encoding === "gzip" ? "gzip" : null);
        assert.match(await reply.text(), /^one 1$[\s\S]*^target_info\{service_name="x"\} 1$/m);
      }
      assert.equal((await fetch(`${base}/`)).status, 404);
    } finally {
      await reader.stop();
    }
  });
});
