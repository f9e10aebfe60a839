import type { EdgeState, NodeState, Tick } from "../wire/messages.ts";

/** A component as it is drawn: a receiver or exporter of several pipelines or signals is one. */
export interface FlowNode {
  readonly name: string;
  readonly kind: NodeState["kind"];
  readonly id: string;
  /** The instances behind it. */
  readonly parts: readonly NodeState[];
}

export interface FlowLink {
  readonly from: FlowNode;
  readonly to: FlowNode;
  readonly pipelineId: string;
  readonly signal: string;
  readonly items: number;
  readonly rate: number;
}

export interface FlowPipeline {
  readonly id: string;
  readonly signal: string;
  /** Connectors that feed it, then its processors in the order data passes them. */
  readonly line: readonly FlowNode[];
  readonly links: readonly FlowLink[];
}

/** The picture's contents without positions. Orders depend on ids only, so a reload moves nothing. */
export interface FlowModel {
  readonly receivers: readonly FlowNode[];
  readonly exporters: readonly FlowNode[];
  readonly pipelines: readonly FlowPipeline[];
}

const signals = ["traces", "metrics", "logs", "profiles"];

export function flowModel(tick: Pick<Tick, "nodes" | "edges">): FlowModel {
  const nodes = merge(tick.nodes);
  const byKey = new Map([...nodes.values()].flatMap((node) => node.parts.map((part) => [part.key, node])));
  const links = tick.edges.flatMap((edge) => linkOf(edge, byKey));
  const ids = [...new Set(links.map((link) => link.pipelineId))];
  const pipelines = ids.map((id) => pipelineOf(id, links)).sort(bySignalThenId);
  const ofKind = (kind: NodeState["kind"]) => [...nodes.values()].filter((node) => node.kind === kind).sort(byId);
  return { receivers: ofKind("receiver"), exporters: ofKind("exporter"), pipelines };
}

/** Items of all parts added up. */
export function total(node: FlowNode, value: (part: NodeState) => number): number {
  return node.parts.reduce((sum, part) => sum + value(part), 0);
}

function merge(states: readonly NodeState[]): Map<string, FlowNode> {
  const nodes = new Map<string, FlowNode>();
  for (const state of states) {
    const shared = state.kind === "receiver" || state.kind === "exporter";
    const name = shared ? `${state.kind} ${state.id}` : state.key;
    const parts = [...(nodes.get(name)?.parts ?? []), state];
    nodes.set(name, { name, kind: state.kind, id: state.id, parts });
  }
  return nodes;
}

function linkOf(edge: EdgeState, byKey: ReadonlyMap<string, FlowNode>): FlowLink[] {
  const from = byKey.get(edge.from);
  const to = byKey.get(edge.to);
  if (from === undefined || to === undefined) return [];
  return [{ from, to, pipelineId: edge.pipelineId, signal: edge.signal, items: edge.items, rate: edge.rate }];
}

function pipelineOf(id: string, all: readonly FlowLink[]): FlowPipeline {
  const links = all.filter((link) => link.pipelineId === id);
  const depth = new Map<FlowNode, number>();
  // Bellman-Ford over one pipeline: as many rounds as links reach the longest path of any graph without cycles.
  for (let round = 0; round < links.length; round++) {
    for (const link of links) {
      const through = (depth.get(link.from) ?? 0) + 1;
      if (through > (depth.get(link.to) ?? 0)) depth.set(link.to, Math.min(through, links.length));
    }
  }
  const feeding = links.map((link) => link.from).filter((node) => node.kind === "connector" && !depth.has(node));
  const processors = links.map((link) => link.to).filter((node) => node.kind === "processor");
  const line = [...new Set([...feeding.sort(byId), ...processors])];
  line.sort((one, other) => (depth.get(one) ?? 0) - (depth.get(other) ?? 0));
  return { id, signal: links[0]?.signal ?? "", line, links };
}

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : one.id > other.id ? 1 : 0;
}

function bySignalThenId(one: FlowPipeline, other: FlowPipeline): number {
  return signals.indexOf(one.signal) - signals.indexOf(other.signal) || byId(one, other);
}
