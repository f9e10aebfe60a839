import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { registry } from "../cmd/components.ts";
import { type Definitions, loadDefinitions, manifestOf } from "../pipeline/config/describe.ts";
import { configJsonSchema } from "../pipeline/config/json_schema.ts";
import { referenceIndex, referencePage } from "../pipeline/config/reference.ts";
import { type AnyDefinition, kindOf, sections } from "../pipeline/registry.ts";
import { bundledNotices } from "./bundle.ts";
import { conformancePage } from "./conformance.ts";
import { otlpServiceMethods } from "./services.ts";

/**
 * Writes what is derived from the components' definitions (the manifest, the JSON Schema, the reference pages), from our `.proto`
 * files (the gRPC services), from the tables of the specification's tests (the page on conformance) and from what the package bundles
 * (the notices). With
 * `--check` it writes nothing and exits 1, naming the files that are not what the definitions say.
 */
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const referenceFolder = "docs/reference";

/** Text by path from the root of the repository. */
type Files = ReadonlyMap<string, string>;

function generated(definitions: Definitions): Files {
  const manifest = manifestOf(definitions);
  const files = new Map([
    ["cmd/manifest.generated.json", json(manifest)],
    [`${referenceFolder}/README.md`, referenceIndex(manifest)],
    ["docs/schema/otelpipe.schema.json", json(configJsonSchema(definitions))],
    ["pipeline/net/services.generated.json", json(otlpServiceMethods())],
    ["docs/otlp-conformance.md", conformancePage()],
  ]);
  for (const definition of sections.flatMap((section): readonly AnyDefinition[] => definitions[section])) {
    files.set(`${referenceFolder}/${definition.kind}/${definition.type}.md`, referencePage(definition));
  }
  return files;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}

/** Pages of components that are no more. */
async function stalePages(files: Files): Promise<string[]> {
  const folders = Object.values(kindOf).map((kind) => `${referenceFolder}/${kind}`);
  const found = await Promise.all(
    folders.map(async (folder) => (await listed(folder)).map((name) => `${folder}/${name}`)),
  );
  return found.flat().filter((path) => !files.has(path));
}

async function listed(folder: string): Promise<string[]> {
  return readdir(join(root, folder)).catch(() => []);
}

async function driftedFiles(files: Files): Promise<string[]> {
  const checked = await Promise.all(
    [...files].map(async ([path, text]) => {
      const present = await readFile(join(root, path), "utf8").catch(() => undefined);
      return present === text ? [] : [path];
    }),
  );
  return [...checked.flat(), ...(await stalePages(files))];
}

async function write(files: Files): Promise<void> {
  for (const path of await stalePages(files)) await rm(join(root, path));
  for (const [path, text] of files) {
    await mkdir(dirname(join(root, path)), { recursive: true });
    await writeFile(join(root, path), text);
  }
}

const { check } = parseArgs({ options: { check: { type: "boolean", default: false } } }).values;
const files = new Map([
  ...generated(await loadDefinitions(registry)),
  ["THIRD_PARTY_NOTICES.md", await bundledNotices()],
]);
const drifted = await driftedFiles(files);
if (!check) await write(files);
for (const path of drifted) {
  console.log(check ? `${relative(".", join(root, path))} has drifted; run npm run generate` : `wrote ${path}`);
}
process.exitCode = check && drifted.length > 0 ? 1 : 0;
