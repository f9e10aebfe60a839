import { type Attributes, type DoubleValue, double, type Key, type Value } from "../pdata/index.ts";

/** A value that keeps the difference between 2 and 2.0. */
export type TypedValue = Value | DoubleValue;

type Reader = Pick<Attributes, "value" | "int">;

/** The value of an attribute with its type; undefined when there is none. */
export function typedValue(attributes: Reader, key: Key): TypedValue | undefined {
  const value = attributes.value(key);
  if (typeof value !== "number" || attributes.int(key) !== undefined) return value;
  return double(value);
}

const doublePrototype: unknown = Object.getPrototypeOf(double(0));

function isDouble(value: TypedValue): value is DoubleValue {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === doublePrototype;
}

/** The number of a double; undefined for any other type. */
export function doubleOf(value: TypedValue): number | undefined {
  if (isDouble(value)) return value.value;
  return typeof value === "number" && !Number.isInteger(value) ? value : undefined;
}

/** The value without the mark that makes a whole number a double. */
export function plainValue(value: TypedValue): Value {
  return isDouble(value) ? value.value : value;
}

/** A value as YAML gives it. Whole numbers are integers, also when written `1.0`: YAML does not tell. */
export function valueFromYaml(raw: unknown): Value {
  if (raw === null || raw === undefined) return null;
  if (typeof raw === "string" || typeof raw === "number" || typeof raw === "boolean" || typeof raw === "bigint")
    return raw;
  if (Buffer.isBuffer(raw)) return raw;
  if (raw instanceof Uint8Array) return Buffer.from(raw);
  if (Array.isArray(raw)) return raw.map(valueFromYaml);
  if (raw instanceof Date) return raw.toISOString();
  return Object.fromEntries(Object.entries(raw).map(([key, value]) => [key, valueFromYaml(value)]));
}
