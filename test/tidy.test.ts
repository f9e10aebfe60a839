import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Folders git ignores. */
const ignored = new Set([".git", "node_modules", "dist", "coverage", "otelpipe-output"]);

/** Every text file below a folder, with its path from the root; found without git, which a machine may lack. */
function textFiles(folder: string): { path: string; text: string }[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ignored.has(entry.name) ? [] : textFiles(path);
    if (!/\.(ts|mjs|js|json|md|yaml|yml|proto|py|go|java|html|css)$/.test(path)) return [];
    return [{ path, text: readFileSync(join(root, path), "utf8") }];
  });
}

const files = textFiles(".");
const code = files.filter(({ path }) => path.endsWith(".ts"));
/** What `npm run generate`, `npm run test:interop` and changesets write. */
const writtenByPrograms = /^(THIRD_PARTY_NOTICES\.md|CHANGELOG\.md|docs\/interop\.md|docs\/reference\/)/;
const componentFolders = /^(receivers|processors|connectors|exporters|extensions)\//;

/** The layers, lowest first: a folder imports from its own layer and lower ones only. */
const layers = [
  ["pipeline/pdata/"],
  [
    "pipeline/config/schema.ts",
    "pipeline/config/duration.ts",
    "pipeline/frame/columns.ts",
    "pipeline/board.ts",
    "pipeline/view.ts",
    "pipeline/error_text.ts",
    "pipeline/number_text.ts",
    "pipeline/host.ts",
    "pipeline/delivery.ts",
    "pipeline/deadline.ts",
    "pipeline/component.ts",
    "pipeline/operators.ts",
    "pipeline/make_directory.ts",
    "pipeline/published_files.ts",
    "pipeline/registry.ts",
    "pipeline/tracing.ts",
    "pipeline/manifest.ts",
  ],
  [
    "pipeline/config/",
    "pipeline/process/",
    "pipeline/net/",
    "pipeline/frame/",
    "pipeline/storage/",
    "pipeline/attributes_actions/",
  ],
  ["pipeline/export/", "pipeline/telemetry/", "pipeline/llm/"],
  ["pipeline/graph/"],
  [
    "pipeline/service.ts",
    "pipeline/generation.ts",
    "pipeline/generations.ts",
    "pipeline/reloader.ts",
    "pipeline/running_telemetry.ts",
    "pipeline/workers/",
  ],
  ["receivers/", "processors/", "connectors/", "exporters/", "extensions/"],
  ["cmd/"],
] as const;

function layerOf(path: string): number {
  return layers.findIndex((prefixes) => prefixes.some((prefix) => path.startsWith(prefix)));
}

function importsOf({ path, text }: { path: string; text: string }): string[] {
  const statements = text.replace(/\/\*[\s\S]*?\*\//g, "");
  const specifiers = [...statements.matchAll(/(?:from|import)\s*\(?\s*"(\.[^"]+)"/g)].map((match) => match[1] ?? "");
  return specifiers.map((specifier) => normalize(join(dirname(path), specifier)));
}

/** Every offence of a pattern in some files, as `path:line: text`. */
function offences(where: readonly { path: string; text: string }[], pattern: RegExp): string[] {
  return where.flatMap(({ path, text }) =>
    text.split("\n").flatMap((line, index) => (pattern.test(line) ? [`${path}:${index + 1}: ${line.trim()}`] : [])),
  );
}

describe("the house", () => {
  it("has layers that do not import upwards", () => {
    const upwards = code.flatMap((file) => {
      const own = layerOf(file.path);
      if (own === -1) return [];
      return importsOf(file)
        .filter((target) => layerOf(target) > own)
        .map((target) => `${file.path} imports ${target}`);
    });
    assert.deepEqual(upwards, []);
  });

  it("has a layer for every file of the pipeline", () => {
    const homeless = code.filter(({ path }) => path.startsWith("pipeline/") && layerOf(path) === -1);
    assert.deepEqual(
      homeless.map(({ path }) => path),
      [],
    );
  });

  it("keeps components apart: none imports another's folder", () => {
    const across = code
      .filter(({ path }) => componentFolders.test(path))
      .flatMap((file) => {
        const own = file.path.split("/").slice(0, 2).join("/");
        return importsOf(file)
          .filter((target) => componentFolders.test(target) && !target.startsWith(`${own}/`))
          .map((target) => `${file.path} imports ${target}`);
      });
    assert.deepEqual(across, []);
  });

  it("has no file over 400 lines", () => {
    const handWritten = files.filter(
      ({ path }) => /\.(ts|mjs|js|py|go|java|css|html|md)$/.test(path) && !writtenByPrograms.test(path),
    );
    const long = handWritten.filter(({ text }) => text.split("\n").length > 401).map(({ path }) => path);
    assert.deepEqual(long, []);
  });

  it("reaches time and randomness through the host in components", () => {
    const components = code.filter(({ path }) => componentFolders.test(path));
    assert.deepEqual(
      offences(
        components,
        /\b(setTimeout|setInterval|setImmediate|AbortSignal\.timeout|Date\.now|performance\.now|Math\.random)\(/,
      ),
      [],
    );
  });

  it("builds pipelines without raw operators that filter, take or switch: they would leave deliveries unanswered", () => {
    const raw =
      /import\s*\{[^}]*\b(filter|take|takeUntil|takeWhile|first|skip|switchMap|exhaustMap|debounceTime|throttleTime|sample|distinct|bufferTime|mergeMap|concatMap)\b[^}]*\}\s*from "rxjs/;
    assert.deepEqual(
      offences(
        code.filter(({ path }) => !path.startsWith("test/")),
        raw,
      ),
      [],
    );
  });

  it("has nothing left over and names no workplace", () => {
    const others = files.filter(({ path }) => path !== "test/tidy.test.ts");
    assert.deepEqual(offences(others, /\b(FIXME|XXX|HACK)\b|\/work\/|\.\.\/shared\//), []);
  });

  it("has a lock file without download addresses, in step with package.json, with the packages of every platform", () => {
    const text = files.find(({ path }) => path === "package-lock.json")?.text ?? "";
    assert.doesNotMatch(text, /"resolved": "(?!scripts\/)/);
    const { packages } = JSON.parse(text) as { packages: Record<string, Locked> };
    const { devDependencies } = JSON.parse(files.find(({ path }) => path === "package.json")?.text ?? "") as Locked;
    assert.deepEqual(packages[""]?.devDependencies, devDependencies);
    const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
      Object.keys(optionalDependencies).filter((name) => !isLocked(packages, path, name)),
    );
    assert.deepEqual(missing, [], "npm ci refuses such a lock file");
  });
});

interface Locked {
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** Whether a package that depends on `name` finds it: in its own folder or in one above. */
function isLocked(packages: Readonly<Record<string, Locked>>, path: string, name: string): boolean {
  for (let from = path; ; from = from.slice(0, Math.max(0, from.lastIndexOf("node_modules/") - 1))) {
    if (join(from, "node_modules", name) in packages) return true;
    if (from === "") return false;
  }
}
