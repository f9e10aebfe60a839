import { parseFloat64, parseInt64 } from "../../pipeline/attributes_actions/convert.ts";
import { doubleOf, plainValue, type TypedValue } from "../../pipeline/attributes_actions/typed_value.ts";
import { valueText } from "../../pipeline/attributes_actions/value_text.ts";
import { double, type Value } from "../../pipeline/pdata/index.ts";

type TargetType = "string" | "int" | "tokens" | "double" | "boolean" | "strings";

/**
 * The types of the attributes that values are mapped to; what is not listed takes any value.
 * @see GenAI semantic conventions, attribute registry (1.41).
 */
const targetTypes: Readonly<Record<string, TargetType>> = {
  "error.type": "string",
  "gen_ai.agent.name": "string",
  "gen_ai.conversation.id": "string",
  "gen_ai.operation.name": "string",
  "gen_ai.provider.name": "string",
  "gen_ai.request.choice.count": "int",
  "gen_ai.request.frequency_penalty": "double",
  "gen_ai.request.max_tokens": "int",
  "gen_ai.request.model": "string",
  "gen_ai.request.presence_penalty": "double",
  "gen_ai.request.seed": "int",
  "gen_ai.request.stop_sequences": "strings",
  "gen_ai.request.stream": "boolean",
  "gen_ai.request.temperature": "double",
  "gen_ai.request.top_k": "double",
  "gen_ai.request.top_p": "double",
  "gen_ai.response.finish_reasons": "strings",
  "gen_ai.response.id": "string",
  "gen_ai.response.model": "string",
  "gen_ai.response.time_to_first_chunk": "double",
  "gen_ai.tool.call.id": "string",
  "gen_ai.tool.description": "string",
  "gen_ai.tool.name": "string",
  "gen_ai.usage.cache_creation.input_tokens": "tokens",
  "gen_ai.usage.cache_read.input_tokens": "tokens",
  "gen_ai.usage.input_tokens": "tokens",
  "gen_ai.usage.output_tokens": "tokens",
  "gen_ai.usage.reasoning.output_tokens": "tokens",
  "gen_ai.workflow.name": "string",
};

/** `value` as the type that `target` has by the conventions; undefined when it cannot be that without a loss. */
export function coerce(target: string, value: TypedValue): TypedValue | undefined {
  const type = Object.hasOwn(targetTypes, target) ? targetTypes[target] : undefined;
  if (type === undefined) return value;
  switch (type) {
    case "string":
      return toText(value);
    case "int":
      return toInt(value);
    case "tokens":
      return tokensOf(value);
    case "double":
      return toDouble(value);
    case "boolean":
      return toBoolean(value);
    case "strings":
      return toTexts(value);
  }
}

function toText(value: TypedValue): string | undefined {
  const plain = plainValue(value);
  return typeof plain === "object" ? undefined : valueText(plain);
}

function toInt(value: TypedValue): number | bigint | undefined {
  const plain = plainValue(value);
  if (typeof plain === "string") return parseInt64(plain);
  if (typeof plain === "bigint") return plain;
  return typeof plain === "number" && Number.isSafeInteger(plain) ? plain : undefined;
}

/** A count of tokens: a whole number that is not negative. */
export function tokensOf(value: TypedValue): number | bigint | undefined {
  const tokens = toInt(value);
  return tokens !== undefined && tokens >= 0 ? tokens : undefined;
}

function toDouble(value: TypedValue): TypedValue | undefined {
  const number = numberOf(value);
  return number === undefined ? undefined : double(number);
}

/** The number that a value is or writes. */
export function numberOf(value: TypedValue): number | undefined {
  const plain = plainValue(value);
  if (typeof plain === "string") return parseFloat64(plain);
  if (typeof plain === "number" || typeof plain === "bigint") return Number(plain);
  return doubleOf(value);
}

function toBoolean(value: TypedValue): boolean | undefined {
  if (typeof value === "boolean") return value;
  if (typeof value !== "string") return undefined;
  if (/^(1|t|T|true|TRUE|True)$/.test(value)) return true;
  return /^(0|f|F|false|FALSE|False)$/.test(value) ? false : undefined;
}

function toTexts(value: TypedValue): Value | undefined {
  if (typeof value === "string") return [value];
  return Array.isArray(value) && value.every((entry) => typeof entry === "string") ? value : undefined;
}
