import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { GraphLayout } from "../../dashboard/graph/layout.ts";
import { thinned } from "../../dashboard/graph/thin.ts";
import type { GraphEdge, GraphNode } from "../../dashboard/wire/messages.ts";
import { MadeGraph, makeTraces } from "../support/dashboard_data.ts";

const now = Date.UTC(2026, 0, 1);

function node(traceId: string, id: string): GraphNode {
  return { id, traceId, label: id, status: "OK", durationMs: 1, startUnixMs: 0, service: "s", size: 1 };
}

/** The least distance between two spans. */
function closest(places: ReadonlyMap<string, { x: number; y: number }>): number {
  const points = [...places.values()];
  let least = Number.POSITIVE_INFINITY;
  points.forEach((one, index) => {
    for (const other of points.slice(index + 1)) least = Math.min(least, Math.hypot(one.x - other.x, one.y - other.y));
  });
  return least;
}

describe("where the graph's spans stand", () => {
  it("is the same for the same spans, and nowhere the same for two", () => {
    const snapshot = new MadeGraph(makeTraces(110, now)).shown();
    const one = new GraphLayout(0.7).update(snapshot);
    assert.equal(one.size, snapshot.nodes.length);
    assert.deepEqual(one, new GraphLayout(0.7).update(snapshot));
    assert.ok(closest(one) > 3, `closest ${closest(one)}`);
  });

  // Scenario: traces come and go for a while, as in a rolling window.
  // Guarantees: what has been placed never moves; room that became free is used, so the disc does not grow for ever.
  it("never moves what stands, and uses the room of what left", () => {
    const all = makeTraces(400, now);
    const ids = [...new Set(all.map((span) => span.traceId))];
    const layout = new GraphLayout();
    const seen = new Map<string, string>();
    const radius = (places: ReadonlyMap<string, { x: number; y: number }>) =>
      Math.max(...[...places.values()].map(({ x, y }) => Math.hypot(x, y)));
    let first = 0;
    for (let from = 0; from + 100 <= ids.length; from += 10) {
      const kept = new Set(ids.slice(from, from + 100));
      const places = layout.update(new MadeGraph(all.filter((span) => kept.has(span.traceId))).shown());
      for (const [id, { x, y }] of places) {
        assert.equal(seen.get(id) ?? `${x} ${y}`, `${x} ${y}`, id);
        seen.set(id, `${x} ${y}`);
      }
      first ||= radius(places);
      assert.ok(radius(places) < 1.5 * first, `grew from ${first} to ${radius(places)}`);
    }
  });

  it("puts a span that comes late beside its parent", () => {
    const layout = new GraphLayout();
    layout.update({ nodes: [node("t", "root"), node("t", "a")], edges: [{ source: "root", target: "a" }] });
    const edges = [
      { source: "root", target: "a" },
      { source: "a", target: "late" },
    ];
    const places = layout.update({ nodes: [node("t", "root"), node("t", "a"), node("t", "late")], edges });
    const [a, late] = [places.get("a"), places.get("late")];
    assert.ok(a && late);
    assert.ok(Math.hypot(a.x - late.x, a.y - late.y) < 25);
    assert.ok(closest(places) > 3);
  });

  for (const { name, nodes, edges } of [
    {
      name: "parents in a circle",
      nodes: ["a", "b", "c"],
      edges: [
        ["a", "b"],
        ["b", "c"],
        ["c", "a"],
      ],
    },
    {
      name: "a span that is its own parent",
      nodes: ["a", "b"],
      edges: [
        ["a", "a"],
        ["a", "b"],
      ],
    },
    {
      name: "two parents of one span",
      nodes: ["a", "b", "c"],
      edges: [
        ["a", "c"],
        ["b", "c"],
      ],
    },
    {
      name: "edges to spans that are not there",
      nodes: ["a"],
      edges: [
        ["x", "a"],
        ["a", "y"],
      ],
    },
    { name: "several roots", nodes: ["a", "b", "c", "d"], edges: [] },
  ]) {
    it(`places every span once with ${name}`, () => {
      const links = edges.map(([source = "", target = ""]): GraphEdge => ({ source, target }));
      const places = new GraphLayout().update({ nodes: nodes.map((id) => node("t", id)), edges: links });
      assert.deepEqual([...places.keys()].sort(), nodes);
      assert.ok([...places.values()].every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
      assert.ok(nodes.length === 1 || closest(places) > 3);
    });
  }

  it("lays out a chain as deep as a stack would not be", () => {
    const ids = Array.from({ length: 20_000 }, (_, index) => `s${index}`);
    const edges = ids.slice(1).map((target, index) => ({ source: ids[index] ?? "", target }));
    assert.equal(new GraphLayout().update({ nodes: ids.map((id) => node("t", id)), edges }).size, 20_000);
  });
});

describe("as much of the graph as can be looked at", () => {
  const all = { version: 1, ...new MadeGraph(makeTraces(400, now)).shown() };

  it("is all of it when it is small", () => assert.equal(thinned(all, all.nodes.length), all));

  it("keeps whole traces, failed ones first, then the latest, and every edge between what is kept", () => {
    const some = thinned(all, 500);
    assert.ok(some.nodes.length <= 500 && some.nodes.length > 480, `${some.nodes.length}`);
    const kept = new Set(some.nodes.map(({ traceId }) => traceId));
    assert.equal(some.nodes.length, all.nodes.filter(({ traceId }) => kept.has(traceId)).length);
    const failed = (nodes: readonly GraphNode[]) =>
      new Set(nodes.filter(({ status }) => status === "ERROR").map(({ traceId }) => traceId));
    const others = (nodes: readonly GraphNode[]) => nodes.filter(({ traceId }) => !failed(all.nodes).has(traceId));
    assert.ok(failed(some.nodes).size / failed(all.nodes).size > others(some.nodes).length / others(all.nodes).length);
    const latest = all.nodes.at(-1);
    assert.ok(kept.has(latest?.traceId ?? ""));
    const ids = new Set(some.nodes.map(({ id }) => id));
    assert.deepEqual(
      some.edges,
      all.edges.filter(({ source, target }) => ids.has(source) && ids.has(target)),
    );
    assert.deepEqual([some.traceCount, some.spanCount], [all.traceCount, all.spanCount]);
  });
});
