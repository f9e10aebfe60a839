import type { Stability } from "./component.ts";
import type { Section } from "./registry.ts";

/** What is known of a component without importing it. */
export interface ManifestEntry {
  readonly aliases: readonly string[];
  readonly summary: string;
  /** Per signal; per pair such as `traces_to_metrics` for a connector; under `extension` for an extension. */
  readonly stability: Readonly<Record<string, Stability>>;
  /** The top-level keys its settings accept; empty when it has none. */
  readonly keys: readonly string[];
}

/** All components by section and canonical type. Generated from the definitions, checked for drift. */
export type Manifest = Readonly<Record<Section, Readonly<Record<string, ManifestEntry>>>>;

/** The canonical type behind `type`, which may be an alias; undefined when there is no such component. */
export function canonicalType(manifest: Manifest, section: Section, type: string): string | undefined {
  const entries = manifest[section];
  if (Object.hasOwn(entries, type)) return type;
  return Object.keys(entries).find((candidate) => entries[candidate]?.aliases.includes(type));
}
