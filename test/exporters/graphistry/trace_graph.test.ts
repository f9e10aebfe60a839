import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodings } from "../../../exporters/graphistry/encodings.ts";
import { tablesOf } from "../../../exporters/graphistry/tables.ts";
import { missingLabel, snapshotOf, traceGraph } from "../../../exporters/graphistry/trace_graph.ts";
import { TraceStore } from "../../../exporters/graphistry/trace_store.ts";
import { treePositions } from "../../../exporters/graphistry/tree_positions.ts";
import { Budget } from "../../../pipeline/process/memory.ts";
import { batchOf, epochMs, nodeHex, noPause, type SpanSketch, spanHex, traceHex } from "./support.ts";

function graphOf(spans: readonly SpanSketch[]) {
  const store = new TraceStore({ maxSpans: 1000, maxBytes: 1e9 }, new Budget(1e9));
  store.add(batchOf(spans));
  return traceGraph(store.spans(), noPause);
}

describe("the trace graph", () => {
  it("joins spans to their parents, within their trace", async () => {
    const { nodes, edges, traceCount, spanCount } = snapshotOf(
      await graphOf([
        { id: 1, status: 0 },
        { id: 2, parent: 1, status: 2, durationMs: 40, attributes: { "gen_ai.request.model": "gemma" } },
        { trace: 2, id: 1 },
        { trace: 2, id: 3, parent: 1 },
      ]),
    );
    assert.deepEqual([traceCount, spanCount], [2, 4]);
    assert.deepEqual(edges, [
      { source: nodeHex(1, 1), target: nodeHex(1, 2) },
      { source: nodeHex(2, 1), target: nodeHex(2, 3) },
    ]);
    assert.deepEqual(nodes[1], {
      id: nodeHex(1, 2),
      traceId: traceHex(1),
      label: "span 2",
      status: "ERROR",
      durationMs: 40,
      startUnixMs: epochMs,
      service: "worker",
      model: "gemma",
      size: 40,
    });
  });

  it("has a stand-in for a parent that has not come, in whose place the parent comes", async () => {
    const orphans: SpanSketch[] = [
      { id: 2, parent: 1, startUnixMs: epochMs + 20 },
      { id: 3, parent: 1, startUnixMs: epochMs + 10 },
    ];
    const before = snapshotOf(await graphOf(orphans));
    const standIn = before.nodes.find((node) => node.missing);
    assert.equal(standIn?.id, nodeHex(1, 1));
    assert.equal(standIn?.label, missingLabel);
    assert.equal(Math.round(standIn?.startUnixMs ?? 0), epochMs + 10);
    assert.deepEqual([before.nodes.length, before.spanCount], [3, 2]);
    const after = snapshotOf(await graphOf([...orphans, { id: 1 }]));
    assert.deepEqual([after.nodes.length, after.spanCount], [3, 3]);
    assert.deepEqual(after.edges, before.edges);
  });

  it("takes a span that names itself as parent for a root", async () => {
    const { edges, missing } = await graphOf([{ id: 1, parent: 1 }]);
    assert.deepEqual([edges, missing], [[], []]);
  });

  it("never has an edge that dangles", async () => {
    const graph = await graphOf([
      { id: 2, parent: 9 },
      { id: 3, parent: 2 },
      { trace: 2, id: 2, parent: 3 },
    ]);
    const ids = new Set(snapshotOf(graph).nodes.map(({ id }) => id));
    for (const { source, target } of graph.edges) assert.ok(ids.has(source) && ids.has(target));
  });
});

