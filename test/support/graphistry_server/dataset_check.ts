import type { DataType } from "apache-arrow";
import { isInteger, isNumeric } from "./arrow_check.ts";
import { complexProblems, isObject } from "./encodings_check.ts";
import type { StoredFile } from "./storage.ts";

type Json = Readonly<Record<string, unknown>>;

const bindings = {
  node: {
    any: ["node", "node_title", "node_label", "node_icon"],
    integer: ["node_color"],
    numeric: ["node_size", "node_weight", "node_opacity", "node_x", "node_y", "node_longitude", "node_latitude"],
  },
  edge: {
    any: ["source", "destination", "edge", "edge_title", "edge_label", "edge_icon"],
    integer: ["edge_color", "edge_source_color", "edge_destination_color"],
    numeric: ["edge_size", "edge_weight", "edge_opacity"],
  },
} as const;

/** What a server finds in the body that creates a dataset. */
export interface Verdict {
  /** Reasons to refuse it. */
  readonly problems: readonly string[];
  /** What it takes although the drawing will not be what was meant. */
  readonly warnings: readonly string[];
}

/** Checks the body of a dataset against the files it names. */
export function checkDataset(body: Json, fileOf: (id: string) => StoredFile | undefined): Verdict {
  const shape = shapeProblems(body);
  if (shape.length > 0) return { problems: shape, warnings: [] };
  const edges = filesOf(body["edge_files"], fileOf);
  const nodes = filesOf(body["node_files"] ?? [], fileOf);
  if (typeof edges === "string" || typeof nodes === "string") {
    return { problems: [edges, nodes].filter((one) => typeof one === "string"), warnings: [] };
  }
  const edgeEncodings = body["edge_encodings"] as Json;
  const nodeEncodings = body["node_encodings"] as Json;
  const edgeColumns = columnsOf(edges);
  // Without a nodes file the server makes the nodes from the ends of the edges.
  const nodeColumns = nodes.length === 0 ? undefined : columnsOf(nodes);
  const edgeBindings = edgeEncodings["bindings"] as Json;
  const nodeBindings = nodeEncodings["bindings"] as Json;
  const required = ["source", "destination"].filter((name) => typeof edgeBindings[name] !== "string");
  return {
    problems: [
      ...required.map((name) => `edge_encodings.bindings.${name} is required`),
      ...bindingProblems("edge", edgeBindings, edgeColumns),
      ...bindingProblems("node", nodeBindings, nodeColumns),
      ...complexProblems("edge", edgeEncodings["complex"], new Set(edgeColumns.keys())),
      ...(nodeColumns ? complexProblems("node", nodeEncodings["complex"], new Set(nodeColumns.keys())) : []),
    ],
    warnings: [
      ...colorWarnings("edge", edgeBindings, edgeColumns),
      ...colorWarnings("node", nodeBindings, nodeColumns),
      ...idWarnings(edgeBindings, edgeColumns, nodeBindings, nodeColumns),
    ],
  };
}

function shapeProblems(body: Json): string[] {
  const problems: string[] = [];
  if (typeof body["name"] !== "string") problems.push("name must be a string");
  if (!isObject(body["metadata"])) problems.push("metadata must be an object");
  for (const key of ["node_encodings", "edge_encodings"]) {
    const encodings = body[key];
    if (!isObject(encodings) || !isObject(encodings["bindings"])) problems.push(`${key}.bindings must be an object`);
  }
  if (!Array.isArray(body["edge_files"]) || body["edge_files"].length === 0) {
    problems.push("edge_files must be a list of files");
  }
  return problems;
}

function filesOf(list: unknown, fileOf: (id: string) => StoredFile | undefined): StoredFile[] | string {
  if (!Array.isArray(list)) return "node_files must be a list of files";
  const files: StoredFile[] = [];
  for (const entry of list) {
    const id: unknown = Array.isArray(entry) ? entry[0] : entry;
    const file = fileOf(String(id));
    if (file?.arrow === undefined) return `file ${String(id)} is not there or not valid`;
    files.push(file);
  }
  return files;
}

type ColumnTypes = ReadonlyMap<string, DataType>;

function columnsOf(files: readonly StoredFile[]): ColumnTypes {
  return new Map(files.flatMap(({ arrow }) => [...(arrow?.columns ?? [])]));
}

function bindingProblems(of: "node" | "edge", given: Json, columns: ColumnTypes | undefined): string[] {
  const { any, integer, numeric } = bindings[of];
  const known: readonly string[] = [...any, ...integer, ...numeric];
  return Object.entries(given).flatMap(([name, column]) => {
    const at = `${of}_encodings.bindings.${name}`;
    if (!known.includes(name)) return [`${at} is not a binding`];
    if (columns === undefined) return [];
    if (!columns.has(String(column))) return [`${at} names no column: ${String(column)}`];
    const type = columns.get(String(column));
    return (numeric as readonly string[]).includes(name) && !isNumeric(type)
      ? [`${at} must be a column of numbers, not ${type}`]
      : [];
  });
}

/** The seed's notebook binds a column of texts as colour and is drawn all the same, by its colour encoding. */
function colorWarnings(of: "node" | "edge", given: Json, columns: ColumnTypes | undefined): string[] {
  if (columns === undefined) return [];
  return bindings[of].integer
    .filter((name) => given[name] !== undefined && !isInteger(columns.get(String(given[name]))))
    .map((name) => `${of}_encodings.bindings.${name} is not a column of integers: it colours nothing`);
}

function idWarnings(edge: Json, edges: ColumnTypes, node: Json, nodes: ColumnTypes | undefined): string[] {
  const id = nodes?.get(String(node["node"]));
  if (id === undefined) return [];
  return ["source", "destination"]
    .filter((name) => String(edges.get(String(edge[name]))) !== String(id))
    .map((name) => `${name} and node are of different types: the nodes will hang loose`);
}
