import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { concat } from "../../../pipeline/pdata/index.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { sampleTraces, type TestSpan, traces } from "./support.ts";

const modes = ["hash_seed", "equalizing", "proportional"] as const;

/** Sampled at 50 % and not at 49 %: its randomness is 0x80000000000000. */
const half = "fefefefefefefefefe80000000000000";
const best = "111111111111111111ffffffffffffff";

interface Case {
  readonly name: string;
  readonly percent: number;
  readonly precision?: number;
  readonly traceId?: string;
  readonly traceState?: string;
  readonly open?: boolean;
  /** The tracestate of a kept span in both consistent modes, or one for each; undefined: dropped. */
  readonly want: string | undefined | { readonly equalizing?: string; readonly proportional?: string };
}

// Inputs and results are those of the Collector's own tests of the two consistent modes.
const cases: readonly Case[] = [
  { name: "everything", percent: 100, want: "ot=th:0" },
  { name: "more than everything", percent: 200, want: "ot=th:0" },
  { name: "half", percent: 50, want: "ot=th:8" },
  { name: "49 %", percent: 49, want: undefined },
  { name: "a quarter, just in", percent: 25, traceId: "ddddddddddddddddddc0000000000000", want: "ot=th:c" },
  { name: "a quarter, just out", percent: 25, traceId: "ddddddddddddddddddb0000000000000", want: undefined },
  {
    name: "1 % by an explicit randomness in capitals",
    percent: 1,
    precision: 14,
    traceState: "ot=rv:FD70A3D70A3D71",
    want: "ot=rv:FD70A3D70A3D71;th:fd70a3d70a3d71",
  },
  {
    name: "1 % of four digits, rounded down",
    percent: 1,
    traceState: "ot=rv:FD70A3D70A3D71",
    want: "ot=rv:FD70A3D70A3D71;th:fd70a",
  },
  {
    name: "1 % of three digits, rounded up",
    percent: 1,
    precision: 3,
    traceState: "ot=rv:FD70A3D70A3D71",
    want: undefined,
  },
  { name: "1 % by trace id", percent: 1, traceId: "a0a0a0a0a0a0a0a0a0fe000000000000", want: "ot=th:fd70a" },
  {
    name: "half of what came at half",
    percent: 50,
    traceState: "ot=rv:90000000000000;th:80000000000000",
    want: { equalizing: "ot=rv:90000000000000;th:8" },
  },
  { name: "a quarter of what came at half, out", percent: 25, traceState: "ot=th:8", want: undefined },
  {
    name: "a quarter of what came at half, in",
    percent: 25,
    traceId: "ffffffffffffffffffffffffffffffff",
    traceState: "ot=th:8",
    want: { equalizing: "ot=th:c", proportional: "ot=th:e" },
  },
  {
    name: "half of what came at half, with randomness",
    percent: 50,
    traceState: "ot=rv:c0000000000000;th:8",
    want: { equalizing: "ot=rv:c0000000000000;th:8", proportional: "ot=rv:c0000000000000;th:c" },
  },
  {
    name: "40 % of three digits",
    percent: 40,
    precision: 3,
    traceState: "ot=rv:a0000000000000",
    want: "ot=rv:a0000000000000;th:99a",
  },
  {
    name: "40 % of six digits of what came at half",
    percent: 40,
    precision: 6,
    traceId: "a0a0a0a0a0a0a0a0a0d0000000000000",
    traceState: "ot=th:8",
    want: { equalizing: "ot=th:99999a", proportional: "ot=th:cccccd" },
  },
  {
    name: "a tiny share of a tiny share",
    percent: 100 / 2 ** 14,
    traceId: best,
    traceState: "ot=th:fffc",
    want: { equalizing: "ot=th:fffc", proportional: "ot=th:fffffff" },
  },
  {
    name: "less than 56 bits can say",
    percent: 1 / 16,
    traceId: best,
    traceState: "ot=th:fffffffffffff8",
    want: { equalizing: "ot=th:fffffffffffff8" },
  },
  {
    name: "a threshold that its trace id does not pass",
    percent: 100,
    traceState: "ot=rv:40000000000000;th:8",
    want: undefined,
  },
  {
    name: "the same, failing open",
    percent: 100,
    open: true,
    traceState: "ot=rv:40000000000000;th:8",
    want: "ot=rv:40000000000000;th:0",
  },
  { name: "no trace id", percent: 100, traceId: "00".repeat(16), want: undefined },
  { name: "a randomness of 16 digits", percent: 100, traceState: "ot=rv:abababababababab", want: undefined },
  { name: "a threshold of 16 digits", percent: 100, traceState: "ot=th:abababababababab", want: undefined },
  { name: "a threshold that is no number", percent: 100, traceState: "ot=th:-1", want: undefined },
  {
    name: "what other vendors wrote stays",
    percent: 100,
    traceState: "a=b, ot=x:1 ,c@d=e f",
    want: "ot=th:0;x:1,a=b,c@d=e f",
  },
];

