import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { views } from "../../../pipeline/config/telemetry/views.ts";
import { MetricRegistry, type Sample } from "../../../pipeline/telemetry/meter.ts";
import { viewsOf } from "../../../pipeline/telemetry/views.ts";

/** The samples of a few metrics as `written`, the YAML's value, wants them. */
function seen(written: unknown): Sample[] {
  const compiled = viewsOf(views().parse(written));
  const registry = new MetricRegistry("detailed", compiled.boundsOf);
  const meter = registry.meter({});
  const sent = meter.counter("otelcol_exporter_sent_spans", { description: "Sent.", unit: "{span}" });
  sent.add(2, { exporter: "a", zone: "x" });
  sent.add(3, { exporter: "a", zone: "y" });
  const sizes = meter.histogram("otelcol_exporter_enqueue_size", { description: "", unit: "{unit}", bounds: [10] });
  for (const [value, zone] of [
    [5, "x"],
    [70, "y"],
  ] as const) {
    sizes?.record(value, { zone });
  }
  meter.gauge("otelcol_process_memory_rss", { description: "", unit: "By" }, () => 1);
  return [...compiled.apply(registry.samples())];
}

const brief = (samples: readonly Sample[]) => samples.map(({ name, labels, value }) => ({ name, labels, value }));

describe("a view", () => {
  it("drops the metrics that its selector names", () => {
    const dropping = (selector: object) =>
      seen([{ selector, stream: { aggregation: { drop: {} } } }]).map(({ name }) => name);
    const [sent, size, rss] = [
      "otelcol_exporter_sent_spans",
      "otelcol_exporter_enqueue_size",
      "otelcol_process_memory_rss",
    ];
    assert.deepEqual(dropping({ instrument_name: "otelcol_exporter_*" }), [rss]);
    assert.deepEqual(dropping({ instrument_name: "otelcol_process_memory_rs?" }), [sent, sent, size, size]);
    assert.deepEqual(dropping({ instrument_type: "counter" }), [size, size, rss]);
    assert.deepEqual(dropping({ unit: "By" }), [sent, sent, size, size]);
    assert.deepEqual(dropping({ meter_name: "go.opentelemetry.io/collector/service" }), [sent, sent, size, size]);
    assert.deepEqual(dropping({ instrument_name: "*", meter_version: "1" }), [sent, sent, size, size, rss]);
  });

  it("leaves attributes out: series that become equal are added up", () => {
    const stream = { attribute_keys: { excluded: ["zone"] } };
    const [sent, size] = seen([{ selector: { instrument_name: "otelcol_exporter_*" }, stream }]);
    assert.deepEqual(brief(sent === undefined ? [] : [sent]), [
      { name: "otelcol_exporter_sent_spans", labels: { exporter: "a" }, value: 5 },
    ]);
    assert.deepEqual(size?.buckets, { bounds: [10], counts: [1, 1], min: 5, max: 70 });
  });

  it("renames a metric, which keeps its scope, beside what another view makes of it", () => {
    const selector = { instrument_name: "otelcol_process_memory_rss" };
    const found = seen([
      { selector, stream: { name: "rss", description: "Memory." } },
      { selector, stream: {} },
    ]).filter(({ unit }) => unit === "By");
    assert.deepEqual(
      found.map(({ name, description, scope }) => [name, description, scope]),
      [
        ["rss", "Memory.", "go.opentelemetry.io/collector/service"],
        ["otelcol_process_memory_rss", "", undefined],
      ],
    );
  });

  it("gives a histogram other buckets, or leaves its sum", () => {
    const selector = { instrument_name: "otelcol_exporter_enqueue_size" };
    const boundaries = { explicit_bucket_histogram: { boundaries: [1, 6, 60] } };
    const [bucketed] = seen([{ selector, stream: { aggregation: boundaries } }]).filter(({ buckets }) => buckets);
    assert.deepEqual(bucketed?.buckets, { bounds: [1, 6, 60], counts: [0, 1, 0, 0], min: 5, max: 5 });
    const sums = seen([{ selector, stream: { aggregation: { sum: {} } } }]).filter(({ unit }) => unit === "{unit}");
    assert.deepEqual(
      sums.map(({ type, value, buckets }) => ({ type, value, buckets })),
      [
        { type: "counter", value: 5, buckets: undefined },
        { type: "counter", value: 70, buckets: undefined },
      ],
    );
  });
});
