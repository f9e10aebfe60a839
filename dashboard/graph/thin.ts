import type { GraphNode, GraphSnapshot } from "../wire/messages.ts";

/**
 * As much of a graph as can be looked at: whole traces, failed ones first for up to half of `mostSpans`, then the latest.
 * The snapshot itself when it is small enough; its counts stay those of the whole.
 */
export function thinned(snapshot: GraphSnapshot, mostSpans: number): GraphSnapshot {
  if (snapshot.nodes.length <= mostSpans) return snapshot;
  const traces = [...Map.groupBy(snapshot.nodes, (node) => node.traceId)].map(([traceId, nodes]) => ({
    traceId,
    size: nodes.length,
    startUnixMs: nodes.reduce((latest, node) => Math.max(latest, node.startUnixMs), 0),
    failed: nodes.some((node) => node.status === "ERROR"),
  }));
  traces.sort((one, other) => other.startUnixMs - one.startUnixMs || (one.traceId < other.traceId ? -1 : 1));
  const kept = new Set<string>();
  let room = mostSpans;
  const keep = (candidates: typeof traces, leave: number) => {
    for (const { traceId, size } of candidates) {
      if (kept.has(traceId) || room - size < leave) continue;
      kept.add(traceId);
      room -= size;
    }
  };
  keep(
    traces.filter(({ failed }) => failed),
    mostSpans / 2,
  );
  keep(traces, 0);
  const nodes = snapshot.nodes.filter((node) => kept.has(node.traceId));
  const ids = new Set(nodes.map((node: GraphNode) => node.id));
  return { ...snapshot, nodes, edges: snapshot.edges.filter((edge) => ids.has(edge.source) && ids.has(edge.target)) };
}
