import type { Kind } from "../host.ts";
import { canonicalType, type Manifest } from "../manifest.ts";
import { type Catalog, kindOf, loadDefinition, type Section, sections } from "../registry.ts";
import { decode } from "./decode.ts";
import { type Id, parseId } from "./ids.ts";
import type { Place } from "./place.ts";
import type { Problem } from "./problem.ts";
import type { ResolvedComponent } from "./resolved.ts";
import { didYouMean } from "./suggest.ts";
import type { Table, Tree } from "./tree.ts";

/** A component whose id and type are known; its settings may still be wrong. */
export interface Declared {
  readonly section: Section;
  /** As the user wrote it, trimmed. */
  readonly id: string;
  /** Canonical. Undefined when there is no such type, which was reported. */
  readonly type: string | undefined;
  readonly aliasUsed?: string;
  readonly place: Place;
  readonly settings: Tree;
  /** Its key in the section, before trimming. */
  readonly key: string;
}

/** The components a configuration declares, by section and id. */
export type Declarations = Readonly<Record<Section, ReadonlyMap<string, Declared>>>;

/** Reads the ids of all sections of `root`. */
export function declareComponents(root: Table, catalog: Catalog, problems: Problem[]): Declarations {
  const declare = (section: Section) => declareSection(root, section, catalog, problems);
  return {
    receivers: declare("receivers"),
    processors: declare("processors"),
    exporters: declare("exporters"),
    connectors: declare("connectors"),
    extensions: declare("extensions"),
  };
}

function declareSection(root: Table, section: Section, catalog: Catalog, problems: Problem[]): Map<string, Declared> {
  const declared = new Map<string, Declared>();
  const entry = root.entries.get(section);
  if (entry === undefined || (entry.value.kind === "scalar" && entry.value.value === null)) return declared;
  if (entry.value.kind !== "table") {
    problems.push({
      place: entry.keyPlace,
      path: [section],
      message: "must be a mapping of component ids to settings",
    });
    return declared;
  }
  for (const [key, { keyPlace: place, value: settings }] of entry.value.entries) {
    const id = parseId(key);
    if (typeof id === "string") {
      problems.push({ place, path: [section], message: id });
    } else if (declared.has(id.text)) {
      problems.push({ place, path: [section], message: `duplicate id ${JSON.stringify(id.text)}` });
    } else {
      const type = typeOf(id, section, catalog, place, problems);
      const aliasUsed = type === undefined || type === id.type ? {} : { aliasUsed: id.type };
      declared.set(id.text, { section, id: id.text, type, ...aliasUsed, place, settings, key });
    }
  }
  return declared;
}

function typeOf(
  id: Id,
  section: Section,
  { manifest }: Catalog,
  place: Place,
  problems: Problem[],
): string | undefined {
  const type = canonicalType(manifest, section, id.type);
  if (type !== undefined) return type;
  if (section === "exporters" && id.type === "logging") {
    const message = "the logging exporter has been deprecated, use the debug exporter instead";
    problems.push({ place, path: [section], message, hint: 'write "debug"' });
    return undefined;
  }
  const known = Object.keys(manifest[section]).sort();
  const inside = id.name === undefined ? "" : ` in ${JSON.stringify(id.text)}`;
  problems.push({
    place,
    path: [section],
    message: `unknown ${kindOf[section]} type ${JSON.stringify(id.type)}${inside}`,
    ...typeHint(id.type, section, manifest),
    notes: [`known ${section}: ${known.join(", ")}`],
  });
  return undefined;
}

/** What was meant: a type of this section that is spelled alike, or the same type in another section. */
function typeHint(type: string, section: Section, manifest: Manifest): { readonly hint?: string } {
  const aliases = Object.values(manifest[section]).flatMap((component) => component.aliases);
  const guess = didYouMean(type, [...Object.keys(manifest[section]), ...aliases]);
  const other = sections.find((candidate) => canonicalType(manifest, candidate, type) !== undefined);
  return guess.hint === undefined && other !== undefined ? { hint: `it is one of the ${other}` } : guess;
}

/** Imports the definitions of what is declared and decodes all settings, also of components no pipeline uses. */
export async function decodeSection<K extends Kind>(
  kind: K,
  declared: ReadonlyMap<string, Declared>,
  catalog: Catalog,
  problems: Problem[],
): Promise<Map<string, ResolvedComponent<K>>> {
  const resolved = new Map<string, ResolvedComponent<K>>();
  for (const component of declared.values()) {
    if (component.type === undefined) continue;
    const { id, type, aliasUsed, place } = component;
    const definition = await loadDefinition(catalog.registry, kind, type);
    const decoded = decode(definition.config, orEmpty(component.settings), {
      path: [component.section, id],
      name: type,
      help: `otelpipe docs ${kind} ${type}`,
    });
    problems.push(...decoded.problems.map((problem) => besideKey(problem, component)));
    const { value: config, settings } = decoded;
    resolved.set(id, { id, definition, config, settings, place, ...(aliasUsed !== undefined && { aliasUsed }) });
  }
  return resolved;
}

/** A null component means its defaults. */
function orEmpty(settings: Tree): Tree {
  const isNull = settings.kind === "scalar" && settings.value === null;
  return isNull ? { kind: "table", entries: new Map(), place: settings.place } : settings;
}

/** What is missing in settings that were written down stands at the component's id. */
function besideKey(problem: Problem, { settings, place }: Declared): Problem {
  const isWhole = problem.place.start === settings.place.start && problem.place.end === settings.place.end;
  const isValue = settings.fromReference === true || (settings.kind === "scalar" && settings.value !== null);
  return isWhole && !isValue ? { ...problem, place } : problem;
}

/** One line per component that is configured under an old name. */
export function aliasWarnings(declarations: Declarations): readonly string[] {
  return sections
    .flatMap((section) => [...declarations[section].values()])
    .filter((component) => component.aliasUsed !== undefined)
    .map(
      ({ aliasUsed, type }) => `${JSON.stringify(aliasUsed)} alias is deprecated; use ${JSON.stringify(type)} instead`,
    );
}
