import type { GraphEdge, GraphNode, GraphShown } from "../../pipeline/board.ts";
import type { Pause } from "../../pipeline/frame/engine.ts";
import { inSteps } from "./in_steps.ts";
import type { SpanFacts } from "./span_facts.ts";

/** A span that others name as their parent and that is not there: not received yet, never, or not kept any more. */
export interface MissingParent {
  readonly traceId: string;
  readonly spanId: string;
  /** The earliest start among its children. */
  readonly startUnixMs: number;
}

/** Spans and their parents. Every edge has both its ends among the spans and the missing parents. */
export interface TraceGraph {
  readonly spans: readonly SpanFacts[];
  readonly missing: readonly MissingParent[];
  /** From parent to child. */
  readonly edges: readonly (GraphEdge & { readonly traceId: string })[];
  readonly traceCount: number;
}

/** Span ids are unique only within their trace. */
export function nodeId({ traceId, spanId }: { readonly traceId: string; readonly spanId: string }): string {
  return `${traceId}:${spanId}`;
}

/**
 * The graph of the spans. A parent that is not among them becomes a missing parent with the id the span would have: its
 * children stay together, and when the span comes it takes that place. A span that names itself as parent is a root.
 * Pauses now and then.
 */
export async function traceGraph(spans: readonly SpanFacts[], pause: Pause): Promise<TraceGraph> {
  const known = new Set<string>();
  const traces = new Set<string>();
  await inSteps(spans, pause, (span) => {
    known.add(nodeId(span));
    traces.add(span.traceId);
  });
  const missing = new Map<string, MissingParent>();
  const edges: TraceGraph["edges"][number][] = [];
  await inSteps(spans, pause, (span) => {
    const { traceId, parentSpanId, startUnixMs } = span;
    if (parentSpanId === "" || parentSpanId === span.spanId) return;
    const source = nodeId({ traceId, spanId: parentSpanId });
    edges.push({ source, target: nodeId(span), traceId });
    if (known.has(source)) return;
    const before = missing.get(source)?.startUnixMs ?? Number.POSITIVE_INFINITY;
    missing.set(source, { traceId, spanId: parentSpanId, startUnixMs: Math.min(before, startUnixMs) });
  });
  return { spans, missing: [...missing.values()], edges, traceCount: traces.size };
}

export const missingLabel = "(parent not received)";

/** The graph as the dashboard draws it. */
export function snapshotOf(graph: TraceGraph): GraphShown {
  return {
    nodes: [...graph.spans.map(spanNode), ...graph.missing.map(missingNode)],
    edges: graph.edges.map(({ source, target }) => ({ source, target })),
    traceCount: graph.traceCount,
    spanCount: graph.spans.length,
  };
}

function spanNode(span: SpanFacts): GraphNode {
  return {
    id: nodeId(span),
    traceId: span.traceId,
    label: span.name,
    status: span.status,
    durationMs: span.durationMs,
    startUnixMs: span.startUnixMs,
    service: span.service,
    ...(span.model !== "" && { model: span.model }),
    size: span.durationMs,
  };
}

function missingNode(parent: MissingParent): GraphNode {
  return {
    id: nodeId(parent),
    traceId: parent.traceId,
    label: missingLabel,
    status: "UNSET",
    durationMs: 0,
    startUnixMs: parent.startUnixMs,
    service: "",
    size: 0,
    missing: true,
  };
}
