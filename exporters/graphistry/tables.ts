import type { Pause } from "../../pipeline/frame/engine.ts";
import { inSteps } from "./in_steps.ts";
import type { SpanFacts } from "./span_facts.ts";
import { missingLabel, nodeId, type TraceGraph } from "./trace_graph.ts";
import { treePositions } from "./tree_positions.ts";

/** `time` is in milliseconds since the Unix epoch. Texts are never absent. */
export type ColumnType = "text" | "number" | "time";

type Cell<T extends ColumnType> = T extends "text" ? string : number | null;
type Columns = Readonly<Record<string, ColumnType>>;
type Row<C extends Columns> = { readonly [N in keyof C]: Cell<C[N]> };

/** Rows with the types of their columns, in order. */
export interface Table<C extends Columns = Columns> {
  readonly columns: C;
  readonly rows: readonly Row<C>[];
}

const nodeColumns = {
  node_id: "text",
  node_type: "text",
  span_id: "text",
  parent_span_id: "text",
  trace_id: "text",
  name: "text",
  status: "text",
  kind: "text",
  service: "text",
  model: "text",
  operation: "text",
  error_type: "text",
  start_time: "time",
  end_time: "time",
  duration_ms: "number",
  input_tokens: "number",
  output_tokens: "number",
  total_tokens: "number",
  x: "number",
  y: "number",
} as const satisfies Columns;

const edgeColumns = {
  source: "text",
  destination: "text",
  trace_id: "text",
  edge_type: "text",
} as const satisfies Columns;

export type NodeRow = Row<typeof nodeColumns>;
export type EdgeRow = Row<typeof edgeColumns>;

export interface GraphTables {
  readonly nodes: Table<typeof nodeColumns>;
  readonly edges: Table<typeof edgeColumns>;
}

/**
 * The graph as two tables: those of the notebook, and what helps to read them. Prompts and answers are never in them.
 *
 * `node_type` is `span`, `missing` (a parent that was not received) or `trace`; `edge_type` is `child_of` (from parent to
 * child) or `contains`. A graph without a single edge is nothing a server can draw, so then each trace becomes a node of
 * its own that contains its spans. Pauses now and then.
 */
export async function tablesOf(graph: TraceGraph, pause: Pause): Promise<GraphTables> {
  const isBare = graph.edges.length === 0;
  const nodes: NodeRow[] = [];
  await inSteps(graph.spans, pause, (span) => void nodes.push(spanRow(span)));
  for (const row of isBare ? traceRows(graph.spans) : missingRows(graph)) nodes.push(row);
  const edges = isBare ? graph.spans.map(containsRow) : childRows(graph);
  const places = await treePositions(nodes, edges, pause);
  const rows: NodeRow[] = [];
  await inSteps(nodes, pause, (row) => void rows.push({ ...row, ...places.get(row.node_id) }));
  return { nodes: { columns: nodeColumns, rows }, edges: { columns: edgeColumns, rows: edges } };
}

function spanRow(span: SpanFacts): NodeRow {
  const { inputTokens, outputTokens } = span;
  const isCounted = inputTokens !== undefined || outputTokens !== undefined;
  return {
    ...unplaced,
    node_id: nodeId(span),
    node_type: "span",
    span_id: span.spanId,
    parent_span_id: span.parentSpanId,
    trace_id: span.traceId,
    name: span.name,
    status: span.status,
    kind: span.kind,
    service: span.service,
    model: span.model,
    operation: span.operation,
    error_type: span.errorType,
    start_time: span.startUnixMs,
    end_time: span.endUnixMs,
    duration_ms: span.durationMs,
    input_tokens: inputTokens ?? null,
    output_tokens: outputTokens ?? null,
    total_tokens: isCounted ? (inputTokens ?? 0) + (outputTokens ?? 0) : null,
  };
}

const unplaced: NodeRow = {
  node_id: "",
  node_type: "",
  span_id: "",
  parent_span_id: "",
  trace_id: "",
  name: "",
  status: "UNSET",
  kind: "",
  service: "",
  model: "",
  operation: "",
  error_type: "",
  start_time: null,
  end_time: null,
  duration_ms: 0,
  input_tokens: null,
  output_tokens: null,
  total_tokens: null,
  x: 0,
  y: 0,
};

function missingRows(graph: TraceGraph): NodeRow[] {
  return graph.missing.map((parent) => ({
    ...unplaced,
    node_id: nodeId(parent),
    node_type: "missing",
    span_id: parent.spanId,
    trace_id: parent.traceId,
    name: missingLabel,
    start_time: parent.startUnixMs,
  }));
}

function childRows(graph: TraceGraph): EdgeRow[] {
  return graph.edges.map(({ source, target, traceId }) => ({
    source,
    destination: target,
    trace_id: traceId,
    edge_type: "child_of",
  }));
}

function traceNodeId(traceId: string): string {
  return `trace:${traceId}`;
}

function traceRows(spans: readonly SpanFacts[]): NodeRow[] {
  const starts = new Map<string, number>();
  for (const { traceId, startUnixMs } of spans) {
    starts.set(traceId, Math.min(startUnixMs, starts.get(traceId) ?? Number.POSITIVE_INFINITY));
  }
  return [...starts].map(([traceId, start_time]) => ({
    ...unplaced,
    node_id: traceNodeId(traceId),
    node_type: "trace",
    trace_id: traceId,
    name: `trace ${traceId.slice(0, 8)}`,
    start_time,
  }));
}

function containsRow(span: SpanFacts): EdgeRow {
  return {
    source: traceNodeId(span.traceId),
    destination: nodeId(span),
    trace_id: span.traceId,
    edge_type: "contains",
  };
}
