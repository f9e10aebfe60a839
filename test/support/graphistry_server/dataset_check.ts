import type { DataType } from "apache-arrow";
import { isInteger, isNumeric } from "./arrow_check.ts";
import { complexProblems, isObject } from "./encodings_check.ts";
import { Refusal } from "./request.ts";
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

/** What is known of a dataset's tables; undefined is not uploaded, or not yet. */
export interface DatasetColumns {
  readonly edges?: ColumnTypes | undefined;
  readonly nodes?: ColumnTypes | undefined;
}

export type ColumnTypes = ReadonlyMap<string, DataType>;

/**
 * Checks the body of a dataset against its columns. Without a table of nodes the server makes them from the ends of the
 * edges; without one of edges it waits for them.
 */
export function checkDataset(body: Json, { edges, nodes }: DatasetColumns): Verdict {
  const shape = shapeProblems(body);
  if (shape.length > 0) return { problems: shape, warnings: [] };
  const edgeEncodings = body["edge_encodings"] as Json;
  const nodeEncodings = body["node_encodings"] as Json;
  const edgeBindings = edgeEncodings["bindings"] as Json;
  const nodeBindings = nodeEncodings["bindings"] as Json;
  const required = ["source", "destination"].filter((name) => typeof edgeBindings[name] !== "string");
  return {
    problems: [
      ...required.map((name) => `edge_encodings.bindings.${name} is required`),
      ...bindingProblems("edge", edgeBindings, edges),
      ...bindingProblems("node", nodeBindings, nodes),
      ...(edges ? complexProblems("edge", edgeEncodings["complex"], new Set(edges.keys())) : []),
      ...(nodes ? complexProblems("node", nodeEncodings["complex"], new Set(nodes.keys())) : []),
    ],
    warnings: [
      ...colorWarnings("edge", edgeBindings, edges),
      ...colorWarnings("node", nodeBindings, nodes),
      ...(edges && nodes ? idWarnings(edgeBindings, edges, nodeBindings, nodes) : []),
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
  if (body["edge_files"] !== undefined && !(Array.isArray(body["edge_files"]) && body["edge_files"].length > 0)) {
    problems.push("edge_files must be a list of files");
  }
  return problems;
}

/** The columns of all files of a list; undefined when there is no list. @throws {Refusal} for a file that is not there */
export function columnsOfFiles(list: unknown, fileOf: (id: string) => StoredFile | undefined): ColumnTypes | undefined {
  if (list === undefined || (Array.isArray(list) && list.length === 0)) return undefined;
  if (!Array.isArray(list)) throw refused("files must be a list");
  return new Map(
    list.flatMap((entry: unknown) => {
      const id = String(Array.isArray(entry) ? entry[0] : entry);
      const columns = fileOf(id)?.arrow?.columns;
      if (columns === undefined) throw refused(`file ${id} is not there or not valid`);
      return [...columns];
    }),
  );
}

/** How a dataset is refused. */
export function refused(message: string): Refusal {
  return new Refusal(400, { success: false, error_code: 400, message, data: {} });
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

function idWarnings(edge: Json, edges: ColumnTypes, node: Json, nodes: ColumnTypes): string[] {
  const id = String(nodes.get(String(node["node"])));
  return ["source", "destination"]
    .filter((name) => String(edges.get(String(edge[name]))) !== id)
    .map((name) => `${name} and node are of different types: the nodes will hang loose`);
}
