import { readFileSync } from "node:fs";
import { messageOf } from "../error_text.ts";
import type { Source } from "./place.ts";

/** Where configuration texts come from: the process, or a test. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The text of a file. @throws {Error} when it cannot be read. */
  readFile(path: string): string;
  /** The text behind an `http:` or `https:` URL. Rejects when it cannot be had. Absent where there is no network. */
  download?(url: string): Promise<string>;
  /** What was downloaded so far; set by `withDownloads`. */
  readonly remote?: Remote;
}

/** Texts from the network, for code that cannot wait. */
interface Remote {
  readonly fetched: Map<string, Retrieved>;
  /** URLs that were asked for and are not there yet. */
  readonly wanted: Set<string>;
}

/** The environment, files and network of this process. */
export function processSurroundings(): Surroundings {
  return {
    environment: process.env,
    readFile: (path) => readFileSync(path, "utf8"),
    download: async (url) => (await import("./download.ts")).download(url, process.env),
  };
}

/** A source by its URI or path, or by its URI with another name for errors. */
export type ConfigSource = string | { readonly uri: string; readonly name: string };

/**
 * A text that was asked for, or why there is none. `unset` marks a variable that is not there, `literal` a text that is
 * no YAML.
 */
export type Retrieved =
  | { readonly text: string; readonly unset?: true; readonly literal?: true }
  | { readonly failure: string; readonly advice?: string };

/** More documents than anybody splits a configuration into: one that names the next without end, most likely. */
const maximumDownloads = 100;

/**
 * What `read` gives once everything from the network that it asks for is there: it is run again after each download, so
 * it must be free of side effects. Costs nothing for a configuration that is all local.
 *
 * @throws what the last run of `read` throws.
 */
export async function withDownloads<T>(from: Surroundings, read: (from: Surroundings) => T): Promise<T> {
  const remote: Remote = { fetched: new Map(), wanted: new Set() };
  for (;;) {
    const outcome = attempt(() => read({ ...from, remote }));
    if (remote.wanted.size === 0) return outcome();
    const room = Math.max(0, maximumDownloads - remote.fetched.size);
    const wanted = [...remote.wanted];
    remote.wanted.clear();
    const retrieved = await Promise.all(wanted.map((url, index) => retrieveUrl(url, index < room, from)));
    for (const [index, url] of wanted.entries()) remote.fetched.set(url, retrieved[index] ?? { text: "" });
  }
}

function attempt<T>(read: () => T): () => T {
  try {
    const value = read();
    return () => value;
  } catch (error) {
    return () => {
      throw error;
    };
  }
}

async function retrieveUrl(url: string, isRoom: boolean, from: Surroundings): Promise<Retrieved> {
  const failed = (why: string) => ({ failure: `cannot fetch ${withoutPassword(url)}: ${why}` });
  if (!isRoom) return failed(`more than ${maximumDownloads} documents`);
  if (from.download === undefined) return failed("no network");
  try {
    return { text: await from.download(url) };
  } catch (error) {
    return failed(messageOf(error));
  }
}

/** `url` as it may be shown: what stands before an `@` is a secret. */
function withoutPassword(url: string): string {
  return url.replace(/^(\w+:\/\/)[^/?#]*@/, "$1…@");
}

/** `scheme:rest`; undefined when `uri` has no scheme (one letter is a drive, not a scheme). */
export function splitUri(uri: string): { readonly scheme: string; readonly rest: string } | undefined {
  const match = /^([A-Za-z][A-Za-z0-9+.-]+):(.*)$/s.exec(uri);
  return match === null ? undefined : { scheme: match[1] ?? "", rest: match[2] ?? "" };
}

const retrievers: Readonly<Record<string, (rest: string, from: Surroundings) => Retrieved>> = {
  env: retrieveVariable,
  file: retrieveFile,
  http: (rest, from) => fetched(`http:${rest}`, from),
  https: (rest, from) => fetched(`https:${rest}`, from),
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

/** What errors and the dashboard call a source: its path, its URI without a password, or its own name. */
export function sourceName(asked: ConfigSource): string {
  if (typeof asked !== "string") return asked.name;
  return asked.startsWith("file:") ? asked.slice("file:".length) : withoutPassword(asked);
}

/**
 * A configuration source that `--config` names: a path, or a URI. A variable that is not set is an empty document, with
 * a warning.
 */
export function openSource(
  asked: ConfigSource,
  from: Surroundings,
): { readonly source: Source; readonly warning?: string } | { readonly failure: string } {
  const uri = typeof asked === "string" ? asked : asked.uri;
  const isPath = !uri.includes(":") || /^[A-z]:/.test(uri);
  const parts = isPath ? { scheme: "file", rest: uri } : splitUri(uri);
  if (parts === undefined) return { failure: `invalid URI ${JSON.stringify(uri)}: it begins with no scheme` };
  const retrieved = retrieve(`${parts.scheme}:${parts.rest}`, from);
  if ("failure" in retrieved) return { failure: retrieved.failure };
  const source = { name: sourceName(asked), text: retrieved.text };
  return retrieved.unset === true ? { source, warning: `environment variable ${parts.rest} is not set` } : { source };
}

/** What was downloaded from `url`; nothing for now if it has not been yet. */
function fetched(url: string, { remote }: Surroundings): Retrieved {
  const known = remote?.fetched.get(url);
  if (known === undefined) remote?.wanted.add(url);
  return known ?? { text: "" };
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
