import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Sample } from "../../../pipeline/telemetry/meter.ts";
import {
  afterTheEnd,
  mergeEdges,
  mergeNodes,
  mergePlans,
  mergeSamples,
  type ToldNode,
} from "../../../pipeline/workers/merge.ts";

const gate = "(workers)/traces/1";

const node = (key: string, books: Partial<ToldNode["books"]>, facts: ToldNode["facts"] = []): ToldNode => {
  const [kind, ...rest] = key.split(":");
  const id = rest.at(-1) ?? "";
  const empty = { in: 0, out: 0, refused: 0, held: 0, passed: 0, dropped: new Map() };
  return { key, kind: kind as ToldNode["kind"], id, isRemoved: false, books: { ...empty, ...books }, facts };
};

const edge = (from: string, to: string, items: number) => ({
  from,
  to,
  items,
  pipelineId: "traces",
  signal: "traces" as const,
});

const sample = (name: string, labels: Sample["labels"], value: number, more: Partial<Sample> = {}): Sample => ({
  name,
  type: "counter",
  description: "",
  unit: "1",
  isDouble: false,
  labels,
  value,
  ...more,
});

describe("what threads tell, as one service", () => {
  it("has the sums of all books, and what differs in facts side by side", () => {
    const dropped = new Map([["sampled_out", 2]]);
    const merged = mergeNodes([
      node("receiver:otlp", { in: 3, out: 3 }),
      node("exporter:traces:otlp", { in: 5, out: 1, dropped, held: 2 }, [{ label: "queue", text: "0 %" }]),
      node(`exporter:traces:${gate}`, { in: 9 }),
      node("exporter:traces:otlp", { in: 4, out: 3, refused: 1 }, [{ label: "queue", text: "50 %" }]),
    ]);
    assert.deepEqual(
      merged.map(({ key }) => key),
      ["receiver:otlp", "exporter:traces:otlp"],
    );
    assert.deepEqual(merged[1]?.books, { in: 9, out: 4, refused: 1, held: 2, passed: 0, dropped });
    assert.deepEqual(merged[1]?.facts(), [{ label: "queue", text: "50 %, 0 %" }]);
  });

  it("has one edge where two meet at a gate", () => {
    const main = [
      edge(`receiver:${gate}`, "exporter:traces:file", 7),
      edge(`receiver:${gate}`, "exporter:traces:plotly", 7),
    ];
    const workers = [
      edge("receiver:otlp", "processor:traces:batch", 4),
      edge("processor:traces:batch", `exporter:traces:${gate}`, 4),
      edge("receiver:otlp", "processor:traces:batch", 3),
      edge("processor:traces:batch", `exporter:traces:${gate}`, 3),
    ];
    assert.deepEqual(mergeEdges(main, workers), [
      edge("receiver:otlp", "processor:traces:batch", 7),
      edge("processor:traces:batch", "exporter:traces:file", 7),
      edge("processor:traces:batch", "exporter:traces:plotly", 7),
    ]);
  });

  it("adds series of the same labels up, distributions too, and says nothing of gates", () => {
    const buckets = (counts: readonly number[], min: number, max: number) => ({ bounds: [10], counts, min, max });
    const merged = [
      ...mergeSamples([
        sample("a", { receiver: "otlp" }, 1),
        sample("h", {}, 5, { type: "histogram", buckets: buckets([1, 0], 5, 5) }),
        sample("a", { receiver: gate }, 1),
        sample("a", { receiver: "otlp" }, 2),
        sample("h", {}, 50, { type: "histogram", buckets: buckets([0, 2], 20, 30) }),
      ]),
    ];
    assert.deepEqual(merged, [
      sample("a", { receiver: "otlp" }, 3),
      sample("h", {}, 55, { type: "histogram", buckets: buckets([1, 2], 5, 30) }),
    ]);
  });

  it("keeps of a thread that has ended what it counted; what it held is refused or dropped", () => {
    const told = {
      nodes: [
        node("receiver:otlp", { in: 5, out: 3, held: 2 }),
        node("exporter:traces:otlp", { in: 5, out: 4, held: 1 }),
      ],
      edges: [edge("processor:traces:batch", `exporter:traces:${gate}`, 4)],
      samples: [sample("sent", {}, 4), sample("queue_size", {}, 1, { type: "gauge" })],
    };
    const twice = afterTheEnd(told, afterTheEnd(told, undefined));
    const [receiver, exporter] = twice.nodes.map(({ books }) => books);
    assert.deepEqual([receiver?.in, receiver?.out, receiver?.refused, receiver?.held], [10, 6, 4, 0]);
    assert.deepEqual([exporter?.in, exporter?.out, exporter?.held], [10, 8, 0]);
    assert.deepEqual(exporter?.dropped, new Map([["worker_crashed", 2]]));
    assert.deepEqual(twice.edges, [edge("processor:traces:batch", `exporter:traces:${gate}`, 8)]);
    assert.deepEqual(twice.samples, [sample("sent", {}, 8)]);
  });

  it("says of a component what became of it in any thread", () => {
    const main = new Map([
      ["exporter:traces:a", "keep"],
      ["processor:traces:b", "add"],
      ["exporter:traces:c", "remove"],
      [`receiver:${gate}`, "add"],
    ] as const);
    const workers = new Map([
      ["exporter:traces:a", "add"],
      ["processor:traces:b", "remove"],
      ["exporter:traces:c", "remove"],
      ["receiver:otlp", "rebuild"],
    ] as const);
    assert.deepEqual(
      [...mergePlans(main, workers)],
      [
        ["exporter:traces:a", "keep"],
        ["processor:traces:b", "rebuild"],
        ["exporter:traces:c", "remove"],
        ["receiver:otlp", "rebuild"],
      ],
    );
  });
});
