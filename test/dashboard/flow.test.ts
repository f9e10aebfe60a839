import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layoutFlow } from "../../dashboard/flow/layout.ts";
import { flowModel } from "../../dashboard/flow/model.ts";
import type { Tick } from "../../dashboard/wire/messages.ts";
import { Sampler } from "../../extensions/dashboard/sampler.ts";
import { createBoard } from "../../pipeline/telemetry/board.ts";
import { MadeService } from "../support/dashboard_data.ts";

const measure = { box: () => 120 };

/** The quickstart after two seconds of 1 000 spans and 40 points each. */
function quickstart(): Tick {
  const service = new MadeService(0);
  const sampler = new Sampler(service, createBoard(), { figures: undefined, graph: undefined });
  service.flow(1000, 40);
  sampler.take(0, 0);
  service.flow(1000, 40);
  return sampler.take(1000, 1000);
}

describe("the picture of the pipelines", () => {
  it("orders pipelines by signal and processors as data passes them", () => {
    const { pipelines, receivers, exporters } = flowModel(quickstart());
    assert.deepEqual(
      pipelines.map(({ id, line }) => [id, line.map((node) => node.id)]),
      [
        ["traces", ["memory_limiter", "gen_ai_normalizer", "aggregate/llm", "batch"]],
        ["traces/jaeger", ["probabilistic_sampler", "batch/jaeger"]],
        ["metrics", ["batch/metrics"]],
      ],
    );
    assert.deepEqual(
      [receivers.map(({ id }) => id), exporters.map(({ id }) => id)],
      [["otlp"], ["debug", "graphistry", "otlp/jaeger", "plotly"]],
    );
  });

  it("moves nothing when the service lists the same in another order", () => {
    const tick = quickstart();
    const turned = { nodes: tick.nodes.toReversed(), edges: tick.edges.toReversed() };
    const places = (of: Pick<Tick, "nodes" | "edges">) =>
      layoutFlow(flowModel(of), 1400, measure)
        ?.boxes.map(({ node, x, y }) => `${node.id} ${x} ${y}`)
        .sort();
    assert.deepEqual(places(turned), places(tick));
  });

  it("draws bands as wide as their rate: 14 px for the busiest, never under 1.5", () => {
    const layout = layoutFlow(flowModel(quickstart()), 1400, measure);
    const width = (to: string) => layout?.bands.find(({ link }) => link.to.id === to)?.width;
    assert.deepEqual([width("memory_limiter"), width("otlp/jaeger"), width("debug")], [14, 3.5, 1.5]);
  });

  it("lets no two boxes meet, inside the picture, at any width it is drawn at", () => {
    let drawn = 0;
    for (let width = 300; width <= 2000; width += 50) {
      const layout = layoutFlow(flowModel(quickstart()), width, measure);
      if (layout === undefined) continue;
      drawn++;
      for (const one of layout.boxes) {
        assert.ok(
          one.x >= 0 && one.y >= 0 && one.x + one.width <= width && one.y + one.height <= layout.height,
          one.node.id,
        );
        for (const other of layout.boxes) {
          const apart =
            one === other ||
            one.x + one.width <= other.x ||
            other.x + other.width <= one.x ||
            one.y + one.height <= other.y ||
            other.y + other.height <= one.y;
          assert.ok(apart, `${one.node.id} and ${other.node.id} at ${width}`);
        }
      }
    }
    assert.ok(drawn > 15 && drawn < 35, `a list on narrow pages: ${drawn}`);
  });

  it("is a list when there are too many components to read", () => {
    const tick = quickstart();
    const many = Array.from({ length: 25 }, (_, index) => ({
      ...tick.nodes[1]!,
      key: `processor:traces:p${index}`,
      id: `p${index}`,
    }));
    const edges = many.map((node, index) => ({
      ...tick.edges[0]!,
      from: many[index - 1]?.key ?? "receiver:otlp",
      to: node.key,
    }));
    assert.equal(layoutFlow(flowModel({ nodes: [...tick.nodes, ...many], edges }), 5000, measure), undefined);
  });

  it("puts a connector first into the pipeline it feeds, right of what feeds it", () => {
    const node = (key: string, kind: "receiver" | "processor" | "connector" | "exporter") => ({
      ...quickstart().nodes[0]!,
      key,
      id: key,
      kind,
    });
    const edge = (from: string, to: string, pipelineId: string, signal: string) => ({
      from,
      to,
      pipelineId,
      signal,
      items: 1,
      rate: 1,
    });
    const model = flowModel({
      nodes: [
        node("in", "receiver"),
        node("a", "processor"),
        node("count", "connector"),
        node("b", "processor"),
        node("out", "exporter"),
      ],
      edges: [
        edge("in", "a", "traces", "traces"),
        edge("a", "count", "traces", "traces"),
        edge("count", "b", "metrics", "metrics"),
        edge("b", "out", "metrics", "metrics"),
      ],
    });
    assert.deepEqual(
      model.pipelines.map(({ line }) => line.map(({ id }) => id)),
      [["a"], ["count", "b"]],
    );
    const boxes = layoutFlow(model, 1400, measure)?.boxes ?? [];
    const x = Object.fromEntries(boxes.map((box) => [box.node.id, box.x]));
    assert.ok(
      x["in"]! < x["a"]! && x["a"]! < x["count"]! && x["count"]! < x["b"]! && x["b"]! < x["out"]!,
      JSON.stringify(x),
    );
  });
});