describe("probabilistic_sampler on spans", () => {
  for (const mode of ["equalizing", "proportional"] as const) {
    for (const { name, percent, precision = 4, traceId = half, traceState = "", open = false, want } of cases) {
      it(`${mode}: ${name}`, () => {
        const settings = { mode, sampling_percentage: percent, sampling_precision: precision, fail_closed: !open };
        const { spans, host } = sampleTraces(settings, traces([{ traceId, traceState }]));
        const wanted = typeof want === "object" ? want[mode] : want;
        assert.equal(spans[0]?.traceState, wanted);
        assert.equal(host.dropped.get("sampled_out"), wanted === undefined ? 1 : undefined);
      });
    }
  }

  for (const [percent, th] of [
    [100, "0"],
    [75, "4"],
    [50, "8"],
    [25, "c"],
    [10, "e668"],
    [100 / 3, "aaac"],
  ] as const) {
    it(`hash_seed: writes ${percent} % as ${th}, with the randomness it used`, () => {
      const random = seededRandom(3);
      const spans = Array.from({ length: 64 }, () => ({ traceId: randomId(random) }));
      const kept = sampleTraces({ sampling_percentage: percent, hash_seed: 4312 }, traces(spans)).spans;
      assert.ok(kept.length > 0);
      for (const span of kept) {
        const [, rv = "", written] = /^ot=rv:([0-9a-f]{14});th:([0-9a-f]+)$/.exec(span.traceState) ?? [];
        assert.equal(written, th);
        assert.ok(rv >= th.padEnd(14, "0"));
      }
    });
  }

  it("hash_seed: leaves spans alone that a consistent sampler has marked", () => {
    const spans = [
      { traceId: half, traceState: "ot=rv:40000000000000" },
      { traceId: half, traceState: "ot=th:0" },
    ];
    assert.equal(sampleTraces({ sampling_percentage: 100 }, traces(spans)).spans.length, 0);
    const open = sampleTraces({ sampling_percentage: 100, fail_closed: false }, traces(spans));
    assert.deepEqual(
      open.spans.map(({ traceState }) => traceState),
      ["ot=rv:40000000000000", "ot=th:0"],
    );
    assert.deepEqual(
      open.host.logs.map(({ fields }) => fields["problem"]),
      [
        "item has sampling randomness, equalizing or proportional mode recommended",
        "item has sampling threshold, equalizing or proportional mode recommended",
      ],
    );
  });

  for (const mode of modes) {
    for (const { value, percent, kept } of [
      { value: { intValue: 2n }, percent: 0, kept: true },
      { value: { doubleValue: 1 }, percent: 0, kept: true },
      { value: { stringValue: "0.5" }, percent: 0, kept: true },
      { value: { intValue: 0n }, percent: 100, kept: false },
      { value: { doubleValue: 0 }, percent: 100, kept: false },
      { value: { stringValue: "0.0" }, percent: 100, kept: false },
      { value: { intValue: -1n }, percent: 100, kept: true },
      { value: { stringValue: "NaN" }, percent: 0, kept: false },
      { value: { boolValue: true }, percent: 0, kept: false },
    ]) {
      it(`${mode}: sampling.priority ${Object.values(value)} at ${percent} % ${kept ? "keeps" : "drops"}`, () => {
        const span: TestSpan = { traceId: half, attributes: [{ key: "sampling.priority", value }] };
        const { spans } = sampleTraces({ mode, sampling_percentage: percent }, traces([span]));
        assert.equal(spans.length, kept ? 1 : 0);
      });
    }

    it(`${mode}: keeps about its share of 100 000 traces, and at a lower share only those`, () => {
      const seed = Number(process.env["OTELPIPE_SEED"] ?? 17);
      console.log(`OTELPIPE_SEED=${seed}`);
      const random = seededRandom(seed);
      const thousand = () => traces(Array.from({ length: 1000 }, () => ({ traceId: randomId(random) })));
      const data = concat(Array.from({ length: 100 }, thousand));
      let narrower: Set<string> | undefined;
      for (const percent of [1, 10, 33.3, 50, 90, 100]) {
        const { spans } = sampleTraces({ mode, sampling_percentage: percent }, data);
        const expected = percent * 1000;
        // Five standard deviations of a binomial, and the rounding of hash_seed to one of 16384 buckets.
        const allowed = 5 * Math.sqrt(expected * (1 - percent / 100)) + 100_000 / 16384;
        assert.ok(Math.abs(spans.length - expected) <= allowed, `${spans.length} of ${expected}`);
        const kept = new Set(spans.map(({ traceId }) => traceId.toString("hex")));
        if (narrower !== undefined) assert.ok([...narrower].every((id) => kept.has(id)));
        narrower = kept;
      }
    });
  }

  it("keeps the same traces in both consistent modes, by the last 56 bits of the id", () => {
    const random = seededRandom(5);
    const ids = Array.from({ length: 2000 }, () => randomId(random));
    const want = ids.filter((id) => BigInt(`0x${id.slice(-14)}`) >= (1n << 56n) - (1n << 54n));
    for (const mode of ["equalizing", "proportional"]) {
      const { spans } = sampleTraces({ mode, sampling_percentage: 25 }, traces(ids.map((traceId) => ({ traceId }))));
      assert.deepEqual(
        spans.map(({ traceId }) => traceId.toString("hex")),
        want,
      );
    }
  });

  it("acks a batch of which nothing is left, and counts decisions by policy", () => {
    const { sent, answers, host } = sampleTraces({ sampling_percentage: 0 }, traces([{ traceId: half }]));
    assert.equal(sent.length, 0);
    assert.deepEqual(answers(), [["ack"]]);
    const name = "otelcol_processor_probabilistic_sampler_count_traces_sampled";
    assert.equal(host.metric(name, { policy: "sampling_priority", sampled: "false" }), 1);
  });
});

function randomId(random: () => number): string {
  return Array.from({ length: 4 }, () =>
    Math.floor(random() * 2 ** 32)
      .toString(16)
      .padStart(8, "0"),
  ).join("");
}
