import type {
  ConnectorDefinition,
  ExporterDefinition,
  ExtensionDefinition,
  ProcessorDefinition,
  ReceiverDefinition,
} from "./component.ts";
import type { z } from "./config/schema.ts";
import type { Kind } from "./host.ts";
import type { Manifest } from "./manifest.ts";

/** The schema of some component. Its output is `any`: only the component's own `create` knows it. */
// biome-ignore lint/suspicious/noExplicitAny: a map of components with different settings has no other element type
export type AnyConfig = z.ZodType<any>;

/** The definition behind each kind, whatever its settings. */
export interface DefinitionOf {
  receiver: ReceiverDefinition<AnyConfig>;
  processor: ProcessorDefinition<AnyConfig>;
  exporter: ExporterDefinition<AnyConfig>;
  connector: ConnectorDefinition<AnyConfig>;
  extension: ExtensionDefinition<AnyConfig>;
}

export type AnyDefinition = DefinitionOf[Kind];

/** Imports one component: `() => import("../receivers/otlp/index.ts")`. */
export type ComponentLoader<K extends Kind = Kind> = () => Promise<{ readonly default: DefinitionOf[K] }>;

/** Loaders by canonical type, so that only what a config names is imported. */
export interface Registry {
  readonly receivers: Loaders<"receiver">;
  readonly processors: Loaders<"processor">;
  readonly exporters: Loaders<"exporter">;
  readonly connectors: Loaders<"connector">;
  readonly extensions: Loaders<"extension">;
}

type Loaders<K extends Kind> = Readonly<Record<string, ComponentLoader<K>>>;

/** The components there are: how to import them, and what is known of them without importing any. */
export interface Catalog {
  readonly registry: Registry;
  readonly manifest: Manifest;
}

/** A section of a config that holds components. */
export type Section = keyof Registry;

/** The sections in the order the Collector lists them. */
export const sections: readonly Section[] = ["receivers", "processors", "exporters", "connectors", "extensions"];

/** The kind of component a section holds. */
export const kindOf = {
  receivers: "receiver",
  processors: "processor",
  exporters: "exporter",
  connectors: "connector",
  extensions: "extension",
} as const satisfies Record<Section, Kind>;

/** The section that holds components of `kind`. */
export function sectionOf(kind: Kind): Section {
  return `${kind}s`;
}

/**
 * Imports the definition of the component `type` (canonical, not an alias).
 *
 * @throws {Error} when the registry has no such component, or the module defines another one.
 */
export async function loadDefinition<K extends Kind>(
  registry: Registry,
  kind: K,
  type: string,
): Promise<DefinitionOf[K]> {
  const loaders: Loaders<K> = registry[sectionOf(kind)] as Loaders<K>;
  const load = Object.hasOwn(loaders, type) ? loaders[type] : undefined;
  if (load === undefined) throw new Error(`no ${kind} of type ${JSON.stringify(type)} is registered`);
  const { default: definition } = await load();
  if (definition.kind !== kind || definition.type !== type) {
    throw new Error(`${kind} ${JSON.stringify(type)} is registered with the ${definition.kind} "${definition.type}"`);
  }
  return definition;
}
