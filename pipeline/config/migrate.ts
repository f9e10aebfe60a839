import { isDeepStrictEqual } from "node:util";
import { canonicalType, type Manifest } from "../manifest.ts";
import type { Section } from "../registry.ts";
import { editYaml } from "./edit_yaml.ts";
import { parseId } from "./ids.ts";
import { applyEdit, type Edit } from "./old_spellings/edit.ts";
import { modernizeComponents, modernizeReferences } from "./old_spellings/index.ts";
import type { Place, Source } from "./place.ts";
import { ConfigError, placeText } from "./problem.ts";
import { type Path, plainOf, type Table, treeAt } from "./tree.ts";
import { parseYaml } from "./yaml_text.ts";

/** A file in today's spelling. */
export interface Migrated {
  readonly text: string;
  /** One sentence, with its place, for each thing that was old. Empty when nothing was. */
  readonly changes: readonly string[];
}

/**
 * Rewrites a configuration file for today: old spellings as what they mean now, components under the names they have
 * now. Comments and layout stay. References are not replaced, so what comes out of a variable or another file is not
 * looked into.
 *
 * @throws {ConfigError} when it is no valid YAML. {@link Error} that lists the changes, when they cannot be made in the
 * text, as through a key that `<<` brings.
 */
export function migrateFile(source: Source, manifest: Manifest): Migrated {
  const { tree, problems } = parseYaml(source);
  if (problems.length > 0) throw new ConfigError(problems);
  if (tree.kind !== "table") return { text: source.text, changes: [] };
  const references = modernizeReferences(tree);
  const components = modernizeComponents(references.root);
  const names = renameAliases(components.root, manifest);
  const steps = [references, components, names];
  const changes = steps.flatMap(({ warnings }) => warnings);
  const text = editYaml(
    source.text,
    steps.flatMap(({ edits }) => edits),
  );
  const result = parseYaml({ name: source.name, text });
  if (result.problems.length === 0 && isDeepStrictEqual(plainOf(result.tree), plainOf(names.root)))
    return { text, changes };
  throw new Error(
    `${source.name} cannot be rewritten as it is laid out; to be changed by hand:\n${changes.join("\n")}`,
  );
}

/** Where pipelines name the components of a section. */
const listsOf: Partial<Record<Section, readonly string[]>> = {
  receivers: ["receivers"],
  processors: ["processors"],
  exporters: ["exporters"],
  connectors: ["receivers", "exporters"],
};

/** Components under deprecated names, such as the exporter `otlp`, under today's; one whose new id is taken stays. */
function renameAliases(root: Table, manifest: Manifest) {
  const warnings: string[] = [];
  const edits: Edit[] = [];
  let today = root;
  for (const [section, lists] of Object.entries(listsOf) as [Section, readonly string[]][]) {
    for (const { id, key, to, place } of aliasesIn(root, section, manifest)) {
      const own: Edit[] = [{ do: "rename", path: [section, key], to }];
      for (const path of pipelineLists(root, lists)) own.push({ do: "replace item", path, from: id, to });
      warnings.push(`${placeText(place)}: ${JSON.stringify(id)} is a deprecated name: write ${JSON.stringify(to)}`);
      edits.push(...own);
      today = own.reduce((changed, edit) => applyEdit(changed, edit, place), today);
    }
  }
  return { root: today, warnings, edits };
}

interface Alias {
  readonly id: string;
  readonly key: string;
  readonly to: string;
  readonly place: Place;
}

function aliasesIn(root: Table, section: Section, manifest: Manifest): readonly Alias[] {
  const table = treeAt(root, [section]);
  if (table?.kind !== "table") return [];
  return [...table.entries].flatMap(([key, { keyPlace: place }]): Alias[] => {
    const id = parseId(key);
    const type = typeof id === "string" ? undefined : canonicalType(manifest, section, id.type);
    if (typeof id === "string" || type === undefined || type === id.type) return [];
    const to = id.name === undefined ? type : `${type}/${id.name}`;
    return table.entries.has(to) ? [] : [{ id: id.text, key, to, place }];
  });
}

function pipelineLists(root: Table, lists: readonly string[]): readonly Path[] {
  const pipelines = treeAt(root, ["service", "pipelines"]);
  if (pipelines?.kind !== "table") return [];
  return [...pipelines.entries.keys()].flatMap((key) => lists.map((list): Path => ["service", "pipelines", key, list]));
}
