import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { check, type Findings, type Row } from "../check.ts";
import type { Request } from "../corpus.ts";
import { comparable, type Item, readItems } from "../otlp_items.ts";
import { sideBySide } from "../side_by_side.ts";

const spanSettings = [
  "sampling_percentage: 0",
  "sampling_percentage: 15.3",
  "sampling_percentage: 15.3, hash_seed: 22",
  "sampling_percentage: 100",
  "sampling_percentage: 0.01, mode: hash_seed",
  "sampling_percentage: 50, mode: hash_seed, fail_closed: false",
  "sampling_percentage: 25, mode: proportional",
  "sampling_percentage: 25, mode: proportional, sampling_precision: 2",
  "sampling_percentage: 33.3333, mode: proportional, fail_closed: false",
  "sampling_percentage: 100, mode: proportional",
  "sampling_percentage: 50, mode: equalizing",
  "sampling_percentage: 7.5, mode: equalizing, sampling_precision: 6, fail_closed: false",
];
const recordSettings = [
  ...spanSettings,
  "sampling_percentage: 30, attribute_source: record, from_attribute: request.id",
  "sampling_percentage: 30, attribute_source: record, from_attribute: request.id, fail_closed: false",
  "sampling_percentage: 10, sampling_priority: priority",
  "sampling_percentage: 10, mode: proportional, sampling_priority: priority",
  "sampling_percentage: 10, mode: equalizing, attribute_source: record, from_attribute: request.id",
];

const count = 600;

/** The sampler keeps the same traces and records in every mode, and writes the same thresholds. */
export const sampler = check({
  name: "sampler",
  area: "Data: processors and samplers",
  needs: ["collector"],
  async run(peers): Promise<Findings> {
    const pipelines = [
      ...spanSettings.map((settings, index) => pipelineOf("traces", settings, index)),
      ...recordSettings.map((settings, index) => pipelineOf("logs", settings, index)),
    ];
    const outputs = await sideBySide(peers.collector, pipelines, [spanRequest(), logRequest()]);
    const rows: Row[] = [];
    const wrong: string[] = [];
    for (const { name, settings, signals } of pipelines) {
      const [ourItems, theirItems] = [await readItems(outputs.ours(name)), await readItems(outputs.theirs(name))];
      if (name === never) assert.notDeepEqual(comparable(ourItems), comparable(theirItems), "no longer differs");
      const [ours = [], theirs = []] = [ourItems, theirItems].map((items) =>
        comparable(name === never ? items.map(withoutTraceState) : items),
      );
      const [extra] = ours.filter((item) => !theirs.includes(item));
      const [missing] = theirs.filter((item) => !ours.includes(item));
      if (extra !== undefined || missing !== undefined || ours.length !== theirs.length) {
        wrong.push(
          `${name} { ${settings} }: ${ours.length} and ${theirs.length}\nonly ours ${extra}\nonly theirs ${missing}`,
        );
      }
      const checked = `\`probabilistic_sampler: { ${settings} }\`, ${signals.join()}`;
      rows.push({ peer: "Collector, same config", checked, result: `the same ${theirs.length} of ${count} kept` });
    }
    assert.ok(wrong.length === 0, wrong.join("\n\n"));
    return { rows, differences: [unreadable] };
  },
});

/** The pipeline of 0 percent, where only a priority keeps a span. */
const never = "traces0";

const unreadable = {
  input: "probabilistic_sampler at 0 %: a span kept by its priority, with an unreadable tracestate such as `ot=th:zz`",
  otelpipe: "tracestate as it came",
  collector: "`ot=th:0`",
  reason: "In every other mode the Collector leaves such a tracestate alone too.",
};

function withoutTraceState(item: Item): Item {
  const { traceState, ...rest } = item.item;
  return { ...item, item: rest };
}

function pipelineOf(signal: "traces" | "logs", settings: string, index: number) {
  const name = `${signal}${index}`;
  return { name, settings, processors: [`probabilistic_sampler/${name}: { ${settings} }`], signals: [signal] };
}

/** Trace states that samplers read: none, a threshold, a randomness, both, both at odds, malformed, another vendor's. */
const traceStates = [
  "",
  "ot=th:8",
  "ot=th:c",
  "ot=rv:abcdefabcdefab",
  "ot=th:8;rv:d0000000000000",
  "ot=th:8;rv:10000000000000",
  "ot=th:0",
  "ot=th:zz",
  "ot=rv:abc",
  "vendor=x,ot=th:4;other:1",
  "vendor=x",
];
const priorities = [
  undefined,
  { intValue: 0 },
  { intValue: 1 },
  { intValue: 100 },
  { doubleValue: 50 },
  { stringValue: "x" },
];

function spanRequest(): Request {
  const spans = Array.from({ length: count }, (_, index) => ({
    ...ids(index),
    name: `span ${index}`,
    traceState: traceStates[index % traceStates.length],
    flags: index % 3 === 0 ? 0x300 : 0,
    attributes: attributesFor(index, "sampling.priority"),
  }));
  return request("/v1/traces", { resourceSpans: [{ scopeSpans: [{ spans }] }] });
}

function logRequest(): Request {
  const logRecords = Array.from({ length: count }, (_, index) => ({
    // Every fifth record belongs to no trace.
    ...(index % 5 === 0 ? {} : ids(index)),
    body: { stringValue: `record ${index}` },
    attributes: attributesFor(index, "priority"),
  }));
  return request("/v1/logs", { resourceLogs: [{ scopeLogs: [{ logRecords }] }] });
}

/** The same ids in every run, spread as random ones are. */
function ids(index: number): { traceId: string; spanId: string } {
  const digest = createHash("sha256").update(`sampled ${index}`).digest("hex");
  return { traceId: digest.slice(0, 32), spanId: digest.slice(32, 48) };
}

function attributesFor(index: number, priorityKey: string): object[] {
  const priority = priorities[index % priorities.length];
  return [
    ...(index % 7 === 0 ? [] : [{ key: "request.id", value: { stringValue: `request ${index}` } }]),
    ...(priority === undefined ? [] : [{ key: priorityKey, value: priority }]),
  ];
}

function request(path: string, json: object): Request {
  return { path, contentType: "application/json", body: Buffer.from(JSON.stringify(json)) };
}
