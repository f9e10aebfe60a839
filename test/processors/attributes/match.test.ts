import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { decode, encode, type Logs, type Metrics, type Traces } from "../../../pipeline/pdata/index.ts";
import definition from "../../../processors/attributes/index.ts";
import { run, simulatedHost } from "../../support/simulated_host.ts";

const mark = [{ key: "marked", value: true, action: "insert" }];
const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });

const traces: Traces = encode("traces", {
  resourceSpans: ["checkout", "cart", undefined].map((service) => ({
    resource: {
      attributes: service === undefined ? [] : [text("service.name", service), text("host.name", `${service}-1`)],
    },
    scopeSpans: [
      {
        scope: { name: "lib", version: "1.2" },
        spans: [
          { name: "GET /", kind: 2, attributes: [{ key: "code", value: { intValue: 200n } }, text("user", "ann")] },
          {
            name: "query",
            kind: 3,
            attributes: [
              { key: "code", value: { doubleValue: 200 } },
              { key: "ok", value: { boolValue: true } },
            ],
          },
        ],
      },
    ],
  })),
});

const records: Logs = encode("logs", {
  resourceLogs: [
    {
      resource: { attributes: [text("service.name", "cart")] },
      scopeLogs: [
        {
          logRecords: [
            { severityNumber: 9, severityText: "Info", body: { stringValue: "started" } },
            { severityNumber: 17, severityText: "Error", body: { kvlistValue: { values: [text("failed", "yes")] } } },
            { body: { intValue: 7n } },
          ],
        },
      ],
    },
  ],
});

const points: Metrics = encode("metrics", {
  resourceMetrics: [
    {
      resource: { attributes: [text("service.name", "cart")] },
      scopeMetrics: [
        {
          metrics: [
            { name: "requests", sum: { dataPoints: [{ asInt: 1n }, { asInt: 2n }] } },
            { name: "latency", histogram: { dataPoints: [{ count: 1n }] } },
            { name: "load", gauge: { dataPoints: [{ asDouble: 1 }] } },
            { name: "sizes", summary: { dataPoints: [{ count: 1n }] } },
            { name: "spread", exponentialHistogram: { dataPoints: [{ count: 1n }] } },
          ],
        },
      ],
    },
  ],
});

interface Marked {
  readonly attributes: readonly { readonly key: string }[];
}

/** Which items, by number, have been marked. */
function markedOf(items: readonly Marked[]): number[] {
  return items.flatMap(({ attributes }, index) => (attributes.some(({ key }) => key === "marked") ? [index] : []));
}

function markedSpans(blocks: object): number[] {
  const operator = definition.traces!(definition.config.parse({ actions: mark, ...blocks }), simulatedHost());
  const [delivery] = run(operator, [traces]).sent;
  const request = decode<"traces">(delivery!.data);
  return markedOf(request.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)));
}

function markedRecords(blocks: object): number[] {
  const operator = definition.logs!(definition.config.parse({ actions: mark, ...blocks }), simulatedHost());
  const [delivery] = run(operator, [records]).sent;
  return markedOf(decode<"logs">(delivery!.data).resourceLogs[0]!.scopeLogs[0]!.logRecords);
}

function markedPoints(blocks: object): number[] {
  const operator = definition.metrics!(definition.config.parse({ actions: mark, ...blocks }), simulatedHost());
  const [delivery] = run(operator, [points]).sent;
  const { metrics } = decode<"metrics">(delivery!.data).resourceMetrics[0]!.scopeMetrics[0]!;
  const data = metrics.map(
    ({ gauge, sum, histogram, exponentialHistogram, summary }) =>
      gauge ?? sum ?? histogram ?? exponentialHistogram ?? summary,
  );
  return markedOf(data.flatMap((one): readonly Marked[] => one?.dataPoints ?? []));
}

const strict = (match: object) => ({ include: { match_type: "strict", ...match } });
const regexp = (match: object) => ({ include: { match_type: "regexp", ...match } });

