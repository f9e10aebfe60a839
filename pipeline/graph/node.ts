import type { NodeView } from "../view.ts";
import { type EdgeCount, NodeBooks } from "./books.ts";

type Facts = ReturnType<NodeView["facts"]>;

/** A component instance's place in the graph. */
export interface GraphNode extends NodeView {
  readonly books: NodeBooks;
}

export function graphNode(
  kind: NodeView["kind"],
  id: string,
  place: string,
  options: { pipelineId?: string; holdsData?: boolean; facts?: () => Facts } = {},
): GraphNode {
  return {
    key: [kind, place, id].filter((part) => part !== "").join(":"),
    kind,
    id,
    ...(options.pipelineId !== undefined && { pipelineId: options.pipelineId }),
    ...(options.holdsData !== undefined && { holdsData: options.holdsData }),
    books: new NodeBooks(),
    facts: options.facts ?? (() => []),
  };
}

export function edgeBetween(
  from: GraphNode,
  to: GraphNode,
  pipeline: Pick<EdgeCount, "pipelineId" | "signal">,
): EdgeCount {
  return { from: from.key, to: to.key, pipelineId: pipeline.pipelineId, signal: pipeline.signal, items: 0 };
}
