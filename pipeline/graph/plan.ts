import { isDeepStrictEqual } from "node:util";
import { extensionsNamedBy } from "../config/check_references.ts";
import type { ResolvedComponent, ResolvedConfig, ResolvedPipeline } from "../config/resolved.ts";
import type { Signal } from "../pdata/index.ts";
import { kindOf, type Section, sections } from "../registry.ts";
import { nodeKey } from "./node.ts";

/** What becomes of one component instance when another configuration takes over. */
export type Change = "keep" | "rebuild" | "add" | "remove";

/** What becomes of every instance, by its key: that of its node in the graph, or `extension:<id>`. */
export type Plan = ReadonlyMap<string, Change>;

/** A component instance that a configuration asks for. */
interface Instance {
  readonly key: string;
  readonly component: ResolvedComponent;
  readonly pipeline?: ResolvedPipeline;
}

/**
 * What has to change in a service that runs `former` so that it runs `next`. An instance is kept when its settings mean
 * the same, none of the files they name is among `changedFiles`, and every extension they name is kept. The processors of
 * a pipeline are kept only in their order: what one of them holds would else pass by another.
 */
export function planChange(
  former: ResolvedConfig,
  next: ResolvedConfig,
  changedFiles: ReadonlySet<string> = new Set(),
): Plan {
  const changed = changedComponents(former, next, changedFiles);
  const reordered = reorderedPipelines(former, next);
  const before = new Set(instancesOf(former).map(({ key }) => key));
  const after = instancesOf(next);
  const plan = new Map<string, Change>();
  for (const { key, component, pipeline } of after) {
    const isChanged = changed.has(component) || (pipeline !== undefined && reordered.has(pipeline.id));
    plan.set(key, !before.has(key) ? "add" : isChanged ? "rebuild" : "keep");
  }
  for (const key of before) if (!plan.has(key)) plan.set(key, "remove");
  return plan;
}

/** Whether pipelines have the same members, in the same order. */
export function samePipelines(former: ResolvedConfig, next: ResolvedConfig): boolean {
  const members = ({ service }: ResolvedConfig) =>
    [...service.pipelines.values()].map(({ id, receivers, processors, exporters }) => ({
      id,
      receivers,
      processors,
      exporters,
    }));
  return isDeepStrictEqual(members(former), members(next));
}

/** The key of an extension, beside those of the nodes of a graph. */
export function extensionKey(id: string): string {
  return `extension:${id}`;
}

/** The files that the settings of a configuration name, such as certificates: what a component reads when it starts. */
export function filesNamedBy(config: Pick<ResolvedConfig, Section>): ReadonlySet<string> {
  return new Set(sections.flatMap((section) => [...config[section].values()].flatMap(filesOf)));
}

function filesOf({ settings }: ResolvedComponent): string[] {
  return filesIn(settings, "");
}

function filesIn(value: unknown, key: string): string[] {
  if (typeof value === "string") return value !== "" && /^(?:file|filename|.*_file)$/.test(key) ? [value] : [];
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([inner, child]) => filesIn(child, Array.isArray(value) ? key : inner));
}

/** Components of `next` that differ from those of the same id in `former`, or name an extension that does. */
function changedComponents(
  former: ResolvedConfig,
  next: ResolvedConfig,
  changedFiles: ReadonlySet<string>,
): ReadonlySet<ResolvedComponent> {
  const changed = new Set<ResolvedComponent>();
  const all = sections.flatMap((section) =>
    [...next[section].values()].map((component: ResolvedComponent) => ({ section, component })),
  );
  for (const { section, component } of all) {
    const known: ResolvedComponent | undefined = former[section].get(component.id);
    const readsNew = filesOf(component).some((file) => changedFiles.has(file));
    if (known === undefined || readsNew || !meansTheSame(known, component)) changed.add(component);
  }
  const running = new Set(next.service.extensions.filter((id) => former.service.extensions.includes(id)));
  const isNew = (id: string) => !running.has(id) || changed.has(next.extensions.get(id) as ResolvedComponent);
  for (let known = -1; known !== changed.size; ) {
    known = changed.size;
    for (const { component } of all) {
      if (extensionsNamedBy(component).some(({ id }) => isNew(id))) changed.add(component);
    }
  }
  return changed;
}

/** Settings that are written alike, or decode alike: a default that is spelled out changes nothing. */
function meansTheSame(former: ResolvedComponent, next: ResolvedComponent): boolean {
  if (former.definition !== next.definition) return false;
  return isDeepStrictEqual(former.settings, next.settings) || isDeepStrictEqual(former.config, next.config);
}

/** Pipelines whose common processors follow each other in another order. */
function reorderedPipelines(former: ResolvedConfig, next: ResolvedConfig): ReadonlySet<string> {
  const reordered = new Set<string>();
  for (const [id, { processors }] of next.service.pipelines) {
    const before = former.service.pipelines.get(id)?.processors ?? [];
    const kept = processors.filter((processor) => before.includes(processor));
    const was = before.filter((processor) => processors.includes(processor));
    if (!isDeepStrictEqual(kept, was)) reordered.add(id);
  }
  return reordered;
}

/** Everything that a service with this configuration runs. @see buildGraph, which makes the same instances. */
function instancesOf(config: ResolvedConfig): readonly Instance[] {
  const pipelines = [...config.service.pipelines.values()];
  const instances = new Map<string, Instance>();
  const add = (key: string, component: ResolvedComponent | undefined, pipeline?: ResolvedPipeline) => {
    if (component !== undefined) instances.set(key, { key, component, ...(pipeline !== undefined && { pipeline }) });
  };
  for (const id of config.service.extensions) add(extensionKey(id), config.extensions.get(id));
  for (const pipeline of pipelines) {
    const { signal, receivers, processors, exporters } = pipeline;
    for (const id of receivers) add(nodeKey(kindOf.receivers, "", id), config.receivers.get(id));
    for (const id of processors) add(nodeKey(kindOf.processors, pipeline.id, id), config.processors.get(id), pipeline);
    for (const id of exporters) {
      add(nodeKey(kindOf.exporters, signal, id), config.exporters.get(id));
      const connector = config.connectors.get(id);
      for (const to of connector === undefined ? [] : signalsFedBy(id, pipelines)) {
        if (connector?.definition.stability[`${signal}_to_${to}`] === undefined) continue;
        add(nodeKey(kindOf.connectors, `${signal}_to_${to}`, id), connector);
      }
    }
  }
  return [...instances.values()];
}

function signalsFedBy(connectorId: string, pipelines: readonly ResolvedPipeline[]): ReadonlySet<Signal> {
  const fed = pipelines.filter(({ receivers }) => receivers.includes(connectorId));
  return new Set(fed.map(({ signal }) => signal));
}
