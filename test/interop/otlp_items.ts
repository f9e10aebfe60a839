import { readFile } from "node:fs/promises";

/** A JSON value, as far as this module looks at it. */
type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };
type JsonObject = { readonly [key: string]: Json };

/** One span, data point or log record with everything that encloses it, as text that can be compared. */
export interface Item {
  readonly signal: "traces" | "metrics" | "logs";
  readonly resource: JsonObject;
  readonly scope: JsonObject;
  /** The span or log record; for a data point `{ metric, point }`. */
  readonly item: JsonObject;
}

/** Reads a file of OTLP/JSON requests, one a line, as otelpipe's and the Collector's file exporters write it. */
export async function readItems(path: string): Promise<Item[]> {
  return (await readRequests(path)).flatMap(itemsOf);
}

/** The requests of such a file; none while it does not exist. */
export async function readRequests(path: string): Promise<JsonObject[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  // The last line may still be being written.
  const lines = text.slice(0, text.lastIndexOf("\n") + 1).split("\n");
  return lines.filter((line) => line !== "").map((line) => JSON.parse(line) as JsonObject);
}

/** Every item of one request of whatever signal. */
export function itemsOf(request: JsonObject): Item[] {
  return [
    ...groups(request, "resourceSpans", "scopeSpans").flatMap(({ resource, scope, group }) =>
      list(group["spans"]).map((item) => ({ signal: "traces" as const, resource, scope, item })),
    ),
    ...groups(request, "resourceLogs", "scopeLogs").flatMap(({ resource, scope, group }) =>
      list(group["logRecords"]).map((item) => ({ signal: "logs" as const, resource, scope, item })),
    ),
    ...groups(request, "resourceMetrics", "scopeMetrics").flatMap(({ resource, scope, group }) =>
      list(group["metrics"])
        .flatMap(pointsOf)
        .map((item) => ({ signal: "metrics" as const, resource, scope, item })),
    ),
  ];
}

/** The items as sorted texts: equal lists hold the same telemetry, however it was batched. */
export function comparable(items: readonly Item[]): string[] {
  return items.map((item) => JSON.stringify(canonical(item as unknown as Json))).sort();
}

/** Attributes as plain values by key: integers as `bigint`, lists and maps as such. */
export function attributesOf(holder: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    list(holder["attributes"]).map((attribute) => [String(attribute["key"]), plain(attribute["value"])]),
  );
}

/** An OTLP/JSON AnyValue as a plain value. */
export function plain(value: Json | undefined): unknown {
  const any = objectOf(value);
  if ("stringValue" in any) return any["stringValue"];
  if ("boolValue" in any) return any["boolValue"];
  if ("intValue" in any) return BigInt(String(any["intValue"]));
  if ("doubleValue" in any) return Number(any["doubleValue"]);
  if ("bytesValue" in any) return Buffer.from(String(any["bytesValue"]), "base64");
  if ("arrayValue" in any) return list(objectOf(any["arrayValue"])["values"]).map(plain);
  if ("kvlistValue" in any) {
    const entries = list(objectOf(any["kvlistValue"])["values"]);
    return Object.fromEntries(entries.map((entry) => [String(entry["key"]), plain(entry["value"])]));
  }
  return undefined;
}

/** The object, or an empty one for what is absent. */
export function objectOf(value: Json | undefined): JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The list of objects, or an empty one for what is absent. */
export function list(value: Json | undefined): JsonObject[] {
  return Array.isArray(value) ? (value as JsonObject[]) : [];
}

function groups(request: JsonObject, resources: string, scopes: string) {
  return list(request[resources]).flatMap((outer) =>
    list(outer[scopes]).map((group) => ({
      resource: { ...objectOf(outer["resource"]), ...schema(outer) },
      scope: { ...objectOf(group["scope"]), ...schema(group) },
      group,
    })),
  );
}

function schema({ schemaUrl }: JsonObject): JsonObject {
  return schemaUrl === undefined ? {} : { schemaUrl };
}

const kinds = ["gauge", "sum", "histogram", "exponentialHistogram", "summary"];

function pointsOf(metric: JsonObject): JsonObject[] {
  const kind = kinds.find((name) => name in metric) ?? "none";
  const { dataPoints, ...data } = objectOf(metric[kind]);
  return list(dataPoints).map((point) => ({ metric: { ...metric, [kind]: data }, point }));
}

/**
 * Keys in order, those of attributes and maps too, which have none; and without what protobuf does not tell from absent:
 * empty lists, objects and texts.
 */
function canonical(value: Json): Json {
  if (Array.isArray(value)) return isMap(value) ? value.map(canonical).sort(byKey) : value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value as JsonObject)
    .map(([key, field]) => [key, canonical(field)] as const)
    .filter(([key, field]) => key.endsWith("Value") || !isEmpty(field));
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Whether a list holds the entries of attributes or of a map; only theirs have these two fields and no other. */
function isMap(entries: readonly Json[]): boolean {
  return (
    entries.length > 0 && entries.every((entry) => Object.keys(objectOf(entry)).every((key) => keyOrValue.has(key)))
  );
}

const keyOrValue = new Set(["key", "value"]);

function byKey(a: Json, b: Json): number {
  const [left, right] = [a, b].map((entry) => String(objectOf(entry)["key"] ?? ""));
  return left === right ? 0 : (left ?? "") < (right ?? "") ? -1 : 1;
}

function isEmpty(value: Json): boolean {
  return value === "" || (typeof value === "object" && value !== null && Object.keys(value).length === 0);
}
