import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type DialectName, defaultDialectMix } from "../../../cmd/generate/dialects/names.ts";
import type { Parcel } from "../../../cmd/generate/generator.ts";
import { shapeShares } from "../../../cmd/generate/shapes/index.ts";
import type { Span } from "../../../cmd/generate/span.ts";
import { decode, encode, receive } from "../../../pipeline/pdata/index.ts";
import { collect, encoded, seed, truthOf } from "./collect.ts";

console.log(`seed ${seed}`);

const bytesOf = (parcels: readonly Parcel[]) => Buffer.concat(encoded(parcels).map((batch) => batch.toBuffer()));

describe("a seed", () => {
  it("gives the same bytes again", () => {
    assert.ok(bytesOf(collect(300)).equals(bytesOf(collect(300))));
  });

  it("gives other traces than another seed, the next as well as one 32 bits away", () => {
    const first = bytesOf(collect(20));
    assert.ok(!first.equals(bytesOf(collect(20, { seed: seed + 1 }))));
    assert.ok(!first.equals(bytesOf(collect(20, { seed: seed + 2 ** 32 }))));
  });
});

describe("20 000 traces", () => {
  const parcels = collect(20_000, { send: "whole" });
  const first = parcels.filter(({ duplicate }) => !duplicate);
  const traces = [...new Map(first.map((parcel) => [parcel.trace, parcel])).keys()];
  const truth = truthOf(parcels);

  /** Within four standard deviations of a share that is drawn independently. */
  function assertShare(count: number, total: number, share: number, what: string): void {
    const deviation = Math.sqrt((share * (1 - share)) / total);
    const seen = count / total;
    assert.ok(Math.abs(seen - share) < 4 * deviation + 1e-9, `${what}: ${seen}, expected ${share}`);
  }

  it("have the shapes in their shares", () => {
    for (const [shape, percent] of Object.entries(shapeShares)) {
      const count = traces.filter((trace) => trace.shape === shape).length;
      assertShare(count, traces.length, percent / 100, shape);
    }
  });

  it("speak the dialects in their shares, the batches' included", () => {
    const spoken = traces.filter(({ dialect }) => dialect !== undefined);
    for (const [name, percent] of Object.entries(defaultDialectMix) as [DialectName, number][]) {
      const count = spoken.filter(({ dialect }) => dialect === name).length;
      assertShare(count, spoken.length, percent / 100, name);
    }
  });

  it("fail as often as the rates say", () => {
    const spans = first.flatMap((parcel) => parcel.spans);
    const chats = spans.filter(({ facts }) => facts.operation === "chat");
    const remote = chats.filter(({ text }) => /gpt-4\.1|claude/.test(JSON.stringify(text.attributes)));
    const failures = (of: Span[], kind: string) => of.filter(({ facts }) => facts.failure === kind).length;
    const between = (value: number, low: number, high: number, what: string) =>
      assert.ok(value >= low && value <= high, `${what}: ${value} is not in ${low} to ${high}`);
    between(failures(remote, "429") / remote.length, 0.012, 0.025, "rate limits");
    between(failures(chats, "timeout") / chats.length, 0.004, 0.006, "timeouts");
    between(failures(chats, "500") / chats.length, 0.0008, 0.012, "server errors");
    between(failures(chats, "400") / chats.length, 0.0024, 0.0036, "context overflows");
    const share = (finish: string) => (truth.finishReasons[finish] ?? 0) / truth.spansByOperation["chat"]!;
    between(share("content_filter"), 0.0033, 0.0047, "content filter");
    between(share("abort"), 0.008, 0.016, "cancelled, of all");
    const tools = spans.filter(({ facts }) => facts.tool !== undefined);
    const toolErrors = tools.filter(({ status }) => status === 2);
    between(toolErrors.length / tools.length, 0.035, 0.045, "tool errors");
    const contained = toolErrors.filter(({ facts }) => facts.tool?.handled).length / toolErrors.length;
    between(contained, 0.55, 0.65, "contained tool errors");
    const agents = spans.filter(({ facts }) => facts.operation === "agent");
    between(truth.loops.total / agents.length, 0.002, 0.009, "loops");
  });

  it("carry each defect now and then", () => {
    for (const name of ["clock_skew", "late", "out_of_order", "duplicate", "missing_root", "orphan"]) {
      const share = traces.filter(({ defect }) => defect === name).length / traces.length;
      assert.ok(share > 0.003 && share < 0.007, `${name}: ${share}`);
    }
  });

  it("have ids that are all different", () => {
    const traceIds = new Set(traces.map(({ id }) => id.toString("hex")));
    assert.equal(traceIds.size, traces.length);
    const spanIds = first.flatMap(({ spans }) => spans.map(({ id }) => id.toString("hex")));
    assert.equal(new Set(spanIds).size, spanIds.length);
  });

  it("have every parent, and children within it, but for what was planted", () => {
    const byTrace = Map.groupBy(first, ({ trace }) => trace);
    for (const [trace, sent] of byTrace) {
      const spans = sent.flatMap((parcel) => parcel.spans);
      const byId = new Map(spans.map((span) => [span.id.toString("hex"), span]));
      const orphans = spans.filter(({ parentId }) => parentId.length > 0 && !byId.has(parentId.toString("hex")));
      const planted = trace.defect === "missing_root" || trace.defect === "orphan";
      assert.equal(orphans.length > 0, planted, `${trace.shape} with ${trace.defect}`);
      if (trace.defect !== "missing_root") assert.equal(spans.filter((span) => span.parentId.length === 0).length, 1);
      for (const span of spans) {
        assert.ok(span.endNs >= span.startNs);
        if (trace.defect === "clock_skew" || span.parent === undefined) continue;
        assert.ok(span.parent.startNs <= span.startNs && span.endNs <= span.parent.endNs, trace.shape);
      }
    }
  });

  it("are only now and then the bursts that they come in", () => {
    const seconds = parcels.at(-1)!.dueSeconds;
    const rate = parcels.reduce((sum, { spans }) => sum + spans.length, 0) / seconds;
    assert.ok(rate > 800 && rate < 1200, `${rate} spans/s`);
    const perSecond = Map.groupBy(parcels, ({ dueSeconds }) => Math.floor(dueSeconds));
    const counts = [...perSecond.values()].map((due) => due.reduce((sum, { spans }) => sum + spans.length, 0));
    const mean = counts.reduce((sum, count) => sum + count, 0) / counts.length;
    const deviation = Math.sqrt(counts.reduce((sum, count) => sum + (count - mean) ** 2, 0) / counts.length);
    assert.ok(deviation / mean > 0.2, "arrivals spread more than evenly");
  });
});

