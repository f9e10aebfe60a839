import type { Value } from "../pdata/index.ts";

/**
 * An attribute value as the Collector turns it into text: strings as they are, numbers as JavaScript writes them, bytes
 * in base64, lists and maps as compact JSON with sorted keys, no value as the empty string.
 * @see Collector `pcommon.Value.AsString`.
 */
export function valueText(value: Value | undefined): string {
  if (value === undefined || value === null) return "";
  if (typeof value === "string") return value;
  if (typeof value === "number") return numberText(value);
  if (Buffer.isBuffer(value)) return value.toString("base64");
  return typeof value === "object" ? jsonText(value) : String(value);
}

/** The bytes a value is hashed by: those of a bytes value itself, else its text in UTF-8. */
export function valueBytes(value: Value | undefined): Uint8Array {
  return Buffer.isBuffer(value) ? value : Buffer.from(valueText(value), "utf8");
}

function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

function jsonText(value: Value): string {
  if (value === null) return "null";
  if (Buffer.isBuffer(value)) return JSON.stringify(value.toString("base64"));
  if (Array.isArray(value)) return `[${(value as readonly Value[]).map(jsonText).join(",")}]`;
  if (typeof value === "object") return mapText(value as { readonly [key: string]: Value });
  if (typeof value === "string") return quoted(value);
  return typeof value === "number" ? numberText(value) : String(value);
}

function mapText(map: { readonly [key: string]: Value }): string {
  const keys = Object.keys(map).sort(byCodePoint);
  return `{${keys.map((key) => `${quoted(key)}:${jsonText(map[key] ?? null)}`).join(",")}}`;
}

/** Go sorts keys by their UTF-8 bytes, which is the order of code points. */
function byCodePoint(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}

/** Go's encoder escapes the two line separators of JavaScript as well. */
function quoted(text: string): string {
  return JSON.stringify(text).replaceAll("\u2028", "\\u2028").replaceAll("\u2029", "\\u2029");
}
