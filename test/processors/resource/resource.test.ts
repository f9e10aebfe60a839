import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, encode } from "../../../pipeline/pdata/index.ts";
import definition from "../../../processors/resource/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";

const settings = definition.config.parse({
  attributes: [
    { key: "cloud.zone", value: "zone-1", action: "upsert" },
    { key: "k8s.cluster.name", from_attribute: "k8s-cluster", action: "insert" },
    { key: "redundant-attribute", action: "delete" },
  ],
});
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const before = [text("cloud.zone", "old"), text("k8s-cluster", "test"), text("redundant-attribute", "x")];
const after = { "cloud.zone": "zone-1", "k8s-cluster": "test", "k8s.cluster.name": "test" };

function texts(resource: { attributes: { key: string; value?: { stringValue?: string } }[] } | undefined) {
  return Object.fromEntries((resource?.attributes ?? []).map(({ key, value }) => [key, value?.stringValue]));
}

describe("resource", () => {
  it("edits the resources of spans and leaves the spans as they are", () => {
    const spans = [{ name: "a", attributes: before }];
    const data = encode("traces", {
      resourceSpans: [{ resource: { attributes: before }, scopeSpans: [{ spans }] }, { scopeSpans: [{ spans }] }],
    });
    const { sent } = run(definition.traces!(settings, simulatedHost()), [data]);
    const [first, second] = decode<"traces">(sent[0]!.data).resourceSpans;
    assert.deepEqual(texts(first?.resource), after);
    assert.deepEqual(texts(second?.resource), { "cloud.zone": "zone-1" });
    assert.deepEqual(first?.scopeSpans, decode<"traces">(data).resourceSpans[0]?.scopeSpans);
  });

  it("edits the resources of metrics and logs", () => {
    const metrics = encode("metrics", {
      resourceMetrics: [
        {
          resource: { attributes: before },
          scopeMetrics: [{ metrics: [{ name: "m", gauge: { dataPoints: [{ asInt: 1n }] } }] }],
        },
      ],
    });
    const logs = encode("logs", {
      resourceLogs: [{ resource: { attributes: before }, scopeLogs: [{ logRecords: [{ severityNumber: 9 }] }] }],
    });
    const ofMetrics = run(definition.metrics!(settings, simulatedHost()), [metrics]).sent[0];
    const ofLogs = run(definition.logs!(settings, simulatedHost()), [logs]).sent[0];
    assert.deepEqual(texts(decode<"metrics">(ofMetrics!.data).resourceMetrics[0]?.resource), after);
    assert.deepEqual(texts(decode<"logs">(ofLogs!.data).resourceLogs[0]?.resource), after);
  });

  it("needs attributes", () => {
    const result = definition.config.safeParse({ attributes: [] });
    assert.equal(
      result.error?.issues[0]?.message,
      'error creating "resource" processor due to missing required field "attributes"',
    );
  });
});
