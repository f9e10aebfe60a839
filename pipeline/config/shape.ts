import { laterSchemaOf, type Note, noteOf, z } from "./schema.ts";
import type { Path } from "./tree.ts";

type Schema = z.core.$ZodType;

/** One step from a wrapper (optional, default, a transform…) to what it accepts; undefined for what is no wrapper. */
export function unwrapOnce(schema: Schema): Schema | undefined {
  const note = noteOf(schema);
  if (note?.is === "block") return note.block;
  const later = laterSchemaOf(schema);
  if (later !== undefined) return later;
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return def.innerType;
    case "pipe":
      return (def.in as z.core.$ZodTypes)._zod.def.type === "transform" ? def.out : def.in;
    case "lazy":
      return def.getter();
    default:
      return undefined;
  }
}

/** The schema inside all wrappers: an object, an array, a union, a string… */
export function unwrap(schema: Schema): z.core.$ZodTypes {
  const inner = unwrapOnce(schema);
  return inner === undefined ? (schema as z.core.$ZodTypes) : unwrap(inner);
}

/** The note of `schema` or of the outermost of its wrappers that has one. */
export function noteInside(schema: Schema): Note | undefined {
  const inner = unwrapOnce(schema);
  return noteOf(schema) ?? (inner === undefined ? undefined : noteInside(inner));
}

/** Whether one of the wrappers of `schema` is an optional block, which accepts `enabled` too. */
export function isBlock(schema: Schema): boolean {
  return noteInside(schema)?.is === "block";
}

/**
 * The schemas that say what may stand at `path` of `value`: several behind a union, none where nothing is accepted.
 * An alternative whose discriminator (`type: latency`) is not that of the value is left out.
 */
export function schemasAt(schema: Schema, path: Path, value: unknown): readonly Schema[] {
  const { def } = unwrap(schema)._zod;
  const [segment, ...rest] = path;
  if (segment === undefined && !("discriminator" in def)) return [schema];
  if (def.type === "union") return meantOptions(def, value).flatMap((option) => schemasAt(option, path, value));
  if (segment === undefined) return [schema];
  const inner = (value as Readonly<Record<string | number, unknown>> | null | undefined)?.[segment];
  const child = childSchema(schema, segment);
  return child === undefined ? [] : schemasAt(child, rest, inner);
}

function meantOptions(def: z.core.$ZodUnionDef, value: unknown): readonly Schema[] {
  if (!("discriminator" in def)) return def.options;
  const key = String(def.discriminator);
  const meant = def.options.filter((option) => {
    const tag = childSchema(option, key);
    return (
      tag !== undefined && z.safeParse(tag, (value as Readonly<Record<string, unknown>> | undefined)?.[key]).success
    );
  });
  return meant.length > 0 ? meant : def.options;
}

/** What `schema`, an object, list or record inside its wrappers, accepts below `segment`. Not for unions. */
export function childSchema(schema: Schema, segment: string | number): Schema | undefined {
  const { def } = unwrap(schema)._zod;
  switch (def.type) {
    case "object":
      return Object.hasOwn(def.shape, segment) ? def.shape[segment] : def.catchall;
    case "array":
      return def.element;
    case "record":
      return def.valueType;
    case "intersection":
      return childSchema(def.left, segment) ?? childSchema(def.right, segment);
    default:
      return undefined;
  }
}

/** The keys a mapping may have by `schema`, in the order of the schema; empty when any key may stand there, or none. */
export function acceptedKeys(schema: Schema): readonly string[] {
  const keys = objectKeys(schema);
  return isBlock(schema) ? ["enabled", ...keys] : keys;
}

function objectKeys(schema: Schema): readonly string[] {
  const { def } = unwrap(schema)._zod;
  switch (def.type) {
    case "object":
      return Object.keys(def.shape);
    case "union":
      return [...new Set(def.options.flatMap(acceptedKeys))];
    case "intersection":
      return [...new Set([def.left, def.right].flatMap(acceptedKeys))];
    default:
      return [];
  }
}
