import assert from "node:assert/strict";
import { describe, it } from "node:test";
import definition from "../../../exporters/debug/index.ts";
import { Numbering } from "../../../exporters/debug/numbering.ts";
import { printed } from "../../../exporters/debug/summary.ts";
import { Cutter, concat, decode, encode, type Logs, type Metrics, type Traces } from "../../../pipeline/pdata/index.ts";
import { settled } from "../../pipeline/export/harness.ts";
import { recordedDelivery, seededRandom, simulatedHost } from "../../support/simulated_host.ts";
import { someSpans, spansOfHeavyResource } from "../../support/traces.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);

/** Batches of several chunks, with resources, scopes, metrics and lists that are empty now and then. */
function shapes(random: () => number) {
  const some = <V>(make: (index: number) => V) => Array.from({ length: Math.floor(random() * 4) }, (_, at) => make(at));
  const attributes = () => some((at) => ({ key: `k${at}`, value: { intValue: BigInt(at) } }));
  const scope = () => ({ name: "scope", attributes: attributes() });
  const dataPoints = () => some((at) => ({ timeUnixNano: BigInt(at), attributes: attributes() }));
  const metric = (at: number) => ({
    name: `m${at}`,
    ...[
      { gauge: { dataPoints: dataPoints() } },
      { sum: { dataPoints: dataPoints(), isMonotonic: true, aggregationTemporality: 2 } },
      { histogram: { dataPoints: dataPoints(), aggregationTemporality: 1 } },
      { exponentialHistogram: { dataPoints: dataPoints(), aggregationTemporality: 1 } },
      { summary: { dataPoints: dataPoints() } },
      {},
    ][Math.floor(random() * 6)],
  });
  const resource = () => ({ attributes: attributes() });
  return {
    traces: () =>
      encode("traces", {
        resourceSpans: some(() => ({
          resource: resource(),
          scopeSpans: some(() => ({
            scope: scope(),
            spans: some((at) => ({ name: `s${at}`, events: some(() => ({})) })),
          })),
        })),
      }),
    logs: () =>
      encode("logs", {
        resourceLogs: some(() => ({
          resource: resource(),
          scopeLogs: some(() => ({ scope: scope(), logRecords: some((at) => ({ body: { stringValue: `b${at}` } })) })),
        })),
      }),
    metrics: () =>
      encode("metrics", {
        resourceMetrics: some(() => ({
          resource: resource(),
          scopeMetrics: some(() => ({ scope: scope(), metrics: some(metric) })),
        })),
      }),
  };
}

function inPieces<T extends Traces | Logs | Metrics>(
  data: T,
  items: number,
  text: (piece: T, at: Numbering) => string,
) {
  const cutter = new Cutter<T>();
  cutter.add(data);
  const numbering = new Numbering();
  let whole = "";
  for (;;) {
    numbering.begin(cutter.repeatedHeads);
    const piece = cutter.cut({ items });
    if (piece === undefined) return whole;
    whole += text(piece, numbering);
  }
}

describe(`debug, a batch printed in pieces (OTELPIPE_SEED=${seed})`, () => {
  const random = seededRandom(seed);
  const make = shapes(random);

  it("has the text of the whole batch, wherever it is cut", () => {
    let lines = 0;
    for (let round = 0; round < 60; round++) {
      const [traces, logs, metrics] = [
        concat([make.traces(), make.traces()]),
        concat([make.logs(), make.logs()]),
        concat([make.metrics(), make.metrics()]),
      ];
      for (const items of [1, 2, 3, 5]) {
        for (const verbosity of ["normal", "detailed"] as const) {
          const { traces: span, logs: record, metrics: point } = printed;
          const texts = [
            [
              inPieces(traces, items, (piece, at) => span[verbosity](decode<"traces">(piece), at)),
              span[verbosity](decode<"traces">(traces), new Numbering()),
            ],
            [
              inPieces(logs, items, (piece, at) => record[verbosity](decode<"logs">(piece), at)),
              record[verbosity](decode<"logs">(logs), new Numbering()),
            ],
            [
              inPieces(metrics, items, (piece, at) => point[verbosity](decode<"metrics">(piece), at)),
              point[verbosity](decode<"metrics">(metrics), new Numbering()),
            ],
          ];
          for (const [got, want] of texts) assert.equal(got, want);
          lines += texts.join("").split("\n").length;
        }
      }
    }
    assert.ok(lines > 20_000, `${lines} lines`);
  });
});

describe("debug, with a large batch", () => {
  const started = (verbosity = "detailed") => {
    const host = simulatedHost();
    return { host, exporter: definition.traces!(definition.config.parse({ verbosity }), host) };
  };
  const large = someSpans(1000, "large");
  const small = someSpans(1, "small");
  /** Lets time pass and promises run until nothing happens any more; returns how often that took. */
  const finish = async (host: ReturnType<typeof simulatedHost>) => {
    await settled();
    let turns = 0;
    for (; host.clock.pendingTimers > 0; turns++) {
      host.advance(0);
      await settled();
    }
    return turns;
  };

  // Scenario: a large batch, then a small one, then a large one, before the first is printed.
  // Guarantees: each is printed whole behind its counts, in the order in which they came, and answered only then.
  it("prints one batch after the other, each in one message", async () => {
    const { host, exporter } = started();
    const answers = [large, small, large].map((data) => {
      const { delivery, answers: given } = recordedDelivery(data);
      exporter.consume(delivery);
      return given;
    });
    await settled();
    assert.deepEqual(answers, [[], [], []]);
    assert.deepEqual(host.logs, []);
    assert.ok((await finish(host)) >= 20);
    assert.deepEqual(answers, [["ack"], ["ack"], ["ack"]]);
    const text = (data: Traces) => printed.traces.detailed(decode<"traces">(data), new Numbering());
    assert.deepEqual(
      host.logs.map(({ message }) => message),
      ["Traces", text(large), "Traces", text(small), "Traces", text(large)],
    );
    const { delivery, answers: atOnce } = recordedDelivery(small);
    exporter.consume(delivery);
    assert.deepEqual(atOnce, ["ack"]);
  });

  it("makes few pieces of one whose resource is large, since each repeats it", async () => {
    const { host, exporter } = started();
    exporter.consume(recordedDelivery(spansOfHeavyResource(10_000, 1_000_000)).delivery);
    const turns = await finish(host);
    assert.ok(turns > 2 && turns < 20, `${turns} pieces`);
    assert.match(host.logs[1]?.message ?? "", /Span #9999\n/);
  });

  it("stops printing when time is up", async () => {
    const { host, exporter } = started();
    const { delivery, answers } = recordedDelivery(large);
    exporter.consume(delivery);
    await settled();
    const drained = exporter.drain?.(host.clock.monotonicMs());
    host.advance(0);
    await drained;
    await exporter.stop?.();
    assert.deepEqual(
      answers.map((answer) => (answer === "ack" ? answer : answer.retryable)),
      [true],
    );
    await finish(host);
    assert.equal(host.logs.filter(({ message }) => message === "Traces").length, 0);
  });
});
