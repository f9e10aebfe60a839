import { acceptedValues, expectedTypes, type Issue, issueMessage, issuePath, meantIssues } from "./issue.ts";
import { remedyFor } from "./mend.ts";
import type { Problem } from "./problem.ts";
import type { z } from "./schema.ts";
import { acceptedKeys, schemasAt } from "./shape.ts";
import { didYouMean } from "./suggest.ts";
import { keyPlaceAt, type Path, pathText, plainOf, type Tree, treeAt, valuePlaceAt } from "./tree.ts";

/** How problems speak of what is decoded. */
export interface Subject {
  /** Where it stands in the whole configuration. */
  readonly path: Path;
  /** What the list of accepted keys names it: the component's type. */
  readonly name: string;
  /** The last line of a problem: where to read on. */
  readonly help?: string;
}

/** Settings read by a schema, or everything that is wrong with them. */
export interface Decoded<T> {
  /** Undefined when there are problems. */
  readonly value: T | undefined;
  /** What the schema read: the settings as written, values that the schema would not take mended. */
  readonly settings: unknown;
  readonly problems: readonly Problem[];
}

/**
 * Reads `tree` by `schema`, and finds everything wrong with it at once: unknown keys are reported and taken out, so
 * that checks across fields still run.
 *
 * What the Collector's decoder takes and a schema does not is mended first (`remedyFor`).
 */
export function decode<S extends z.ZodType>(schema: S, tree: Tree, subject: Subject): Decoded<z.output<S>> {
  const root: Root = { value: plainOf(tree) };
  const mended = new Set<string>();
  const problems: Problem[] = [];
  for (;;) {
    const result = schema.safeParse(root.value);
    const settings = root.value;
    if (result.success) return { value: problems.length === 0 ? result.data : undefined, settings, problems };
    const issues = result.error.issues.flatMap((issue) => (isMendable(issue, tree) ? [issue] : meantIssues(issue)));
    const again = issues.filter((issue) => mend(schema, root, tree, issue, mended));
    const unknown = issues.filter((issue) => issue.code === "unrecognized_keys");
    problems.push(...unknown.flatMap((issue) => unknownKeys(schema, tree, issue, subject)));
    unknown.forEach((issue) => void removeKeys(root, issue));
    if (again.length > 0 || unknown.length > 0) continue;
    problems.push(...issues.map((issue) => problemOf(schema, tree, root, issue, subject)));
    return { value: undefined, settings, problems };
  }
}

/** What is parsed, in a box so that the whole can be replaced too. */
interface Root {
  value: unknown;
}

/** Whether a union's issue is about its value as a whole, which a remedy may replace. */
function isMendable(issue: Issue, tree: Tree): boolean {
  const node = treeAt(tree, issuePath(issue));
  const isNothing = node?.kind === "scalar" && node.value === null;
  return expectedTypes(issue).length > 0 && node !== undefined && (node.raw !== undefined || isNothing);
}

/** Mends one value the first time it is complained about. Says whether it changed anything. */
function mend(schema: z.ZodType, root: Root, tree: Tree, issue: Issue, mended: Set<string>): boolean {
  const path = issuePath(issue);
  const key = JSON.stringify(path);
  const node = treeAt(tree, path);
  if (node === undefined || mended.has(key)) return false;
  mended.add(key);
  const remedy = remedyFor(issue, schemasAt(schema, path, root.value), valueAt(root.value, path), node);
  return remedy !== undefined && replace(root, path, remedy.value);
}

/** Puts `value` at `path`, or takes the key out when it is undefined. Says whether there was something to change. */
function replace(root: Root, path: Path, value: unknown): boolean {
  const last = path.at(-1);
  if (last === undefined) {
    root.value = value;
    return true;
  }
  const parent = containerAt(root.value, path.slice(0, -1));
  if (parent === undefined || (value === undefined && Array.isArray(parent))) return false;
  if (value === undefined) delete parent[last];
  else parent[last] = value;
  return true;
}

