import { signals } from "../pdata/signal.ts";
import { type Section, sections } from "../registry.ts";
import type { Definitions } from "./describe.ts";
import { laterSchemaOf, noteOf, z } from "./schema.ts";
import { serviceConfig } from "./service.ts";

/** A JSON Schema, as plain data. */
export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** What stands where a value of another type is expected: a reference that becomes one. */
const referencePattern = "\\$\\{.*\\}";

/**
 * The JSON Schema (draft 2020-12) of a whole configuration, for editors: every component's settings under `$defs` as
 * `<section>.<type>`, with descriptions and defaults. Numbers, booleans and enumerations may also be written as `${…}`.
 */
export function configJsonSchema(definitions: Definitions): JsonSchema {
  const properties = Object.fromEntries(sections.map((section) => [section, sectionSchema(section, definitions)]));
  const components = sections.flatMap((section) =>
    definitions[section].map((definition) => [
      `${section}.${definition.type}`,
      {
        title: `${definition.type} ${definition.kind}`,
        description: definition.summary,
        ...settingsSchema(definition.config, `${section}.${definition.type}`),
      },
    ]),
  );
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "otelpipe configuration",
    type: "object",
    properties: { ...properties, service: serviceSchema() },
    additionalProperties: false,
    $defs: Object.fromEntries(components),
  };
}

function sectionSchema(section: Section, definitions: Definitions): JsonSchema {
  const names = definitions[section].flatMap(({ type, aliases = [], summary }) => [
    { name: type, type, extra: { description: summary } },
    ...aliases.map((name) => ({ name, type, extra: { description: `Old name of ${type}.`, deprecated: true } })),
  ]);
  const reference = (type: string) => ({ $ref: `#/$defs/${section}.${type}` });
  return {
    description: `The ${section}, by id: \`type\` or \`type/name\`.`,
    type: ["object", "null"] as never,
    properties: Object.fromEntries(names.map(({ name, type, extra }) => [name, { ...reference(type), ...extra }])),
    patternProperties: Object.fromEntries(names.map(({ name, type }) => [`^\\s*${name}\\s*(/.*)?$`, reference(type)])),
    additionalProperties: false,
  };
}

function serviceSchema(): JsonSchema {
  const schema = settingsSchema(serviceConfig, "service");
  const { pipelines } = schema.properties as Record<"pipelines", JsonSchema>;
  const { additionalProperties: pipeline, propertyNames: _any, ...rest } = pipelines;
  const byName = Object.fromEntries(signals.map((signal) => [signal, pipeline]));
  const named = Object.fromEntries(signals.map((signal) => [`^\\s*${signal}\\s*/.+$`, pipeline]));
  const strict = { ...rest, properties: byName, patternProperties: named, additionalProperties: false };
  return { ...schema, properties: { ...schema.properties, pipelines: strict as JsonSchema } };
}

/** The schema of one component's settings. Empty settings (null) mean its defaults. */
function settingsSchema(settings: z.ZodType, name: string): JsonSchema {
  const schema = toJsonSchema(settings);
  return orNull(moveReferences(schema, `#/$defs/${name}`) as JsonSchema);
}

function toJsonSchema(schema: z.ZodType): JsonSchema {
  const { $schema: _draft, ...json } = z.toJSONSchema(schema, {
    io: "input",
    unrepresentable: "any",
    override: ({ zodSchema, jsonSchema }) => refine(zodSchema, jsonSchema),
  });
  return json as JsonSchema;
}

/** Adds what zod does not know of a schema: optional blocks, durations, and that `${…}` may stand for a value. */
function refine(schema: z.core.$ZodTypes, json: JsonSchema): void {
  const note = noteOf(schema);
  const later = laterSchemaOf(schema);
  if (later !== undefined) Object.assign(json, toJsonSchema(later), describedLike(json));
  if (note?.is === "block") Object.assign(json, blockSchema(note.block), describedLike(json));
  if (note?.is === "duration") Object.assign(json, { examples: ["200ms", "1m30s"] });
  if (note?.is === "secret") Object.assign(json, { writeOnly: true });
  if (json.type === "number" || json.type === "integer" || json.type === "boolean") {
    if (json.maximum === Number.MAX_SAFE_INTEGER) delete json.maximum;
    if (json.minimum === Number.MIN_SAFE_INTEGER) delete json.minimum;
    Object.assign(json, { type: [json.type, "string"], pattern: referencePattern });
  }
  if (json.type === "string" && json.enum !== undefined) {
    Object.assign(json, {
      anyOf: [
        { type: "string", enum: json.enum },
        { type: "string", pattern: referencePattern },
      ],
    });
    delete json.type;
    delete json.enum;
  }
}

function describedLike({ description }: JsonSchema): JsonSchema {
  return description === undefined ? {} : { description };
}

function blockSchema(block: z.ZodType): JsonSchema {
  const json = orNull(toJsonSchema(block));
  const enabled = { type: ["boolean", "string"], pattern: referencePattern, description: "false switches this off." };
  return { ...json, properties: { enabled, ...json.properties } as never };
}

function orNull(json: JsonSchema): JsonSchema {
  return json.type === "object" ? { ...json, type: ["object", "null"] as never } : json;
}

/** References to the root of a schema, as references to where it lies in the whole. */
function moveReferences(value: unknown, root: string): unknown {
  if (Array.isArray(value)) return value.map((item) => moveReferences(item, root));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) =>
      key === "$ref" && typeof inner === "string" ? [key, root + inner.slice(1)] : [key, moveReferences(inner, root)],
    ),
  );
}
