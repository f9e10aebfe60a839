import { schemes } from "../pipeline/config/source.ts";
import type { Manifest, ManifestEntry } from "../pipeline/manifest.ts";
import { type Section, sections } from "../pipeline/registry.ts";
import { parseArguments } from "./arguments.ts";
import manifest from "./manifest.generated.json" with { type: "json" };
import { version } from "./version.ts";

/** `otelpipe components`: what this build contains, as YAML in the shape of the Collector's. Imports no component. */
export async function listComponents(args: readonly string[]): Promise<number> {
  parseArguments("components", args, {});
  process.stdout.write(componentsYaml(manifest as unknown as Manifest));
  return 0;
}

/** Written by hand: the shape is fixed, every text in it is plain YAML. @see Collector: `otelcol/command_components.go`. */
function componentsYaml(all: Manifest): string {
  const providers = schemes
    .toSorted()
    .map((scheme) => `    - scheme: ${scheme}\n      module: otelpipe/pipeline/config v${version}\n`);
  return `buildinfo:
    command: otelpipe
    description: OpenTelemetry Collector for LLM inference
    version: ${version}
${sections.map((section) => sectionYaml(section, all[section])).join("")}providers:
${providers.join("")}`;
}

function sectionYaml(section: Section, components: Readonly<Record<string, ManifestEntry>>): string {
  const listed = Object.entries(components)
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([name, entry]) => {
      const levels = Object.entries(levelsOf(section, entry)).map(([signal, level]) => `        ${signal}: ${level}\n`);
      return `    - name: ${name}
      module: otelpipe/${section}/${name} v${version}
      stability:
${levels.join("")}`;
    });
  return listed.length === 0 ? `${section}: []\n` : `${section}:\n${listed.join("")}`;
}

const signals = ["logs", "metrics", "traces"];

/** Stability by what the Collector lists for a section, sorted: `Undefined` for what a component does not do. */
function levelsOf(section: Section, { stability }: ManifestEntry): Readonly<Record<string, string>> {
  const levels = new Map(expectedBy(section).map((name) => [name, "Undefined"]));
  for (const [name, level] of Object.entries(stability))
    levels.set(name.replaceAll("_to_", "-to-"), capitalised(level));
  return Object.fromEntries([...levels].sort(([left], [right]) => (left < right ? -1 : 1)));
}

function expectedBy(section: Section): readonly string[] {
  if (section === "extensions") return ["extension"];
  return section === "connectors" ? signals.flatMap((from) => signals.map((to) => `${from}-to-${to}`)) : signals;
}

function capitalised(level: string): string {
  return level.charAt(0).toUpperCase() + level.slice(1);
}