describe("the tables", () => {
  it("hold the notebook's columns, with seeds' names and values", async () => {
    const attributes = {
      "gen_ai.operation.name": "chat",
      "gen_ai.request.model": "gemma",
      "gen_ai.usage.input_tokens": 12,
      "gen_ai.usage.output_tokens": 30,
      "error.type": "timeout",
      "gen_ai.input.messages": "a secret prompt",
    };
    const { nodes, edges } = await tablesOf(
      await graphOf([{ id: 1 }, { id: 2, parent: 1, status: 2, durationMs: 1.25, attributes }]),
      noPause,
    );
    assert.deepEqual(nodes.rows[1], {
      node_id: nodeHex(1, 2),
      node_type: "span",
      span_id: spanHex(2),
      parent_span_id: spanHex(1),
      trace_id: traceHex(1),
      name: "span 2",
      status: "ERROR",
      kind: "CLIENT",
      service: "worker",
      model: "gemma",
      operation: "chat",
      error_type: "timeout",
      start_time: epochMs,
      end_time: epochMs + 1.25,
      duration_ms: 1.25,
      input_tokens: 12,
      output_tokens: 30,
      total_tokens: 42,
      x: 200,
      y: -60,
    });
    assert.deepEqual(edges.rows, [
      { source: nodeHex(1, 1), destination: nodeHex(1, 2), trace_id: traceHex(1), edge_type: "child_of" },
    ]);
    assert.doesNotMatch(JSON.stringify({ nodes, edges }), /secret prompt/);
  });

  it("mark the stand-ins of missing parents", async () => {
    const { nodes, edges } = await tablesOf(await graphOf([{ id: 2, parent: 1 }]), noPause);
    const [, missing] = nodes.rows;
    assert.equal(missing?.node_type, "missing");
    assert.equal(missing?.status, "UNSET");
    assert.equal(missing?.node_id, edges.rows[0]?.source);
  });

  // Scenario: the notebook's requests, all of them roots. A server cannot draw a graph without edges.
  it("hang spans without a single edge on their traces", async () => {
    const { nodes, edges } = await tablesOf(
      await graphOf([{ id: 1 }, { trace: 2, id: 2 }, { trace: 2, id: 3 }]),
      noPause,
    );
    assert.deepEqual(
      nodes.rows.map(({ node_type, node_id }) => `${node_type} ${node_id}`),
      [
        `span ${nodeHex(1, 1)}`,
        `span ${nodeHex(2, 2)}`,
        `span ${nodeHex(2, 3)}`,
        `trace trace:${traceHex(1)}`,
        `trace trace:${traceHex(2)}`,
      ],
    );
    assert.deepEqual(
      edges.rows.map(({ source, destination, edge_type }) => [source, destination, edge_type]),
      [
        [`trace:${traceHex(1)}`, nodeHex(1, 1), "contains"],
        [`trace:${traceHex(2)}`, nodeHex(2, 2), "contains"],
        [`trace:${traceHex(2)}`, nodeHex(2, 3), "contains"],
      ],
    );
  });

  it("have every column the encodings name", async () => {
    const { nodes, edges } = await tablesOf(await graphOf([{ id: 1 }]), noPause);
    for (const column of Object.values(encodings.node_encodings.bindings)) assert.ok(column in nodes.columns);
    for (const column of Object.values(encodings.edge_encodings.bindings)) assert.ok(column in edges.columns);
    assert.deepEqual(Object.keys(nodes.columns), Object.keys(nodes.rows[0] ?? {}));
  });
});

describe("a large graph", () => {
  it("is made, and made into tables, in steps", async () => {
    const spans = Array.from({ length: 5000 }, (_, index) => ({
      id: index + 1,
      ...(index % 5 > 0 && { parent: index }),
    }));
    const store = new TraceStore({ maxSpans: 5000, maxBytes: 1e9 }, new Budget(1e9));
    for (let first = 0; first < 5000; first += 1000) store.add(batchOf(spans.slice(first, first + 1000)));
    let pauses = 0;
    const pause = async () => void (pauses += 1);
    await store.readFacts(pause);
    assert.equal(pauses, 5);
    const graph = await traceGraph(store.spans(), pause);
    assert.equal(pauses, 15);
    const { nodes, edges } = await tablesOf(graph, pause);
    assert.ok(pauses >= 35, `${pauses} pauses`);
    assert.deepEqual([nodes.rows.length, edges.rows.length], [5000, 4000]);
  });
});

describe("the positions", () => {
  const at = (id: string, start_time: number) => ({ node_id: id, start_time });
  const edge = (source: string, destination: string) => ({ source, destination });

  it("lay a trace out as a tree, depth first in order of start", async () => {
    const nodes = [at("late", 30), at("root", 10), at("early", 20), at("grandchild", 25)];
    const edges = [edge("root", "late"), edge("root", "early"), edge("early", "grandchild")];
    assert.deepEqual(Object.fromEntries(await treePositions(nodes, edges, noPause)), {
      root: { x: 0, y: 0 },
      early: { x: 200, y: -60 },
      grandchild: { x: 400, y: -120 },
      late: { x: 200, y: -180 },
    });
  });

  it("give every node a place of its own, also in circles of parents", async () => {
    const nodes = ["a", "b", "c", "d"].map((id, place) => at(id, place));
    const places = await treePositions(nodes, [edge("a", "b"), edge("b", "c"), edge("c", "a")], noPause);
    assert.equal(new Set([...places.values()].map(({ x, y }) => `${x},${y}`)).size, 4);
  });

  it("put many traces in columns, about as wide as tall", async () => {
    const nodes = Array.from({ length: 1000 }, (_, place) => at(`n${place}`, place));
    const places = [...(await treePositions(nodes, [], noPause)).values()];
    const width = Math.max(...places.map(({ x }) => x));
    const height = -Math.min(...places.map(({ y }) => y));
    assert.ok(width / height > 0.5 && width / height < 2, `${width} x ${height}`);
    assert.equal(new Set(places.map(({ x, y }) => `${x},${y}`)).size, 1000);
  });
});
