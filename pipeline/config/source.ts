import { readFileSync } from "node:fs";
import type { Source } from "./place.ts";

/** Where configuration texts come from: the process, or a test. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file. @throws {Error} when it cannot be read. */
  readFile(path: string): string;
}

/** The environment and files of this process. */
export function processSurroundings(): Surroundings {
  return { environment: process.env, readFile: (path) => readFileSync(path, "utf8") };
}

/**
 * A text that was asked for, or why there is none. `unset` marks a variable that is not there, `literal` a text that is
 * no YAML.
 */
export type Retrieved =
  | { readonly text: string; readonly unset?: true; readonly literal?: true }
  | { readonly failure: string; readonly advice?: string };

/** `scheme:rest`; undefined when `uri` has no scheme (one letter is a drive, not a scheme). */
export function splitUri(uri: string): { readonly scheme: string; readonly rest: string } | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(uri);
  return match === null ? undefined : { scheme: match[1] ?? "", rest: match[2] ?? "" };
}

const retrievers: Readonly<Record<string, (rest: string, from: Surroundings) => Retrieved>> = {
  env: retrieveVariable,
  file: retrieveFile,
  yaml: (rest) => ({ text: rest }),
};

/** The schemes of configuration URIs that are understood. */
export const schemes: readonly string[] = Object.keys(retrievers);

/** The text behind `uri`, which has a scheme. */
export function retrieve(uri: string, from: Surroundings): Retrieved {
  const { scheme, rest } = splitUri(uri) ?? { scheme: "", rest: uri };
  const retriever = Object.hasOwn(retrievers, scheme) ? retrievers[scheme] : undefined;
  if (retriever !== undefined) return retriever(rest, from);
  const advice = /^[A-Za-z_]\w*:-/.test(uri) ? { advice: `did you mean \${env:${uri}}?` } : {};
  if (scheme === "") return { failure: `invalid reference ${JSON.stringify(uri)}`, ...advice };
  return { failure: `scheme ${JSON.stringify(scheme)} is not supported`, ...advice };
}

/** A configuration source that `--config` names: a path, or a URI. */
export function openSource(uri: string, from: Surroundings): Source | { readonly failure: string } {
  const parts = splitUri(uri);
  const retrieved = retrieve(parts === undefined ? `file:${uri}` : uri, from);
  if ("failure" in retrieved) return { failure: retrieved.failure };
  if (retrieved.unset === true) return { failure: `environment variable ${uri.slice("env:".length)} is not set` };
  return { name: parts?.scheme === "file" ? parts.rest : uri, text: retrieved.text };
}

function retrieveVariable(rest: string, { environment }: Surroundings): Retrieved {
  const [name = "", fallback] = cut(rest, ":-");
  if (!/^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name)) {
    return {
      failure: `environment variable ${JSON.stringify(name)} has an invalid name: letters, digits and _ are allowed`,
      advice: `write $\${${rest}} for the text itself`,
    };
  }
  const text = environment[name];
  if (text !== undefined) return { text };
  if (fallback === undefined) return { text: "", unset: true };
  return fallback === "" ? { text: "", literal: true } : { text: fallback };
}

function cut(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}

function retrieveFile(path: string, from: Surroundings): Retrieved {
  try {
    return { text: from.readFile(path) };
  } catch (error) {
    return { failure: `cannot read the file ${path}: ${reason(error)}` };
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "no such file",
  EACCES: "permission denied",
  EISDIR: "it is a directory",
};

function reason(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return ("code" in error ? reasons[String(error.code)] : undefined) ?? error.message;
}
