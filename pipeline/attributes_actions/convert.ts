import { double } from "../pdata/index.ts";
import { doubleOf, plainValue, type TypedValue } from "./typed_value.ts";
import { valueText } from "./value_text.ts";

export type ConvertedType = "int" | "double" | "string";

/**
 * The value as another type; undefined when it cannot be that, and is left alone.
 * Doubles lose their fraction on the way to int, booleans are 1 and 0, texts must be whole numbers or numbers.
 */
export function convert(value: TypedValue, type: ConvertedType): TypedValue | undefined {
  switch (type) {
    case "string":
      return valueText(plainValue(value));
    case "int":
      return toInt(value);
    case "double":
      return toDouble(value);
  }
}

function toInt(value: TypedValue): TypedValue | undefined {
  const fraction = doubleOf(value);
  if (fraction !== undefined) return inInt64(fraction) ? BigInt(Math.trunc(fraction)) : undefined;
  if (typeof value === "boolean") return value ? 1 : 0;
  if (typeof value === "string") return parseInt64(value);
  return typeof value === "number" || typeof value === "bigint" ? value : undefined;
}

function toDouble(value: TypedValue): TypedValue | undefined {
  if (doubleOf(value) !== undefined) return value;
  if (typeof value === "boolean" || typeof value === "number" || typeof value === "bigint")
    return double(Number(value));
  if (typeof value !== "string") return undefined;
  const parsed = parseFloat64(value);
  return parsed === undefined ? undefined : double(parsed);
}

function inInt64(value: number): boolean {
  return value >= -(2 ** 63) && value < 2 ** 63;
}

/** A decimal integer of 64 bits, or undefined. @see Go `strconv.ParseInt`. */
export function parseInt64(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined;
  const value = BigInt(text.replace(/^\+/, ""));
  return value === BigInt.asIntN(64, value) ? value : undefined;
}

/** A number in decimal or scientific form, or an infinity or NaN by name; undefined for anything else. */
export function parseFloat64(text: string): number | undefined {
  if (/^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(text)) {
    const value = Number(text);
    return Number.isFinite(value) ? value : undefined;
  }
  const special = /^([+-]?)(inf|infinity|nan)$/i.exec(text);
  if (special === null) return undefined;
  if (special[2]?.toLowerCase() === "nan") return special[1] === "" ? Number.NaN : undefined;
  return special[1] === "-" ? -Infinity : Infinity;
}
