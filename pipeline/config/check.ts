import { type Catalog, kindOf, type Section, sections } from "../registry.ts";
import { checkConnectors } from "./check_connectors.ts";
import type { Declarations, Declared } from "./components.ts";
import type { Problem } from "./problem.ts";
import type { PipelineDraft, Reference, ServiceDraft } from "./service.ts";
import { didYouMean } from "./suggest.ts";
import { type Path, type Table, treeAt } from "./tree.ts";

/** What the checks across components look at. */
export interface Draft {
  readonly root: Table;
  readonly declarations: Declarations;
  readonly service: ServiceDraft;
  readonly manifest: Catalog["manifest"];
  /** The feature gates that are on. */
  readonly gates: ReadonlySet<string>;
  /** Whether to refuse what the Collector refuses. */
  readonly strictCompat: boolean;
}

/**
 * Everything that is wrong between the parts of a configuration: sections that are missing, references to what is not
 * configured, signals that a component does not support, connectors that join nothing, cycles.
 *
 * @see Collector: `otelcol/config.go`, `service/pipelines/config.go`, `service/internal/graph/graph.go`.
 */
export function checkDraft(draft: Draft): readonly Problem[] {
  return [
    ...(draft.gates.has("service.AllowNoPipelines") ? [] : checkSections(draft)),
    ...checkAmbiguity(draft),
    ...checkExtensions(draft),
    ...draft.service.pipelines.flatMap((pipeline) => checkPipeline(draft, pipeline)),
    ...checkConnectors(draft),
  ];
}

function checkSections({ root, declarations, service }: Draft): Problem[] {
  const problems: Problem[] = [];
  for (const section of ["receivers", "exporters"] as const) {
    const entry = root.entries.get(section);
    const isEmpty = entry?.value.kind === "table" ? entry.value.entries.size === 0 : entry?.value.kind !== "list";
    if (declarations[section].size > 0 || !isEmpty) continue;
    const place = entry?.keyPlace ?? { ...root.place, end: root.place.start };
    problems.push({ place, path: [], message: `no ${kindOf[section]} configuration specified in config` });
  }
  const pipelines = treeAt(root, ["service", "pipelines"]);
  const areWritten = pipelines?.kind === "table" && pipelines.entries.size > 0;
  if (service.readable && !areWritten) {
    const path = ["service", "pipelines"];
    problems.push({ place: service.place, path, message: "service must have at least one pipeline" });
  }
  return problems;
}

function checkAmbiguity({ declarations }: Draft): Problem[] {
  return [...declarations.connectors.values()].flatMap(({ id, place }) =>
    (["receivers", "exporters"] as const)
      .filter((section) => declarations[section].has(id))
      .map((section) => ({
        place,
        path: ["connectors", id],
        message: `ambiguous ID: Found both ${quoted(id)} ${kindOf[section]} and ${quoted(id)} connector`,
        notes: [`Change one of the IDs, e.g. rename the connector to ${quoted(`${id}/connector`)}.`],
      })),
  );
}

function checkExtensions({ declarations, service }: Draft): Problem[] {
  return service.extensions
    .filter((reference) => !declarations.extensions.has(reference.id))
    .map((reference) => notConfigured(reference, "extension", ["service", "extensions"], declarations, ["extensions"]));
}

const sides = [
  { list: "receivers", kind: "receiver", within: ["receivers", "connectors"] },
  { list: "processors", kind: "processor", within: ["processors"] },
  { list: "exporters", kind: "exporter", within: ["exporters", "connectors"] },
] as const;

function checkPipeline(draft: Draft, pipeline: PipelineDraft): Problem[] {
  const path = ["service", "pipelines", pipeline.id];
  const problems = checkProfiles(draft, pipeline, path);
  for (const { list, kind, within } of sides) {
    if (pipeline[list].length === 0 && kind !== "processor" && draft.service.readable) {
      problems.push({ place: pipeline.place, path, message: `must have at least one ${kind}` });
    }
    for (const reference of pipeline[list]) {
      const component = find(draft.declarations, within, reference.id);
      if (component === undefined) problems.push(notConfigured(reference, kind, path, draft.declarations, within));
      else problems.push(...checkSignal(draft, pipeline, reference, component, path));
    }
  }
  return [...problems, ...checkRepeats(pipeline, path)];
}

/** @see Collector: `service/pipelines/config.go`. */
function checkProfiles({ gates, strictCompat }: Draft, { signal, place }: PipelineDraft, path: Path): Problem[] {
  if (signal !== "profiles" || !strictCompat || gates.has("service.profilesSupport")) return [];
  const message = 'the Collector takes profiles with the feature gate "service.profilesSupport" only';
  return [{ place, path, message, hint: "add --feature-gates service.profilesSupport" }];
}

function checkRepeats({ processors }: PipelineDraft, path: Path): Problem[] {
  return processors
    .filter(({ id }, index) => processors.findIndex((other) => other.id === id) < index)
    .map(({ id, place }) => ({ place, path, message: `references processor ${quoted(id)} multiple times` }));
}

function find(declarations: Declarations, within: readonly Section[], id: string): Declared | undefined {
  return within.map((section) => declarations[section].get(id)).find((component) => component !== undefined);
}

function checkSignal(
  { manifest }: Draft,
  { signal }: PipelineDraft,
  { place }: Reference,
  { section, id, type }: Declared,
  path: Path,
): Problem[] {
  if (section === "connectors" || type === undefined) return [];
  const supported = Object.keys(manifest[section][type]?.stability ?? {});
  if (supported.includes(signal)) return [];
  const message = `${kindOf[section]} ${quoted(id)} does not support ${signal}`;
  return [{ place, path, message, notes: [`${type} supports: ${supported.join(", ")}`] }];
}

function notConfigured(
  { id, place }: Reference,
  kind: string,
  path: Path,
  declarations: Declarations,
  within: readonly Section[],
): Problem {
  const configured = within.flatMap((section) => [...declarations[section].keys()]);
  const guess = didYouMean(id, configured);
  const elsewhere = sections.find((section) => !within.includes(section) && declarations[section].has(id));
  return {
    place,
    path,
    message: `references ${kind} ${quoted(id)} which is not configured`,
    ...(guess.hint === undefined && elsewhere !== undefined ? { hint: `it is one of the ${elsewhere}` } : guess),
    notes: configured.length === 0 ? [] : [`configured ${within[0]}: ${configured.join(", ")}`],
  };
}

function quoted(text: string): string {
  return JSON.stringify(text);
}
