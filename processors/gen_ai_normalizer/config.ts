import { acrossFields, z } from "../../pipeline/config/schema.ts";
import { closest } from "../../pipeline/config/suggest.ts";
import { builtInTables } from "./tables.ts";

/** Sources that come with their mappings. */
export const builtInSources = [...Object.keys(builtInTables), "llamatelemetry"].sort();

const removeOriginals = z.boolean().default(false).describe("Whether attributes that were mapped are deleted.");
const overwrite = z.boolean().default(false).describe("Whether a target that exists already is written over.");
const renames = (what: string) => z.record(z.string(), z.string()).default({}).describe(what);

const listed = z.strictObject({
  name: z
    .string()
    .min(1, '"name" must be set')
    .describe(`One of ${builtInSources.join(", ")}, or a name of your own for mappings of your own.`),
  remove_originals: removeOriginals,
  overwrite,
  mappings: renames("Own sources: which attribute becomes which."),
  value_mappings: z
    .record(z.string(), z.record(z.string(), z.string()))
    .default({})
    .describe("Own sources: by target attribute, texts and what stands for them; case does not matter."),
});

const keyed = z.strictObject({
  remove_originals: removeOriginals,
  overwrite,
  custom_mappings: renames("More mappings, which win over the built-in ones."),
});

/** A source as the processor runs it, from either form. */
export interface SourceConfig {
  readonly name: string;
  readonly removeOriginals: boolean;
  readonly overwrite: boolean;
  readonly mappings: Readonly<Record<string, string>>;
  readonly values: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

const sourceList = z
  .array(listed)
  .min(1, "at least one source must be specified")
  .check(
    acrossFields((sources, context) => {
      sources.forEach((source, index) => {
        const problem = listedProblem(
          source,
          sources.slice(0, index).map(({ name }) => name),
        );
        if (problem !== undefined)
          context.addIssue({ code: "custom", path: [index], message: `sources[${index}]: ${problem}` });
      });
    }),
  )
  .transform((sources) =>
    sources.map(
      (source): SourceConfig => ({
        name: source.name,
        removeOriginals: source.remove_originals,
        overwrite: source.overwrite,
        mappings: source.mappings,
        values: source.value_mappings,
      }),
    ),
  );

function listedProblem(source: z.output<typeof listed>, earlier: readonly string[]): string | undefined {
  const name = JSON.stringify(source.name);
  const mapped = Object.keys(source.mappings).length > 0;
  if (earlier.includes(source.name)) return `duplicate source ${name}`;
  if (builtInSources.includes(source.name)) {
    if (mapped) return `"mappings" is not valid on built-in source ${name}`;
    return Object.keys(source.value_mappings).length > 0
      ? `"value_mappings" is not valid on built-in source ${name}`
      : undefined;
  }
  if (!mapped) {
    return `user-defined source ${name} requires non-empty "mappings"${meant(source.name)} (built-in sources, which do not require mappings: ${builtInSources.join(", ")})`;
  }
  const targets = Object.values(source.mappings);
  const astray = Object.keys(source.value_mappings).find((target) => !targets.includes(target));
  return astray === undefined
    ? undefined
    : `"value_mappings" key ${JSON.stringify(astray)} is not a target in "mappings"`;
}

/** A built-in source that is spelled alike. */
function meant(name: string): string {
  const guess = closest(name, builtInSources);
  return guess === undefined ? "" : `, did you mean ${JSON.stringify(guess)}?`;
}

/** The form before 0.153: a map by name, run in the order of the names. */
const sourceMap = z
  .record(
    z.string(),
    z.preprocess((value) => value ?? {}, keyed),
  )
  .check(
    acrossFields((sources, context) => {
      if (Object.keys(sources).length === 0) context.addIssue("at least one source must be specified");
      for (const [name, source] of Object.entries(sources)) {
        for (const message of keyedProblems(name, source)) context.addIssue({ code: "custom", path: [name], message });
      }
    }),
  )
  .transform((sources) =>
    Object.entries(sources)
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(
        ([name, source]): SourceConfig => ({
          name,
          removeOriginals: source.remove_originals,
          overwrite: source.overwrite,
          mappings: source.custom_mappings,
          values: {},
        }),
      ),
  );

function keyedProblems(name: string, { custom_mappings }: z.output<typeof keyed>): string[] {
  const quoted = JSON.stringify(name);
  const where = `sources[${quoted}].custom_mappings`;
  if (name !== "custom" && !builtInSources.includes(name)) return [`unknown source ${quoted}${meant(name)}`];
  if (name === "custom" && Object.keys(custom_mappings).length === 0) {
    return [`sources[${quoted}]: custom_mappings must be non-empty for the custom source`];
  }
  return Object.entries(custom_mappings).flatMap(([from, target]) => {
    if (from === "") return [`${where}: source attribute name must be non-empty`];
    if (target === "") return [`${where}: target for ${JSON.stringify(from)} must be non-empty`];
    return from === target ? [`${where}: source and target are identical (${JSON.stringify(from)})`] : [];
  });
}

export const config = z.strictObject({
  sources: z
    .union([sourceList, sourceMap])
    .describe("Conventions that are translated, in this order (a map: in the order of the names)."),
});
