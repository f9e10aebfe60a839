import { stringify } from "yaml";
import { schemes } from "../pipeline/config/source.ts";
import type { Manifest, ManifestEntry } from "../pipeline/manifest.ts";
import { sections } from "../pipeline/registry.ts";
import { parseArguments } from "./arguments.ts";
import manifest from "./manifest.generated.json" with { type: "json" };
import { version } from "./version.ts";

/** `otelpipe components`: what this build contains, as YAML in the shape of the Collector's. Imports no component. */
export async function listComponents(args: readonly string[]): Promise<number> {
  parseArguments("components", args, {});
  process.stdout.write(componentsYaml(manifest as unknown as Manifest));
  return 0;
}

/** @see Collector: `otelcol/testdata/components-output.yaml`. */
function componentsYaml(all: Manifest): string {
  const listed = sections.map((section) => [
    section,
    Object.entries(all[section])
      .sort(([left], [right]) => (left < right ? -1 : 1))
      .map(([name, entry]) => ({ name, module: `otelpipe/${section}/${name} v${version}`, stability: levels(entry) })),
  ]);
  const output = {
    buildinfo: { command: "otelpipe", description: "OpenTelemetry Collector for LLM inference", version },
    ...Object.fromEntries(listed),
    providers: schemes.toSorted().map((scheme) => ({ scheme, module: `otelpipe/pipeline/config v${version}` })),
    converters: [],
  };
  return stringify(output, { indent: 4, lineWidth: 0 });
}

function levels({ stability }: ManifestEntry): Record<string, string> {
  const entries = Object.entries(stability).sort(([left], [right]) => (left < right ? -1 : 1));
  return Object.fromEntries(entries.map(([name, level]) => [name.replaceAll("_to_", "-to-"), capitalised(level)]));
}

function capitalised(level: string): string {
  return level.charAt(0).toUpperCase() + level.slice(1);
}
