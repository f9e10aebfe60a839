import type { Catalog, Section } from "../registry.ts";
import { sections } from "../registry.ts";
import { checkDraft } from "./check.ts";
import { checkOwnServiceSettings, checkOwnSettings, checkReferences, checkStart } from "./check_references.ts";
import { aliasWarnings, declareComponents, decodeSection } from "./components.ts";
import { expandTree } from "./expand.ts";
import { mergeAppending, mergeTrees } from "./merge.ts";
import { modernizeComponents, modernizeReferences } from "./old_spellings/index.ts";
import type { Source } from "./place.ts";
import { ConfigError, type Problem } from "./problem.ts";
import type { ResolvedConfig, ResolvedPipeline } from "./resolved.ts";
import { type PipelineDraft, type Reference, readService } from "./service.ts";
import { type ConfigSource, openSource, processSurroundings, type Surroundings, withDownloads } from "./source.ts";
import { didYouMean } from "./suggest.ts";
import type { Table, Tree } from "./tree.ts";
import { parseYaml } from "./yaml_text.ts";

/** A configuration with its references replaced, in today's spelling, nothing checked yet. */
export interface ExpandedConfig {
  readonly root: Table;
  readonly problems: readonly Problem[];
  readonly warnings: readonly string[];
}

/** How a configuration is read. */
export interface LoadOptions {
  /** Refuse what the Collector refuses, old spellings included. */
  readonly strictCompat?: boolean;
  /** The feature gates of the Collector that are on; none when absent. */
  readonly gates?: ReadonlySet<string>;
}

/**
 * Reads, merges, expands, decodes and checks the configuration that `sources` name, in this order: paths, or `file:`,
 * `env:`, `yaml:`, `http:` and `https:` URIs. Only the components it names are imported.
 *
 * @throws {ConfigError} with everything that is wrong. {@link Error} when a source cannot be read.
 */
export async function loadConfig(
  sources: readonly ConfigSource[],
  catalog: Catalog,
  surroundings: Surroundings = processSurroundings(),
  options: LoadOptions = {},
): Promise<ResolvedConfig> {
  return resolveConfig(await readConfig(sources, surroundings, options), catalog, options);
}

/** The first half of `loadConfig`: sources to documents, merged and expanded. */
export async function readConfig(
  sources: readonly ConfigSource[],
  surroundings: Surroundings = processSurroundings(),
  options: LoadOptions = {},
): Promise<ExpandedConfig> {
  if (sources.length === 0) throw new Error("at least one config flag must be provided");
  return withDownloads(surroundings, (from) => readSources(sources, from, options));
}

function readSources(
  asked: readonly ConfigSource[],
  from: Surroundings,
  { gates, strictCompat }: LoadOptions,
): ExpandedConfig {
  const opened = openAll(asked, from);
  const documents = opened.map(({ source }) => ({ source, ...parseYaml(source) }));
  const problems = documents.flatMap((document) => [...document.problems, ...rootProblems(document)]);
  if (problems.length > 0) throw new ConfigError(problems);
  const unset = opened.flatMap(({ warning }) => (warning === undefined ? [] : [warning]));
  const unread = documents
    .filter((document) => document.more)
    .map(({ source }) => `${source.name}: only the first YAML document is read`);
  const merge = gates?.has("confmap.enableMergeAppendOption") === true ? mergeAppending : mergeTrees;
  const merged = documents
    .map((document) => document.tree)
    .filter((tree) => tree.kind === "table")
    .reduce<Tree | undefined>((earlier, later) => (earlier === undefined ? later : merge(earlier, later)), undefined);
  if (merged === undefined) throw new ConfigError([emptyProblem(documents.map(({ source }) => source))], unset);
  if (merged.kind !== "table") throw new Error("mappings merge to a mapping");
  const written = strictCompat === true ? asWritten(merged) : modernizeReferences(merged);
  const expanded = expandTree(written.root, from);
  if (expanded.tree.kind !== "table") throw new Error("a mapping expands to a mapping");
  const today = strictCompat === true ? asWritten(expanded.tree) : modernizeComponents(expanded.tree);
  const warnings = [...unset, ...unread, ...written.warnings, ...expanded.warnings, ...today.warnings];
  return { root: today.root, problems: expanded.problems, warnings };
}

function asWritten(root: Table): Pick<ExpandedConfig, "root" | "warnings"> {
  return { root, warnings: [] };
}

