import { acceptedValues, expectedTypes, type Issue } from "./issue.ts";
import type { z } from "./schema.ts";
import { noteInside } from "./shape.ts";
import type { Tree } from "./tree.ts";

/** What to read in place of a value. An undefined `value` takes its key out, so that the default counts. */
export interface Remedy {
  readonly value: unknown;
}

/**
 * What the Collector's decoder would make of a value that a schema refuses; undefined when it refuses it as well.
 * `schemas` are what may stand there, `value` is what does, `node` says how it was written.
 *
 * - Nothing (`key:`, null) is the zero value of the type: 0, false, "". A list, a block or an optional setting keeps its
 *   default; what is nothing because a variable is empty is the empty list or block.
 * - What came whole out of a variable is its text where a string is wanted.
 * - A fraction is cut off where a whole number is wanted.
 *
 * @see Collector: `confmap/internal/decoder.go`; tried with 0.161.
 */
export function remedyFor(
  issue: Issue,
  schemas: readonly z.core.$ZodType[],
  value: unknown,
  node: Tree,
): Remedy | undefined {
  const expected = expectedTypes(issue);
  if (node.kind === "scalar" && node.value === null) return remedyForNothing(issue, schemas, expected, node.raw);
  if (node.raw !== undefined && expected.includes("string")) return { value: node.raw };
  if (expected.includes("int") && typeof value === "number") return { value: Math.trunc(value) };
  return undefined;
}

function remedyForNothing(
  issue: Issue,
  schemas: readonly z.core.$ZodType[],
  expected: readonly string[],
  raw: string | undefined,
): Remedy | undefined {
  const values = acceptedValues(issue);
  if (expected.length === 0 && values.length === 0) return undefined;
  const isOptional = schemas.some((schema) => (schema as z.core.$ZodTypes)._zod.def.type === "optional");
  if (isOptional) return { value: undefined };
  if (expected.includes("array")) return { value: raw === undefined ? undefined : [] };
  if (expected.some((type) => type === "object" || type === "record"))
    return { value: raw === undefined ? undefined : {} };
  if (values.length > 0) return { value: values.includes("") ? "" : undefined };
  const isDuration = schemas.some((schema) => noteInside(schema)?.is === "duration");
  if (expected.includes("string") && !isDuration) return { value: raw ?? "" };
  return { value: expected.includes("boolean") ? false : 0 };
}
