import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { TraceStore } from "../../../exporters/graphistry/trace_store.ts";
import { concat, receive } from "../../../pipeline/pdata/index.ts";
import { Budget } from "../../../pipeline/process/memory.ts";
import { seededRandom } from "../../support/simulated_host.ts";
import { batchOf, type SpanSketch, spanHex, traceHex } from "./support.ts";

function open(maxSpans: number, maxBytes = 1e9) {
  const budget = new Budget(1e9);
  const store = new TraceStore({ maxSpans, maxBytes }, budget);
  /** Kept spans as `trace/span`, in order. */
  const kept = () => store.spans().map(({ traceId, spanId }) => `${Number(`0x${traceId}`)}/${Number(`0x${spanId}`)}`);
  return { budget, store, kept };
}

/** Ids as numbers, `trace/span`. */
const spans = (...ids: readonly string[]): SpanSketch[] =>
  ids.map((one) => {
    const [trace, id] = one.split("/").map(Number);
    return { trace: trace ?? 0, id: id ?? 0 };
  });

describe("the trace store", () => {
  it("keeps what it can read again", () => {
    const { store } = open(10);
    const attributes = { "gen_ai.request.model": "gemma", "gen_ai.usage.input_tokens": 7 };
    store.add(batchOf([{ id: 1 }, { id: 2, parent: 1, status: 2, durationMs: 12.5, attributes }]));
    const [, second] = store.spans();
    assert.deepEqual(second, {
      traceId: traceHex(1),
      spanId: spanHex(2),
      parentSpanId: spanHex(1),
      name: "span 2",
      kind: "CLIENT",
      status: "ERROR",
      startUnixMs: Date.UTC(2026, 0, 1),
      endUnixMs: Date.UTC(2026, 0, 1) + 12.5,
      durationMs: 12.5,
      service: "worker",
      model: "gemma",
      operation: "",
      errorType: "",
      inputTokens: 7,
      outputTokens: undefined,
    });
    assert.equal(store.find(traceHex(1), spanHex(2))?.name, "span 2");
    assert.equal(store.find(traceHex(1), spanHex(3)), undefined);
    assert.equal(store.find(traceHex(2), spanHex(1)), undefined);
  });

  it("reads the notebook's own attributes where the conventions' are missing", () => {
    const { store } = open(10);
    const attributes = { "llm.model": "llama", "llm.usage.input_tokens": 3, "llm.usage.output_tokens": 4 };
    store.add(batchOf([{ id: 1, attributes }]));
    const [span] = store.spans();
    assert.deepEqual([span?.model, span?.inputTokens, span?.outputTokens], ["llama", 3, 4]);
  });

  it("shortens long texts for the graph, not in the span itself", () => {
    const { store } = open(10);
    store.add(batchOf([{ id: 1, name: "n".repeat(1000) }]));
    assert.equal(store.spans()[0]?.name, `${"n".repeat(255)}…`);
    assert.equal(store.find(traceHex(1), spanHex(1))?.name.length, 1000);
  });

  it("lets whole traces go, those without a new span for longest first", () => {
    const { store, kept } = open(4);
    store.add(batchOf(spans("1/1", "1/2", "2/3")));
    store.add(batchOf(spans("1/4")));
    store.add(batchOf(spans("3/5")));
    assert.deepEqual(kept(), ["1/1", "1/2", "1/4", "3/5"]);
    store.add(batchOf(spans("3/6")));
    assert.deepEqual(kept(), ["3/5", "3/6"]);
    assert.equal(store.spanCount, 2);
    assert.equal(store.traceCount, 1);
  });

  it("shortens a trace that is too long alone, its first spans first", () => {
    const { store, kept } = open(3);
    store.add(batchOf(spans("1/1", "1/2")));
    store.add(batchOf(spans("1/3", "1/4", "1/5")));
    assert.deepEqual(kept(), ["1/3", "1/4", "1/5"]);
  });

  it("shortens a trace that takes too much memory alone", () => {
    const { store } = open(1000, 50_000);
    const attributes = { text: "x".repeat(1000) };
    for (let id = 1; id <= 100; id++) store.add(batchOf([{ id, attributes }]));
    assert.ok(store.sizeBytes <= 50_000);
    assert.ok(store.spanCount >= 35, String(store.spanCount));
    assert.equal(store.spans().at(-1)?.spanId, spanHex(100));
  });

  it("replaces a span that comes again, also in the same batch", () => {
    const { store, kept } = open(10);
    store.add(batchOf([{ id: 1, name: "first" }, { id: 2 }, { id: 1, name: "second" }]));
    assert.deepEqual(kept(), ["1/1", "1/2"]);
    assert.equal(store.spans().find(({ spanId }) => spanId === spanHex(1))?.name, "second");
    store.add(batchOf([{ id: 1, name: "third" }]));
    assert.equal(store.find(traceHex(1), spanHex(1))?.name, "third");
    assert.equal(store.spanCount, 2);
  });

  it("says how many spans had no ids, and keeps the others", () => {
    const { store, kept } = open(10);
    assert.equal(store.add(batchOf(spans("0/1", "1/0", "1/1", "0/0", "1/2"))), 3);
    assert.deepEqual(kept(), ["1/1", "1/2"]);
    assert.equal(store.find(traceHex(1), spanHex(2))?.name, "span 2");
  });

  it("holds few more bytes than it may, and says so to the budget", () => {
    const text = "x".repeat(10_000);
    const { store, budget } = open(1000, 100_000);
    for (let trace = 1; trace <= 100; trace++) {
      store.add(batchOf([{ trace, id: 1, attributes: { "gen_ai.prompt": text } }]));
      assert.equal(budget.usedBytes, store.sizeBytes);
      assert.ok(store.sizeBytes <= 100_000);
    }
    assert.equal(store.spanCount, 9);
    store.clear();
    assert.equal(budget.usedBytes, 0);
  });

  it("keeps a single span that is over the limit alone", () => {
    const { store, kept } = open(10, 1000);
    store.add(batchOf(spans("1/1")));
    store.add(batchOf([{ trace: 2, id: 1, attributes: { a: "x".repeat(5000) } }]));
    assert.deepEqual(kept(), ["2/1"]);
  });

  // Scenario: a large request of which one small trace lives on.
  // Guarantees: the request's buffer is let go, the trace is still whole.
  it("does not hold a request for the few spans that are left of it", () => {
    const { store, kept } = open(3);
    const text = "x".repeat(100_000);
    store.add(
      batchOf([
        { trace: 1, id: 1, attributes: { text } },
        { trace: 2, id: 2, attributes: { model: "m" } },
      ]),
    );
    store.add(batchOf(spans("2/3", "3/4")));
    assert.deepEqual(kept(), ["2/2", "2/3", "3/4"]);
    assert.ok(store.sizeBytes < 2000, String(store.sizeBytes));
    assert.deepEqual([...(store.find(traceHex(2), spanHex(2))?.entries() ?? [])], [["model", "m"]]);
  });

  it("copies a request that lies in a much larger buffer", () => {
    const { store } = open(10);
    const large = Buffer.alloc(1_000_000);
    const bytes = batchOf(spans("1/1")).toBuffer();
    bytes.copy(large, 500_000);
    store.add(receive("traces", large.subarray(500_000, 500_000 + bytes.length)));
    assert.ok(store.sizeBytes < 1000);
    assert.equal(store.find(traceHex(1), spanHex(1))?.name, "span 1");
  });

  it("agrees with a simple list of traces, whatever comes", () => {
    const seed = Number(process.env["OTELPIPE_SEED"] ?? Math.floor(Math.random() * 1e9));
    console.log(`OTELPIPE_SEED=${seed}`);
    const random = seededRandom(seed);
    for (let run = 0; run < 30; run++) {
      const maxSpans = 1 + Math.floor(random() * 20);
      const { store, budget, kept } = open(maxSpans);
      let model: { trace: number; ids: number[] }[] = [];
      for (let step = 0; step < 40; step++) {
        const chunks = Array.from({ length: 1 + Math.floor(random() * 2) }, () =>
          Array.from({ length: 1 + Math.floor(random() * 8) }, () => ({
            trace: 1 + Math.floor(random() * 6),
            id: 1 + Math.floor(random() * 12),
          })),
        );
        store.add(concat(chunks.map((chunk) => batchOf(chunk))));
        for (const span of chunks.flat()) model = touched(model, span);
        model = limited(model, maxSpans);
        const want = model.flatMap(({ trace, ids }) => ids.map((id) => `${trace}/${id}`));
        assert.deepEqual(kept(), want);
        for (const { trace, ids } of model) {
          for (const id of ids) assert.equal(store.find(traceHex(trace), spanHex(id))?.name, `span ${id}`);
        }
        assert.equal(store.spanCount, want.length);
        assert.equal(budget.usedBytes, store.sizeBytes);
      }
      store.clear();
      assert.deepEqual([kept(), budget.usedBytes, store.spanCount], [[], 0, 0]);
    }
  });
});

type Model = { trace: number; ids: number[] }[];

function touched(model: Model, { trace, id }: { trace: number; id: number }): Model {
  const before = model.find((one) => one.trace === trace)?.ids ?? [];
  const ids = before.includes(id) ? before : [...before, id];
  return [...model.filter((one) => one.trace !== trace), { trace, ids }];
}

function limited(model: Model, maxSpans: number): Model {
  const count = (of: Model) => of.reduce((sum, { ids }) => sum + ids.length, 0);
  let left = model;
  while (count(left) > maxSpans && left.length > 1) left = left.slice(1);
  return left.map(({ trace, ids }) => ({ trace, ids: left.length === 1 ? ids.slice(-maxSpans) : ids }));
}
