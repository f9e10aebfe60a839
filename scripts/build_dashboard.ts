import { createHash } from "node:crypto";
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename, extname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import type { Manifest } from "../extensions/dashboard/assets.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const source = join(root, "dashboard");

const types = new Map([
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".woff2", "font/woff2"],
  [".svg", "image/svg+xml"],
]);

/**
 * Builds the dashboard's page into `outDir`: hashed scripts, styles and fonts, the page, and `manifest.json`, written
 * last, so that a reader finds all of it or the build before. Does nothing when the sources have not changed.
 */
export async function buildDashboard(outDir: string): Promise<void> {
  const sources = await digestOfSources();
  if ((await builtFrom(outDir)) === sources) return;
  await mkdir(outDir, { recursive: true });
  // Built aside and moved file by file: several processes may build and read the same folder at once.
  const scratch = await mkdtemp(join(outDir, "..", ".building-"));
  try {
    const plotly = await copyPlotly(scratch);
    const bundled = await bundle(scratch, plotly);
    const page = await writePage(scratch, bundled);
    const names = [plotly, ...bundled].sort();
    const manifest: Manifest = {
      sources,
      page,
      files: Object.fromEntries(names.map((name) => [name, describe(name)])),
    };
    await writeFile(join(scratch, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
    const all = [...names, page, "manifest.json"];
    for (const name of all) await rename(join(scratch, name), join(outDir, name));
    await removeOthers(outDir, new Set(all));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function describe(name: string): { type: string } {
  return { type: types.get(extname(name)) ?? "application/octet-stream" };
}

async function builtFrom(outDir: string): Promise<string | undefined> {
  const text = await readFile(join(outDir, "manifest.json"), "utf8").catch(() => undefined); // not built yet
  return text === undefined ? undefined : (JSON.parse(text) as Manifest).sources;
}

/** Everything the page is made of: its own files, this script, and the versions of what it takes in. */
async function digestOfSources(): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(source, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const file of [...files.sort(), fileURLToPath(import.meta.url), join(root, "package-lock.json")]) {
    hash
      .update(`${relative(root, file)}\0`)
      .update(await readFile(file))
      .update("\0");
  }
  return hash.digest("hex");
}

/** Plotly stays a file of its own, loaded after the page stands. */
async function copyPlotly(outDir: string): Promise<string> {
  const file = fileURLToPath(import.meta.resolve("plotly.js-cartesian-dist-min"));
  const hash = createHash("sha256")
    .update(await readFile(file))
    .digest("hex")
    .slice(0, 10);
  const name = `plotly-${hash}.js`;
  await copyFile(file, join(outDir, name));
  return name;
}

async function bundle(outDir: string, plotly: string): Promise<string[]> {
  const { build } = await import("esbuild");
  const result = await build({
    absWorkingDir: root,
    entryPoints: [join(source, "page.ts"), join(source, "style", "page.css")],
    outdir: outDir,
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2023",
    minify: true,
    metafile: true,
    entryNames: "[name]-[hash]",
    chunkNames: "[name]-[hash]",
    assetNames: "[name]-[hash]",
    loader: { ".woff2": "file" },
    publicPath: "/assets",
    define: { __PLOTLY_URL__: JSON.stringify(`/assets/${plotly}`) },
    legalComments: "inline",
    logLevel: "warning",
  });
  return Object.keys(result.metafile.outputs).map((output) => basename(output));
}

async function writePage(outDir: string, bundled: readonly string[]): Promise<string> {
  const named = (start: string, end: string) => {
    const found = bundled.find((name) => name.startsWith(start) && name.endsWith(end));
    if (found === undefined) throw new Error(`the build made no ${start}*${end}`);
    return `/assets/${found}`;
  };
  const template = await readFile(join(source, "index.html"), "utf8");
  const html = template
    .replace("{{style}}", named("page-", ".css"))
    .replace("{{script}}", named("page-", ".js"))
    .replace("{{inter}}", named("inter-", ".woff2"))
    .replace("{{mono}}", named("jetbrains-mono-", ".woff2"));
  const name = `index-${createHash("sha256").update(html).digest("hex").slice(0, 10)}.html`;
  await writeFile(join(outDir, name), html);
  return name;
}

async function removeOthers(outDir: string, kept: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(outDir)) {
    if (!kept.has(name)) await rm(join(outDir, name), { force: true });
  }
}