/** The texts of all sources. @throws {Error} that names every one that cannot be read, a line for each. */
function openAll(asked: readonly ConfigSource[], from: Surroundings) {
  const opened = asked.map((source) => openSource(source, from));
  const failures = opened.flatMap((source) => ("failure" in source ? [source.failure] : []));
  if (failures.length > 0) throw new Error([...new Set(failures)].join("\n"));
  return opened.flatMap((source) => ("failure" in source ? [] : [source]));
}

/**
 * The second half of `loadConfig`: an expanded tree decoded and checked. With `check: false` only the settings are
 * checked, not how the parts fit together.
 */
export async function resolveConfig(
  expanded: ExpandedConfig,
  catalog: Catalog,
  { check = true, gates = new Set(), strictCompat = false }: LoadOptions & { readonly check?: boolean } = {},
): Promise<ResolvedConfig> {
  const { root } = expanded;
  const unknown = unknownSections(root);
  const problems: Problem[] = [...expanded.problems, ...unknown];
  const declarations = declareComponents(root, catalog, problems);
  const decoded = {
    receivers: await decodeSection("receiver", declarations.receivers, catalog, problems),
    processors: await decodeSection("processor", declarations.processors, catalog, problems),
    exporters: await decodeSection("exporter", declarations.exporters, catalog, problems),
    connectors: await decodeSection("connector", declarations.connectors, catalog, problems),
    extensions: await decodeSection("extension", declarations.extensions, catalog, problems),
  } satisfies Record<Section, unknown>;
  const service = readService(root, problems);
  const isMisspelt = unknown.some(({ hint }) => hint !== undefined);
  // What a misspelt section holds would be missing everywhere else.
  if (check && !isMisspelt) {
    const { manifest } = catalog;
    problems.push(...checkDraft({ root, declarations, service, manifest, gates, strictCompat }));
    problems.push(
      ...(strictCompat
        ? [...checkOwnSettings(decoded, declarations), ...checkOwnServiceSettings(root)]
        : [...checkReferences(decoded, declarations, service), ...checkStart(decoded, declarations)]),
    );
  }
  const warnings = [...expanded.warnings, ...aliasWarnings(declarations)];
  const { telemetry, workers, settings } = service;
  if (problems.length > 0 || telemetry === undefined)
    throw new ConfigError(withoutEchoes(problems, expanded.problems), warnings);
  const pipelines = new Map(service.pipelines.map((pipeline) => [pipeline.id, resolvePipeline(pipeline)]));
  const extensions = unique(service.extensions);
  return { ...decoded, service: { extensions, pipelines, telemetry, workers, settings }, warnings };
}

function rootProblems({
  source,
  tree,
  problems,
}: {
  source: Source;
  tree: Tree;
  problems: readonly Problem[];
}): Problem[] {
  const isNothing = tree.kind === "scalar" && tree.value === null;
  if (tree.kind === "table" || isNothing || problems.length > 0) return [];
  const place = { source, start: tree.place.start, end: tree.place.end };
  return [{ place, path: [], message: "a configuration is a mapping with sections such as receivers and service" }];
}

function emptyProblem([source]: readonly Source[]): Problem {
  const place = { source: source ?? { name: "", text: "" }, start: 0, end: 0 };
  return { place, path: [], message: "empty configuration file" };
}

const knownSections: readonly string[] = [...sections, "service"];

function unknownSections(root: Table): Problem[] {
  return [...root.entries]
    .filter(([key]) => !knownSections.includes(key))
    .map(([key, { keyPlace: place }]) => ({
      place,
      path: [],
      message: `unknown key ${JSON.stringify(key)}`,
      ...didYouMean(key, knownSections),
      notes: [`a configuration accepts: ${knownSections.join(", ")}`],
    }));
}

/** Leaves out what was only found because a reference at the same place could not be replaced. */
function withoutEchoes(problems: readonly Problem[], broken: readonly Problem[]): readonly Problem[] {
  const isEcho = ({ path }: Problem) =>
    broken.some((cause) => cause.path.length > 0 && cause.path.every((segment, index) => segment === path[index]));
  return problems.filter((problem) => broken.includes(problem) || !isEcho(problem));
}

function resolvePipeline({ id, signal, receivers, processors, exporters, place }: PipelineDraft): ResolvedPipeline {
  const lists = { receivers: unique(receivers), processors: unique(processors), exporters: unique(exporters) };
  return { id, signal, ...lists, place };
}

function unique(references: readonly Reference[]): readonly string[] {
  return [...new Set(references.map((reference) => reference.id))];
}
