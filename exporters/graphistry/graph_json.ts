import type { Pause } from "../../pipeline/frame/engine.ts";
import { encodings } from "./encodings.ts";
import type { Uploaded } from "./rest/upload.ts";
import type { GraphTables, Table } from "./tables.ts";
import type { TraceGraph } from "./trace_graph.ts";

const rowsPerStep = 500;

export interface GraphFacts {
  readonly name: string;
  readonly createdUnixMs: number;
  /** The latest upload, maybe of an earlier graph. */
  readonly uploaded: Uploaded | undefined;
}

/**
 * The graph as one JSON document: what it is, how to draw it, and both tables as lists of rows with times in ISO form.
 * Pauses now and then.
 */
export async function graphJson(
  graph: TraceGraph,
  tables: GraphTables,
  facts: GraphFacts,
  pause: Pause,
): Promise<string> {
  const head = JSON.stringify({
    name: facts.name,
    created: new Date(facts.createdUnixMs).toISOString(),
    dataset_id: facts.uploaded?.datasetId ?? null,
    viewer_url: facts.uploaded?.viewerUrl ?? null,
    span_count: graph.spans.length,
    trace_count: graph.traceCount,
    missing_parent_count: graph.missing.length,
    edge_count: tables.edges.rows.length,
    ...encodings,
  });
  const nodes = await rowsJson(tables.nodes, pause);
  const edges = await rowsJson(tables.edges, pause);
  return `${head.slice(0, -1)},\n"nodes":${nodes},\n"edges":${edges}}\n`;
}

async function rowsJson(table: Table, pause: Pause): Promise<string> {
  const times = Object.keys(table.columns).filter((name) => table.columns[name] === "time");
  const lines: string[] = [];
  for (const row of table.rows) {
    const iso = times.map((name) => [name, isoTime(row[name])]);
    lines.push(JSON.stringify({ ...row, ...Object.fromEntries(iso) }));
    if (lines.length % rowsPerStep === 0) await pause();
  }
  return lines.length === 0 ? "[]" : `[\n${lines.join(",\n")}\n]`;
}

const latestUnixMs = 8.64e15;

function isoTime(unixMs: string | number | null | undefined): string | null {
  if (typeof unixMs !== "number" || !(Math.abs(unixMs) <= latestUnixMs)) return null;
  return new Date(Math.round(unixMs)).toISOString();
}
