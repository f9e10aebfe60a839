import { type Signal, signals } from "../pdata/signal.ts";

/** A component id or pipeline id in its parts. */
export interface Id {
  /** `type` or `type/name`, both trimmed. */
  readonly text: string;
  readonly type: string;
  /** Undefined without a `/`. */
  readonly name?: string;
}

const maximumNameLength = 1024;

/**
 * Cuts `text` at its first `/` and trims both parts. A type is a letter and up to 62 letters, digits or `_`; a name has
 * no separators, control characters or symbols.
 *
 * @returns the id, or a sentence that says what is wrong with it.
 * @see Collector: `component/identifiable.go`.
 */
export function parseId(text: string): Id | string {
  const id = splitId(text);
  if (typeof id === "string") return id;
  if (!/^[a-zA-Z][0-9a-zA-Z_]{0,62}$/.test(id.type)) return `invalid character(s) in type ${JSON.stringify(id.type)}`;
  return id;
}

/** The same for a pipeline id, whose type is a signal. */
export function parsePipelineId(text: string): (Id & { readonly signal: Signal }) | string {
  const id = splitId(text);
  if (typeof id === "string") return id;
  const signal = signals.find((candidate) => candidate === id.type);
  return signal === undefined ? `unknown pipeline signal: ${JSON.stringify(id.type)}` : { ...id, signal };
}

function splitId(text: string): Id | string {
  if (text.trim() === "") return "id must not be empty";
  const slash = text.indexOf("/");
  const type = (slash < 0 ? text : text.slice(0, slash)).trim();
  if (type === "") return `in ${JSON.stringify(text)} id: the part before / should not be empty`;
  if (slash < 0) return { text: type, type };
  const name = text.slice(slash + 1).trim();
  if (name === "") return `in ${JSON.stringify(text)} id: the part after / should not be empty`;
  const length = [...name].length;
  if (length > maximumNameLength) {
    return `name ${JSON.stringify(name)} is longer than ${maximumNameLength} characters (${length} characters)`;
  }
  if (/[\p{Z}\p{C}\p{S}]/u.test(name)) return `invalid character(s) in name ${JSON.stringify(name)}`;
  return { text: `${type}/${name}`, type, name };
}
