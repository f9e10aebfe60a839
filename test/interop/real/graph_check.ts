import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tableFromIPC } from "apache-arrow";
import type { Stage } from "./stage.ts";
import { isRequest, type SentSpan, tokensOf } from "./truth.ts";

type Row = Readonly<Record<string, unknown>>;

/** Each span is a node and each parent of a span an edge, in what the Graphistry server took and in the local files. */
export async function checkGraph(stage: Stage, truth: readonly SentSpan[]): Promise<string[]> {
  const { storage, leaks } = stage.graphistry;
  const conversation = stage.graphistry.lines();
  assert.deepEqual(
    conversation.filter((line) => !/ 20[01]$/.test(line)),
    [],
  );
  assert.deepEqual(leaks, []);
  const dataset = [...storage.datasets.values()].at(-1);
  assert.ok(dataset !== undefined, "nothing was uploaded");
  assert.equal(dataset.share?.["mode"], "private");
  const uploaded = (key: "node_files" | "edge_files"): Buffer => {
    const [id] = dataset.body[key] as readonly string[];
    const bytes = storage.files.get(id ?? "")?.bytes;
    assert.ok(bytes !== undefined, `no ${key} in the dataset`);
    return bytes;
  };
  const [nodeBytes, edgeBytes] = [uploaded("node_files"), uploaded("edge_files")];
  const [nodes, edges] = [rowsOf(nodeBytes), rowsOf(edgeBytes)];
  compareNodes(nodes, truth);
  compareEdges(nodes, edges, truth);
  for (const [name, bytes] of [
    ["nodes.arrow", nodeBytes],
    ["edges.arrow", edgeBytes],
  ] as const) {
    assert.deepEqual(rowsOf(await readFile(join(stage.graphFolder, name))), rowsOf(bytes), name);
  }
  return [
    `${nodes.length} nodes and ${edges.length} edges, in the local Arrow files and in what was uploaded`,
    `${storage.datasets.size} dataset(s) taken, the last one private, in ${conversation.length} requests, all 200 or 201`,
  ];
}

function rowsOf(bytes: Buffer): Row[] {
  return tableFromIPC(bytes)
    .toArray()
    .map((row) => row.toJSON() as Row);
}

const statuses = ["UNSET", "OK", "ERROR"];

function compareNodes(nodes: readonly Row[], truth: readonly SentSpan[]): void {
  const described = nodes.map((node) => [
    node["node_type"],
    node["trace_id"],
    node["span_id"],
    node["parent_span_id"],
    node["name"],
    node["status"],
    Number(node["duration_ms"]).toFixed(3),
    Number(node["input_tokens"] ?? 0),
    Number(node["output_tokens"] ?? 0),
  ]);
  const wanted = truth.map((span) => {
    const { input, output } = isRequest(span) ? tokensOf(span) : { input: 0, output: 0 };
    const { traceId, spanId, parentSpanId, name, statusCode, startNano, endNano } = span;
    const duration = (Number(endNano - startNano) / 1e6).toFixed(3);
    return ["span", traceId, spanId, parentSpanId, name, statuses[statusCode], duration, input, output];
  });
  assert.deepEqual(described.map(String).sort(), wanted.map(String).sort());
}

function compareEdges(nodes: readonly Row[], edges: readonly Row[], truth: readonly SentSpan[]): void {
  const spanOf = new Map(nodes.map((node) => [node["node_id"], String(node["span_id"])]));
  const drawn = edges.map(({ source, destination, edge_type, trace_id }) => {
    return `${trace_id} ${spanOf.get(source)} ${spanOf.get(destination)} ${edge_type}`;
  });
  const wanted = truth
    .filter(({ parentSpanId }) => parentSpanId !== "")
    .map(({ traceId, parentSpanId, spanId }) => `${traceId} ${parentSpanId} ${spanId} child_of`);
  assert.deepEqual(drawn.sort(), wanted.sort());
}