function containerAt(value: unknown, path: Path): Record<string | number, unknown> | undefined {
  const container = valueAt(value, path);
  return typeof container === "object" && container !== null ? (container as Record<string, unknown>) : undefined;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (node, segment) => (node as Record<string, unknown> | null | undefined)?.[segment],
    value,
  );
}

function removeKeys(root: Root, issue: Issue): void {
  if (issue.code !== "unrecognized_keys") return;
  for (const key of issue.keys) replace(root, [...issuePath(issue), key], undefined);
}

function unknownKeys(schema: z.ZodType, tree: Tree, issue: Issue, subject: Subject): Problem[] {
  if (issue.code !== "unrecognized_keys") return [];
  const path = issuePath(issue);
  const accepted = [...new Set(schemasAt(schema, path, plainOf(tree)).flatMap(acceptedKeys))];
  return issue.keys.map((key) => ({
    place: keyPlaceAt(tree, [...path, key]),
    path: [...subject.path, ...path],
    message: `unknown key ${JSON.stringify(key)}`,
    ...didYouMean(key, accepted),
    notes: notes(subject, acceptsLine(nameOf(path, subject), accepted)),
  }));
}

function problemOf(schema: z.ZodType, tree: Tree, root: Root, issue: Issue, subject: Subject): Problem {
  const path = issuePath(issue);
  const node = treeAt(tree, path);
  const value = valueAt(root.value, path);
  if (value === undefined && path.length > 0 && issue.code !== "custom") return missing(schema, tree, path, subject);
  const accepted = acceptedValues(issue);
  const mayShow = node?.fromReference !== true && typeof value !== "object";
  return {
    place: issue.code === "invalid_key" ? keyPlaceAt(tree, path) : valuePlaceAt(tree, path),
    path: [...subject.path, ...path],
    message: hidden(issueMessage(issue, value, mayShow), value, mayShow),
    ...(typeof value === "string" && mayShow ? hintFor(value, issue, accepted) : {}),
    notes: notes(subject, acceptsLine(nameOf(path, subject), accepted)),
  };
}

/** A message of a component's own check may quote the value; one that came out of a reference is not shown. */
function hidden(message: string, value: unknown, mayShow: boolean): string {
  if (mayShow || typeof value !== "string" || value === "") return message;
  const quoted = message.replaceAll(JSON.stringify(value), '"…"');
  return value.length > 3 ? quoted.replaceAll(value, "…") : quoted;
}

function hintFor(value: string, issue: Issue, accepted: readonly string[]): { readonly hint?: string } {
  if (!expectedTypes(issue).includes("boolean")) return didYouMean(value, accepted);
  const meant = new Map([
    ["yes", true],
    ["on", true],
    ["true", true],
    ["no", false],
    ["off", false],
    ["false", false],
  ]);
  const boolean = meant.get(value.toLowerCase());
  return boolean === undefined ? {} : { hint: `write ${boolean} without quotes` };
}

function missing(schema: z.ZodType, tree: Tree, path: Path, subject: Subject): Problem {
  const parent = path.slice(0, -1);
  const accepted = [...new Set(schemasAt(schema, parent, plainOf(tree)).flatMap(acceptedKeys))];
  return {
    place: keyPlaceAt(tree, path),
    path: [...subject.path, ...parent],
    message: `${JSON.stringify(path.at(-1))} is required`,
    notes: notes(subject, acceptsLine(nameOf(parent, subject), accepted)),
  };
}

function acceptsLine(name: string, accepted: readonly string[]): string | undefined {
  return accepted.length === 0 ? undefined : `${name} accepts: ${accepted.map((value) => value || '""').join(", ")}`;
}

function notes({ help }: Subject, line: string | undefined): readonly string[] {
  return [line, help].filter((text) => text !== undefined);
}

/** The innermost name on the way: that of a key, or of the subject itself. */
function nameOf(path: Path, subject: Subject): string {
  const at = path.findLastIndex((segment) => typeof segment === "string");
  return at < 0 ? subject.name : pathText(path.slice(at));
}
