import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SamplerSettings } from "../../../../pipeline/config/telemetry/traces.ts";
import { propagationOf } from "../../../../pipeline/telemetry/tracing/propagation.ts";
import { samplerOf } from "../../../../pipeline/telemetry/tracing/sampler.ts";
import { type FinishedSpan, Tracing } from "../../../../pipeline/telemetry/tracing/tracing.ts";
import { SimulatedClock, seededRandom } from "../../../support/simulated_host.ts";

const traceId = "0af7651916cd43dd8448eb211c80319c";
const spanId = "b7ad6b7169203331";
const remote = { traceId, spanId, isSampled: true, isRemote: true };

describe("the context of a trace in headers", () => {
  for (const { name, propagators, headers, want } of [
    {
      name: "traceparent",
      propagators: ["tracecontext"],
      headers: { traceparent: `00-${traceId}-${spanId}-01`, tracestate: "a=1" },
      want: { ...remote, traceState: "a=1" },
    },
    {
      name: "traceparent of a trace that is not sampled",
      propagators: ["tracecontext"],
      headers: { traceparent: `00-${traceId}-${spanId}-00` },
      want: { ...remote, isSampled: false, traceState: undefined },
    },
    {
      name: "traceparent of a later version, with more in it",
      propagators: ["tracecontext"],
      headers: { traceparent: `01-${traceId}-${spanId}-01-more` },
      want: { ...remote, traceState: undefined },
    },
    { name: "no header", propagators: ["tracecontext", "b3"], headers: {}, want: undefined },
    {
      name: "traceparent with zeros for a trace",
      propagators: ["tracecontext"],
      headers: { traceparent: `00-${"0".repeat(32)}-${spanId}-01` },
      want: undefined,
    },
    {
      name: "traceparent of version 0 with more in it",
      propagators: ["tracecontext"],
      headers: { traceparent: `00-${traceId}-${spanId}-01-more` },
      want: undefined,
    },
    {
      name: "traceparent where only b3 is spoken",
      propagators: ["b3"],
      headers: { traceparent: `00-${traceId}-${spanId}-01` },
      want: undefined,
    },
    { name: "one b3 header", propagators: ["b3"], headers: { b3: `${traceId}-${spanId}-1` }, want: remote },
    {
      name: "many b3 headers with a short trace id",
      propagators: ["b3"],
      headers: { "x-b3-traceid": "8448EB211C80319C", "x-b3-spanid": spanId, "x-b3-sampled": "0" },
      want: { ...remote, traceId: "00000000000000008448eb211c80319c", isSampled: false },
    },
  ]) {
    it(`is read from ${name}`, () => {
      const found = propagationOf(propagators).extract((key) => (headers as Record<string, string>)[key]);
      assert.deepEqual(found, want);
    });
  }

  it("is written as every propagator has it", () => {
    assert.deepEqual(propagationOf(["tracecontext", "b3"]).inject({ ...remote, traceState: "a=1" }), {
      traceparent: `00-${traceId}-${spanId}-01`,
      tracestate: "a=1",
      "x-b3-traceid": traceId,
      "x-b3-spanid": spanId,
      "x-b3-sampled": "1",
    });
    assert.deepEqual(propagationOf([]).inject(remote), {});
  });
});

describe("a sampler", () => {
  const unsampled = { ...remote, isSampled: false };
  const on = { type: "always_on" } as const;
  const off = { type: "always_off" } as const;
  const parentBased: SamplerSettings = {
    type: "parent_based",
    root: off,
    remote_parent_sampled: on,
    remote_parent_not_sampled: off,
    local_parent_sampled: off,
    local_parent_not_sampled: on,
  };
  for (const { name, settings, parent, want } of [
    { name: "that nobody wrote takes what begins here", settings: undefined, parent: undefined, want: true },
    { name: "that nobody wrote follows the caller", settings: undefined, parent: unsampled, want: false },
    { name: "takes all", settings: on, parent: unsampled, want: true },
    { name: "takes none", settings: off, parent: remote, want: false },
    { name: "takes a share", settings: { type: "ratio", ratio: 0.6 } as const, parent: undefined, want: true },
    { name: "leaves the rest", settings: { type: "ratio", ratio: 0.5 } as const, parent: undefined, want: false },
    { name: "asks its root for a trace that begins", settings: parentBased, parent: undefined, want: false },
    { name: "asks about a caller that records", settings: parentBased, parent: remote, want: true },
    { name: "asks about a caller that does not", settings: parentBased, parent: unsampled, want: false },
    {
      name: "asks about an own parent that is recorded",
      settings: parentBased,
      parent: { ...remote, isRemote: false },
      want: false,
    },
    {
      name: "asks about an own parent that is not",
      settings: parentBased,
      parent: { ...unsampled, isRemote: false },
      want: true,
    },
  ]) {
    // Of the trace id the second half decides: 0x8448… is 0.517 of its range.
    it(name, () => assert.equal(samplerOf(settings)(traceId, parent), want));
  }
});

describe("own spans", () => {
  const tracing = (settings?: SamplerSettings) => {
    const clock = new SimulatedClock();
    const ended: FinishedSpan[] = [];
    const made = new Tracing({
      clock,
      random: seededRandom(1),
      sampler: samplerOf(settings),
      propagation: propagationOf(["tracecontext"]),
      onEnd: (span) => void ended.push(span),
    });
    return { clock, ended, tracer: made.tracer({ "otelcol.component.id": "otlp" }, "otlp") };
  };

  it("have the trace of a caller, a time of their own and what happened in it", () => {
    const { clock, ended, tracer } = tracing();
    const header = (name: string) => (name === "traceparent" ? `00-${traceId}-${spanId}-01` : undefined);
    const span = tracer.start("receive", { kind: "server", header, attributes: { a: 1 } });
    clock.advance(5);
    const inner = span.child("work", { scope: { name: "other" } });
    inner.event("Begun.", { part: 1 });
    clock.advance(2);
    inner.end("it failed");
    span.set({ b: true });
    span.end();
    span.end("twice");
    const [first, second] = ended;
    assert.equal(ended.length, 2);
    assert.deepEqual(second?.parent, { ...remote, traceState: undefined });
    assert.equal(second?.context.traceId, traceId);
    assert.deepEqual(second?.attributes, { a: 1, b: true });
    assert.equal((second?.endUnixMs ?? 0) - (second?.startUnixMs ?? 0), 7);
    assert.equal(second?.error, undefined);
    assert.deepEqual(first?.parent, second?.context);
    assert.deepEqual(first?.scope, { name: "other" });
    assert.deepEqual(first?.component, { "otelcol.component.id": "otlp" });
    assert.equal(first?.error, "it failed");
    assert.deepEqual(first?.events, [{ name: "Begun.", unixMs: clock.nowMs() - 2, attributes: { part: 1 } }]);
  });

  it("go on in the headers, also those that are not recorded", () => {
    const { ended, tracer } = tracing({ type: "always_off" });
    const span = tracer.start("a");
    const inner = tracer.start("b", { parent: span });
    inner.end();
    span.end();
    assert.deepEqual(ended, []);
    assert.match(inner.headers()["traceparent"] ?? "", /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    assert.equal(inner.headers()["traceparent"]?.slice(3, 35), span.headers()["traceparent"]?.slice(3, 35));
  });
});
