import { valueText } from "../../pipeline/attributes_actions/value_text.ts";
import type { Decoded, Value } from "../../pipeline/pdata/index.ts";

type ResourceSpans = Decoded["traces"]["resourceSpans"][number];
export type Resource = NonNullable<ResourceSpans["resource"]>;
export type InstrumentationScope = NonNullable<ResourceSpans["scopeSpans"][number]["scope"]>;
export type KeyValue = Resource["attributes"][number];
export type AnyValue = NonNullable<KeyValue["value"]>;

/** A value as text, without its type: `AsString` of the Collector. */
export function plainText(value: AnyValue | undefined): string {
  return valueText(heldValue(value));
}

/** A value with its type: `Str(hello)`, `Int(1)`, `Empty()`. */
export function typedText(value: AnyValue | undefined): string {
  return `${typeName(value)}(${plainText(value)})`;
}

function typeName(value: AnyValue | undefined): string {
  if (value?.stringValue !== undefined) return "Str";
  if (value?.boolValue !== undefined) return "Bool";
  if (value?.intValue !== undefined) return "Int";
  if (value?.doubleValue !== undefined) return "Double";
  if (value?.kvlistValue !== undefined) return "Map";
  if (value?.arrayValue !== undefined) return "Slice";
  return value?.bytesValue === undefined ? "Empty" : "Bytes";
}

function heldValue(value: AnyValue | undefined): Value {
  const { arrayValue, kvlistValue } = value ?? {};
  if (arrayValue !== undefined) return arrayValue.values.map(heldValue);
  if (kvlistValue !== undefined)
    return Object.fromEntries(kvlistValue.values.map(({ key, value: held }) => [key, heldValue(held)]));
  return value?.stringValue ?? value?.boolValue ?? value?.intValue ?? value?.doubleValue ?? value?.bytesValue ?? null;
}

/** An id in hex; the empty text when it is all zeros. */
export function idText(id: Uint8Array): string {
  return id.every((byte) => byte === 0) ? "" : Buffer.from(id).toString("hex");
}