describe("spans", () => {
  it("are accepted by the validating walk, in every dialect, with texts as well", () => {
    for (const [traceCount, settings] of [
      [1000, {}],
      [200, { content: true, spansPerSecond: 50 }],
    ] as const) {
      const parcels = collect(traceCount, settings);
      const dialects = new Set(parcels.map(({ trace }) => trace.dialect));
      if (traceCount === 1000) assert.equal(dialects.size, 9, "eight dialects and noise");
      for (const batch of encoded(parcels)) {
        assert.equal(receive("traces", batch.toBuffer()).itemCount, batch.itemCount);
      }
    }
  });

  it("stand in the bytes as the encoder of pdata would write them", () => {
    for (const batch of encoded(collect(300))) {
      assert.ok(encode("traces", decode(batch)).toBuffer().equals(batch.toBuffer()));
    }
  });

  it("come in the order they are due, each when it ends", () => {
    const parcels = collect(500, { failures: 0 });
    let latest = 0;
    for (const { spans, dueSeconds, trace } of parcels) {
      assert.ok(dueSeconds >= latest);
      latest = dueSeconds;
      const ends = spans.map(({ endNs }) => trace.startSeconds + endNs / 1e9);
      assert.ok(ends.every((end) => end <= dueSeconds + 1e-6 && end > dueSeconds - 1.001));
    }
  });

  it("flow at the rate from the first seconds on", () => {
    const parcels = collect(4000, { spansPerSecond: 100, failures: 0 });
    const early = parcels.filter(({ dueSeconds }) => dueSeconds < 60);
    const rate = early.reduce((sum, { spans }) => sum + spans.length, 0) / 60;
    assert.ok(rate > 50 && rate < 200, `${rate} spans/s in the first minute`);
  });
});

