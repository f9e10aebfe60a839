import { type Field, failedField, fieldName, isTextField, parseField } from "./fields.ts";

/** A column of the result, as a config writes it: `count`, `sum(gen_ai.usage.output_tokens)`, `quantile(duration, 0.95)`. */
export type Expression =
  | { readonly fn: "count" }
  | { readonly fn: FieldFunction; readonly field: Field }
  | { readonly fn: "quantile"; readonly field: Field; readonly q: number };

type FieldFunction = "count" | "sum" | "mean" | "min" | "max" | "std" | "nunique";

const fieldFunctions: ReadonlyMap<string, FieldFunction> = new Map([
  ["count", "count"],
  ["sum", "sum"],
  ["mean", "mean"],
  ["min", "min"],
  ["max", "max"],
  ["std", "std"],
  ["nunique", "nunique"],
  ["distinct_count", "nunique"],
]);

const forms =
  "count, count(field), sum(field), mean(field), min(field), max(field), std(field), nunique(field), quantile(field, q), error_rate";

/**
 * The aggregation that `text` names.
 * @throws {Error} saying what is wrong and which forms there are.
 */
export function parseExpression(text: string): Expression {
  const call = /^\s*([a-z_]\w*)\s*(?:\((.*)\))?\s*$/is.exec(text);
  if (call === null) throw new Error(`"${text}" is not an aggregation: use one of ${forms}`);
  const [, name = "", inside] = call;
  const parameters = inside === undefined || inside.trim() === "" ? [] : inside.split(",").map((part) => part.trim());
  if (name === "error_rate") return errorRate(text, parameters);
  if (name === "count" && parameters.length === 0) return { fn: "count" };
  if (name === "quantile") return quantile(text, parameters);
  const fn = fieldFunctions.get(name);
  if (fn === undefined) throw new Error(`unknown aggregation "${name}": use one of ${forms}`);
  return { fn, field: onlyField(text, name, fn, parameters) };
}

function errorRate(text: string, parameters: readonly string[]): Expression {
  if (parameters.length > 0)
    throw new Error(`"${text}": error_rate takes nothing, it is the share of spans with status ERROR`);
  return { fn: "mean", field: failedField };
}

function quantile(text: string, parameters: readonly string[]): Expression {
  const [name, q] = parameters;
  if (parameters.length !== 2 || name === undefined || q === undefined) {
    throw new Error(`"${text}": quantile takes a field and a number from 0 to 1, as in quantile(duration, 0.95)`);
  }
  const share = q === "" ? Number.NaN : Number(q);
  if (!(share >= 0 && share <= 1)) throw new Error(`"${text}": ${JSON.stringify(q)} is not a number from 0 to 1`);
  return { fn: "quantile", field: numberField(text, "quantile", name), q: share };
}

function onlyField(text: string, name: string, fn: FieldFunction, parameters: readonly string[]): Field {
  const [parameter] = parameters;
  if (parameter === undefined || parameters.length !== 1)
    throw new Error(`"${text}": ${name} takes one field, as in ${name}(duration)`);
  return fn === "count" || fn === "nunique" ? parseField(parameter) : numberField(text, name, parameter);
}

function numberField(text: string, fn: string, parameter: string): Field {
  const field = parseField(parameter);
  if (isTextField(field)) throw new Error(`"${text}": ${fieldName(field)} is text, and ${fn} needs a number`);
  return field;
}

/** The unit of an expression's values, in UCUM as OpenTelemetry writes it; empty when the field does not tell. */
export function unitOf(expression: Expression): string {
  if (expression.fn === "count") return "{span}";
  if (expression.fn === "nunique") return "{value}";
  const { field } = expression;
  if (field === failedField) return "1";
  const name = fieldName(field);
  if (name === "duration") return "ms";
  if (name === "event_count") return "{event}";
  return name.endsWith("_tokens") ? "{token}" : "";
}
