import type { NodeView } from "../view.ts";
import { NodeBooks } from "./books.ts";

type Facts = ReturnType<NodeView["facts"]>;

/** The key of a node: `receiver:otlp`, `processor:traces:batch`, `exporter:traces:debug`. */
export function nodeKey(kind: NodeView["kind"], place: string, id: string): string {
  return [kind, place, id].filter((part) => part !== "").join(":");
}

/** The place of a component instance in the graph. It outlives the instance: the next one goes on with its books. */
export class GraphNode implements NodeView {
  readonly key: string;
  readonly kind: NodeView["kind"];
  readonly id: string;
  readonly pipelineId?: string;
  readonly holdsData?: boolean;
  readonly books = new NodeBooks();
  isRemoved = false;
  /** The instance that tells facts. */
  component: { facts?(): Facts } | undefined;

  constructor(
    kind: NodeView["kind"],
    id: string,
    place: string,
    options: { readonly pipelineId?: string; readonly holdsData?: boolean } = {},
  ) {
    this.key = nodeKey(kind, place, id);
    this.kind = kind;
    this.id = id;
    if (options.pipelineId !== undefined) this.pipelineId = options.pipelineId;
    if (options.holdsData !== undefined) this.holdsData = options.holdsData;
  }

  facts(): Facts {
    return this.component?.facts?.() ?? [];
  }
}
