import { z } from "../schema.ts";

function attributeValue() {
  const scalar = z.union([z.string(), z.number(), z.boolean()]);
  const error = "a resource attribute is text, a number, true, false, or a list of these";
  return z.union([scalar, z.array(scalar)], { error });
}

const attribute = () =>
  z.strictObject({
    name: z.string().describe("The attribute's name."),
    value: attributeValue().describe("Its value."),
  });

const filter = () =>
  z.strictObject({
    included: z.array(z.string()).optional().describe("Names to keep, with * and ?; all unless given."),
    excluded: z.array(z.string()).optional().describe("Names to leave out."),
  });

/** A detector is named by a key with an empty mapping: `{ host: {} }`. */
const detector = () =>
  z
    .strictObject(
      Object.fromEntries(
        (["container", "host", "process", "service"] as const).map((name) => [name, z.strictObject({}).optional()]),
      ) as Record<"container" | "host" | "process" | "service", z.ZodOptional<z.ZodObject>>,
    )
    .transform((value, context) => {
      const [name, ...others] = Object.keys(value) as (keyof typeof value)[];
      if (name !== undefined && others.length === 0) return name;
      context.addIssue({ code: "custom", message: "must name one detector: container, host, process or service" });
      return z.NEVER;
    });

const detection = () =>
  z.strictObject({
    attributes: filter().optional().describe("Which of the attributes found are kept."),
    detectors: z.array(detector()).default([]).describe("What is asked for attributes, such as `- host: {}`."),
  });

const known = ["attributes", "attributes_list", "detectors", "schema_url", "detection/development"];

/**
 * `service::telemetry::resource`: a list of attributes, or the old form, a map of names to texts in which null takes a
 * default away.
 */
export const resource = () =>
  z
    .object({
      attributes: z.array(attribute()).default([]).describe("Attributes as a list of names and values."),
      attributes_list: z.string().optional().describe("Not supported, as in the Collector."),
      detectors: z.unknown().optional().describe("Accepted without effect, as in the Collector."),
      schema_url: z.string().optional().describe("The schema that the attributes follow."),
      "detection/development": detection()
        .optional()
        .describe("Attributes found out about the machine and the process."),
    })
    .catchall(z.union([z.string(), z.null()], { error: "legacy resource attribute must be string or null" }))
    .transform((value, context) => {
      const inline = Object.entries(value).filter(([key]) => !known.includes(key)) as [string, string | null][];
      if (value.attributes_list !== undefined) {
        const message = "resource::attributes_list is not currently supported, please use resource::attributes";
        context.addIssue({ code: "custom", path: ["attributes_list"], message });
      }
      if (inline.length > 0 && value.attributes.length > 0) {
        const message = "resource::attributes cannot be used together with legacy inline resource attributes";
        context.addIssue({ code: "custom", path: ["attributes"], message });
      }
      const { attributes: kept, detectors = [] } = value["detection/development"] ?? {};
      return {
        attributes: Object.fromEntries([
          ...inline,
          ...value.attributes.map(({ name, value: own }) => [name, own]),
        ]) as Record<string, z.output<ReturnType<typeof attributeValue>> | null>,
        detectors,
        kept: kept ?? {},
        schemaUrl: value.schema_url,
        /** The old form's names, to be told about. */
        inline: inline.map(([name]) => name),
      };
    });

/** The output of `resource` for the empty mapping. */
export function unsetResource(): z.output<ReturnType<typeof resource>> {
  return { attributes: {}, detectors: [], kept: {}, schemaUrl: undefined, inline: [] };
}
