import type { z } from "./schema.ts";
import type { Path } from "./tree.ts";

/** A complaint of a schema: where, relative to what was decoded, and which. */
export type Issue = z.core.$ZodIssue;

/** The path of an issue as ours: zod's may hold symbols, which YAML cannot. */
export function issuePath(issue: { readonly path: readonly PropertyKey[] }): Path {
  return issue.path.map((segment) => (typeof segment === "number" ? segment : String(segment)));
}

/**
 * An issue about a union as the issues of the alternative that was meant: the one that complains furthest inside, and
 * of those the one that complains least. An issue that no alternative explains better stays as it is.
 */
export function meantIssues(issue: Issue): readonly Issue[] {
  if (issue.code !== "invalid_union" || issue.errors.length === 0) return [issue];
  const alternatives = issue.errors.map((issues) => issues.flatMap(meantIssues));
  const deeper = alternatives.filter((issues) => issues.every((inner) => inner.path.length > 0 || !isTypeIssue(inner)));
  const [best] = deeper.toSorted((left, right) => depth(right) - depth(left) || left.length - right.length);
  if (best === undefined) return [issue];
  return best.map((inner) => ({ ...inner, path: [...issue.path, ...inner.path] }));
}

function isTypeIssue(issue: Issue): boolean {
  return issue.code === "invalid_type";
}

function depth(issues: readonly Issue[]): number {
  return Math.max(...issues.map((issue) => issue.path.length));
}

/** The types an issue says it would take: `["string", "number"]`; empty when it is not about types. */
export function expectedTypes(issue: Issue): readonly string[] {
  if (issue.code === "invalid_type") return [issue.expected];
  if (issue.code !== "invalid_union") return [];
  const roots = issue.errors.flat().filter((inner) => inner.path.length === 0);
  return [...new Set(roots.flatMap(expectedTypes))];
}

/** The values an enumeration accepts, as text; empty when the issue is not about one. */
export function acceptedValues(issue: Issue): readonly string[] {
  if (issue.code === "invalid_value") return issue.values.map(String);
  if (issue.code === "invalid_union" && "options" in issue && Array.isArray(issue.options))
    return issue.options.map(String);
  return [];
}

/**
 * What is wrong, in lower case and without the path. `value` is what was found; `mayShow` is false for what came out of
 * a variable, which may be a secret.
 */
export function issueMessage(issue: Issue, value: unknown, mayShow: boolean): string {
  const shown = mayShow ? ` ${JSON.stringify(value)}` : "";
  if (acceptedValues(issue).length > 0) return value === undefined ? "missing" : `unknown value${shown}`;
  const expected = expectedTypes(issue);
  if (expected.length > 0) return `expected ${expected.map(typeName).join(" or ")}, got ${describe(value)}`;
  switch (issue.code) {
    case "too_small":
      return tooSmall(issue);
    case "too_big":
      return tooBig(issue);
    case "not_multiple_of":
      return `must be a multiple of ${issue.divisor}`;
    case "invalid_format":
      return `${JSON.stringify(issue.format)} expected, got${mayShow ? shown : " something else"}`;
    case "invalid_key":
      return issue.issues.map((inner) => inner.message).join("; ") || "invalid key";
    case "custom":
      return issue.message;
    default:
      return issue.message.charAt(0).toLowerCase() + issue.message.slice(1);
  }
}

const typeNames: Readonly<Record<string, string>> = {
  string: "a string",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  array: "a list",
  object: "a mapping",
  record: "a mapping",
  null: "nothing",
};

function typeName(expected: string): string {
  return typeNames[expected] ?? expected;
}

function describe(value: unknown): string {
  if (value === undefined || value === null) return "nothing";
  if (Array.isArray(value)) return "a list";
  switch (typeof value) {
    case "number":
      return Number.isInteger(value) ? "a number" : `the number ${value}`;
    case "object":
      return "a mapping";
    default:
      return `a ${typeof value}`;
  }
}

function tooSmall({ origin, minimum, inclusive }: z.core.$ZodIssueTooSmall): string {
  if (origin === "string") return minimum === 1 ? "must not be empty" : `must have at least ${minimum} characters`;
  if (origin === "array") return minimum === 1 ? "must not be empty" : `must have at least ${minimum} entries`;
  return inclusive === false ? `must be greater than ${minimum}` : `must be at least ${minimum}`;
}

function tooBig({ origin, maximum, inclusive }: z.core.$ZodIssueTooBig): string {
  if (origin === "string") return `must have at most ${maximum} characters`;
  if (origin === "array") return `must have at most ${maximum} entries`;
  return inclusive === false ? `must be less than ${maximum}` : `must be at most ${maximum}`;
}
