import type { Stability } from "../component.ts";
import type { Kind } from "../host.ts";
import type { Manifest, ManifestEntry } from "../manifest.ts";
import {
  type AnyDefinition,
  type DefinitionOf,
  type kindOf,
  loadDefinition,
  type Registry,
  type Section,
} from "../registry.ts";
import { acceptedKeys } from "./shape.ts";

/** All definitions of a registry, by section, sorted by type. Imports every component. */
export type Definitions = { readonly [S in Section]: readonly DefinitionOf[(typeof kindOf)[S]][] };

/** Imports every component of `registry`. */
export async function loadDefinitions(registry: Registry): Promise<Definitions> {
  const load = <K extends Kind>(kind: K, loaders: Readonly<Record<string, unknown>>): Promise<DefinitionOf[K][]> =>
    Promise.all(
      Object.keys(loaders)
        .sort()
        .map((type) => loadDefinition(registry, kind, type)),
    );
  return {
    receivers: await load("receiver", registry.receivers),
    processors: await load("processor", registry.processors),
    exporters: await load("exporter", registry.exporters),
    connectors: await load("connector", registry.connectors),
    extensions: await load("extension", registry.extensions),
  };
}

/** What is known of components without importing them, from their definitions. */
export function manifestOf(definitions: Definitions): Manifest {
  const describe = (section: Section) =>
    Object.fromEntries(definitions[section].map((definition) => [definition.type, entryOf(definition)]));
  return {
    receivers: describe("receivers"),
    processors: describe("processors"),
    exporters: describe("exporters"),
    connectors: describe("connectors"),
    extensions: describe("extensions"),
  };
}

function entryOf(definition: AnyDefinition): ManifestEntry {
  return {
    aliases: definition.aliases ?? [],
    summary: definition.summary,
    stability: stabilityOf(definition),
    keys: acceptedKeys(definition.config),
  };
}

/** Stability by signal; by pair for a connector; under `extension` for an extension. */
export function stabilityOf(definition: AnyDefinition): Readonly<Record<string, Stability>> {
  if (definition.kind === "extension") return { extension: definition.stability };
  return { ...definition.stability } as Readonly<Record<string, Stability>>;
}
