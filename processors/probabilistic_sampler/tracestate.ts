import { type Bits56, fromHex, thresholdText, toHex } from "./bits56.ts";

/** What a tracestate says about sampling, and what else it holds. */
export interface TraceState {
  /** `rv` as it came, and its value. */
  readonly randomness: { readonly text: string; readonly bits: Bits56 } | undefined;
  /** `th`. */
  readonly threshold: Bits56 | undefined;
  /** Other members of the `ot` entry, as `key:value`. */
  readonly otherFields: readonly string[];
  /** Entries of other vendors, as `key=value`. */
  readonly otherEntries: readonly string[];
}

export const emptyTraceState: TraceState = {
  randomness: undefined,
  threshold: undefined,
  otherFields: [],
  otherEntries: [],
};

const lower = "[a-z]";
const rest = "[a-z0-9_*/-]*";
const entry = new RegExp(`^(?:${lower}${rest}|[a-z0-9]${rest}@${lower}${rest})=[ -+\\--<>-~]{0,255}[!-+\\--<>-~]$`);
const otelFields = /^[a-z][a-z0-9]*:[a-zA-Z0-9._-]*(?:;[a-z][a-z0-9]*:[a-zA-Z0-9._-]*)*$/;

/**
 * Reads a W3C tracestate.
 * @throws {Error} when it breaks the rules of W3C or of OpenTelemetry: syntax, sizes, a bad `rv` or `th`.
 */
export function parseTraceState(text: string): TraceState {
  if (text === "") return emptyTraceState;
  if (text.length > 1024) throw new Error("invalid tracestate size");
  const entries = text.split(",").map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ""));
  if (entries.length > 32) throw new Error("invalid tracestate size");
  const filled = entries.filter((part) => part !== "");
  for (const part of filled) checkEntry(part);
  const otel = filled.filter((part) => part.startsWith("ot="));
  const otherEntries = filled.filter((part) => !part.startsWith("ot="));
  const last = otel.at(-1);
  return { ...(last === undefined ? emptyTraceState : parseOtel(last.slice(3))), otherEntries };
}

function checkEntry(part: string): void {
  if (!entry.test(part)) throw new Error("invalid syntax");
  const key = part.slice(0, part.indexOf("="));
  const [tenant = "", system = ""] = key.includes("@") ? key.split("@") : ["", ""];
  if (key.length > 256 || tenant.length > 241 || system.length > 14) throw new Error("invalid tracestate size");
}

function parseOtel(value: string): TraceState {
  if (value.length > 256) throw new Error("invalid tracestate size");
  if (!otelFields.test(value)) throw new Error("invalid syntax");
  const state: { -readonly [K in keyof TraceState]: TraceState[K] } = { ...emptyTraceState };
  const otherFields: string[] = [];
  for (const field of value.split(";")) {
    const content = field.slice(field.indexOf(":") + 1);
    if (field.startsWith("rv:")) state.randomness = { text: content, bits: parseRandomness(content) };
    else if (field.startsWith("th:")) state.threshold = parseThreshold(content);
    else otherFields.push(field);
  }
  return { ...state, otherFields };
}

/** @throws {Error} unless it is fourteen hex digits. */
export function parseRandomness(text: string): Bits56 {
  if (text.length !== 14) throw new Error("r-value must have 14 hex digits");
  return hexOrThrow(text);
}

/** @throws {Error} unless it is one to fourteen hex digits. */
export function parseThreshold(text: string): Bits56 {
  if (text === "") throw new Error("t-value is empty");
  if (text.length > 14) throw new Error("t-value exceeds 14 hex digits");
  return hexOrThrow(text);
}

function hexOrThrow(text: string): Bits56 {
  const bits = fromHex(text);
  if (bits === undefined) throw new Error(`parsing ${JSON.stringify(text)}: invalid syntax`);
  return bits;
}

/**
 * Writes a tracestate with the given sampling fields: `ot` first and in it `rv`, `th`, then what else was there.
 * Without `randomness` the one that came stays.
 */
export function formatTraceState(
  state: TraceState,
  randomness: Bits56 | undefined,
  threshold: Bits56 | undefined,
): string {
  const rv = randomness === undefined ? state.randomness?.text : toHex(randomness);
  const fields = [
    ...(rv === undefined ? [] : [`rv:${rv}`]),
    ...(threshold === undefined ? [] : [`th:${thresholdText(threshold)}`]),
    ...state.otherFields,
  ];
  return [...(fields.length === 0 ? [] : [`ot=${fields.join(";")}`]), ...state.otherEntries].join(",");
}