describe("include and exclude of attributes, for spans", () => {
  for (const { blocks, want } of [
    { blocks: {}, want: [0, 1, 2, 3, 4, 5] },
    { blocks: strict({ services: ["cart", "other"] }), want: [2, 3] },
    { blocks: regexp({ services: ["^c"] }), want: [0, 1, 2, 3] },
    { blocks: regexp({ services: ["<nil-service-name>"] }), want: [4, 5] },
    { blocks: strict({ span_names: ["query"] }), want: [1, 3, 5] },
    { blocks: regexp({ span_names: ["GET"] }), want: [0, 2, 4] },
    { blocks: strict({ span_kinds: ["SPAN_KIND_SERVER"] }), want: [0, 2, 4] },
    { blocks: regexp({ span_kinds: ["CLIENT$"] }), want: [1, 3, 5] },
    { blocks: strict({ attributes: [{ key: "user" }] }), want: [0, 2, 4] },
    { blocks: strict({ attributes: [{ key: "user", value: "ann" }] }), want: [0, 2, 4] },
    { blocks: strict({ attributes: [{ key: "user", value: "an" }] }), want: [] },
    { blocks: strict({ attributes: [{ key: "code", value: 200 }] }), want: [0, 1, 2, 3, 4, 5] },
    { blocks: strict({ attributes: [{ key: "code", value: "200" }] }), want: [] },
    {
      blocks: strict({
        attributes: [
          { key: "code", value: 200 },
          { key: "ok", value: true },
        ],
      }),
      want: [1, 3, 5],
    },
    { blocks: regexp({ attributes: [{ key: "code", value: "^2" }] }), want: [0, 1, 2, 3, 4, 5] },
    { blocks: regexp({ attributes: [{ key: "ok", value: "true" }] }), want: [1, 3, 5] },
    { blocks: strict({ resources: [{ key: "host.name", value: "cart-1" }] }), want: [2, 3] },
    { blocks: strict({ libraries: [{ name: "lib" }] }), want: [0, 1, 2, 3, 4, 5] },
    { blocks: strict({ libraries: [{ name: "lib", version: "" }] }), want: [] },
    { blocks: regexp({ libraries: [{ name: "l", version: "1" }] }), want: [0, 1, 2, 3, 4, 5] },
    { blocks: strict({ services: ["cart"], span_names: ["query"] }), want: [3] },
    {
      blocks: { ...strict({ services: ["cart"] }), exclude: { match_type: "strict", span_names: ["query"] } },
      want: [2],
    },
    { blocks: { exclude: { match_type: "regexp", services: ["t$"] } }, want: [4, 5] },
  ]) {
    it(JSON.stringify(blocks), () => assert.deepEqual(markedSpans(blocks), want));
  }

  for (const { blocks, message } of [
    { blocks: strict({ log_bodies: ["x"] }), message: "log_bodies should not be specified for trace spans" },
    {
      blocks: strict({}),
      message: 'at least one of "attributes", "libraries",  or "resources" field must be specified',
    },
  ]) {
    it(`refuses ${JSON.stringify(blocks)}`, () => assert.throws(() => markedSpans(blocks), { message }));
  }

  for (const { blocks, message } of [
    {
      blocks: { include: { services: ["a"] } },
      message: "unrecognized match_type: '', valid types are: [regexp strict]",
    },
    { blocks: regexp({ services: ["("] }), message: 'invalid pattern "("' },
    {
      blocks: regexp({ attributes: [{ key: "a", value: 1 }] }),
      message: 'match_type=regexp for "a" only supports Str',
    },
    {
      blocks: strict({ span_kinds: ["server"] }),
      message: "span_kinds string must match one of the standard span kinds",
    },
  ]) {
    it(`refuses ${JSON.stringify(blocks)} before it is built`, () => {
      const result = definition.config.safeParse({ actions: mark, ...blocks });
      assert.ok(result.error?.issues[0]?.message.startsWith(message), result.error?.issues[0]?.message);
    });
  }
});

describe("include and exclude of attributes, for log records", () => {
  for (const { blocks, want } of [
    { blocks: strict({ log_bodies: ["started", "7"] }), want: [0, 2] },
    { blocks: regexp({ log_bodies: ['"failed":"y'] }), want: [1] },
    { blocks: strict({ log_severity_texts: ["Info"] }), want: [0] },
    { blocks: strict({ log_severity_number: { min: "WARN" } }), want: [1] },
    { blocks: strict({ log_severity_number: { min: 9, match_undefined: true } }), want: [0, 1, 2] },
    { blocks: strict({ resources: [{ key: "service.name", value: "cart" }] }), want: [0, 1, 2] },
  ]) {
    it(JSON.stringify(blocks), () => assert.deepEqual(markedRecords(blocks), want));
  }

  it("refuses what only spans have", () => {
    const message = "services, span_names, and span_kinds are not valid for log records";
    assert.throws(() => markedRecords(strict({ services: ["a"] })), { message });
  });
});

describe("include and exclude of attributes, for data points", () => {
  for (const { blocks, want } of [
    { blocks: {}, want: [0, 1, 2, 3, 4, 5] },
    { blocks: strict({ metric_names: ["requests", "load"] }), want: [0, 1, 3] },
    { blocks: regexp({ metric_names: ["^s"] }), want: [4, 5] },
    { blocks: { exclude: { match_type: "strict", metric_names: ["latency"] } }, want: [0, 1, 3, 4, 5] },
    { blocks: strict({ resources: [{ key: "service.name", value: "other" }] }), want: [] },
  ]) {
    it(JSON.stringify(blocks), () => assert.deepEqual(markedPoints(blocks), want));
  }
});

it("passes a batch on as the same object when nothing in it is meant", () => {
  const settings = definition.config.parse({ actions: mark, ...strict({ services: ["nobody"] }) });
  const { sent } = run(definition.traces!(settings, simulatedHost()), [traces]);
  assert.equal(sent[0]?.data, traces);
});

it("needs actions", () => {
  const result = definition.config.safeParse({ actions: [] });
  assert.equal(result.error?.issues[0]?.message, 'missing required field "actions"');
});