describe("settings", () => {
  it("without failures nothing fails and nothing is planted", () => {
    const truth = truthOf(collect(2000, { failures: 0, send: "whole" }));
    assert.equal(truth.spansByStatus.ERROR, 0);
    assert.deepEqual(truth.tracesByDefect, {});
    assert.equal(truth.errorOrigins.total, 0);
    assert.equal(truth.requests.failed, 0);
  });

  it("with a mix of one dialect all calls are in it, batches too", () => {
    const only = {
      older: 0,
      openllmetry: 0,
      openinference: 0,
      vercel: 0,
      llamatelemetry: 0,
      langsmith: 0,
      langfuse: 0,
    };
    const truth = truthOf(collect(500, { dialects: { current: 1, ...only }, send: "whole" }));
    assert.deepEqual(Object.keys(truth.tracesByDialect), ["current"]);
    assert.ok((truth.tracesByShape.batch ?? 0) > 0);
  });

  it("with a bad service some of its replies are empty", () => {
    const spans = collect(3000, { badService: "assistant-api", send: "whole" }).flatMap((parcel) => parcel.spans);
    const answers = spans.filter(({ facts }) => facts.operation === "chat" && facts.finish === "stop");
    const empty = answers.filter(({ facts }) => facts.usage?.outputTokens === 0);
    const share = empty.length / answers.filter(({ service }) => service.name === "assistant-api").length;
    assert.ok(share > 0.02 && share < 0.09, `${share}`);
    assert.deepEqual([...new Set(empty.map(({ service }) => service.name))], ["assistant-api"]);
  });

  it("with a day the load at noon is three times that of the night", () => {
    const parcels = collect(40_000, { daySeconds: 40, send: "whole", spansPerSecond: 2000 });
    const spansBetween = (from: number, to: number) =>
      parcels
        .filter(({ dueSeconds }) => dueSeconds % 40 >= from && dueSeconds % 40 < to)
        .reduce((sum, { spans }) => sum + spans.length, 0);
    const ratio = spansBetween(16, 24) / (spansBetween(0, 4) + spansBetween(36, 40));
    assert.ok(ratio > 2 && ratio < 4, `${ratio}`);
  });

  it("with content whole prompts come, about four characters a token, and personal data is labelled", () => {
    const parcels = collect(1500, { content: true, send: "whole", spansPerSecond: 1000 });
    const truth = truthOf(parcels);
    assert.ok(truth.secrets.total > 10);
    const texts = new Map(
      parcels.flatMap(({ spans }) => spans.map((span) => [span.id.toString("hex"), JSON.stringify(span.text)])),
    );
    for (const { spanId, value } of truth.secrets.first) assert.ok(texts.get(spanId)?.includes(value), value);
    const prompts = parcels.flatMap(({ spans }) =>
      spans.flatMap(({ text, facts }) => {
        const prompt = text.attributes["gen_ai.input.messages"];
        return typeof prompt === "string" && facts.operation === "chat"
          ? [[prompt, facts.usage?.inputTokens ?? 0]]
          : [];
      }),
    ) as [string, number][];
    const [longest, tokens] = prompts
      .filter(([, count]) => count > 0 && count < 100_000)
      .sort((a, b) => b[1] - a[1])[0]!;
    assert.ok(longest.length > 3.5 * tokens && longest.length < 5 * tokens, `${longest.length} for ${tokens} tokens`);
  });
});
