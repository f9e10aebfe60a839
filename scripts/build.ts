import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build, type Plugin } from "esbuild";
import { buildDashboard } from "./build_dashboard.ts";
import { thirdPartyNotices } from "./notices.ts";
import { root } from "./root.ts";

const outdir = join(root, "dist");

/** What the page is bundled from, besides our own files. */
const inDashboard = [
  "plotly.js-cartesian-dist-min",
  "sigma",
  "graphology",
  "graphology-utils",
  "events",
  "@fontsource-variable/inter",
  "@fontsource-variable/jetbrains-mono",
].map((name) => `node_modules/${name}/`);

/** An `import` of these reads each of their exports, and one of those loads Node's whole fetch. */
const lazyBuiltins: Plugin = {
  name: "lazy-builtins",
  setup(plugins) {
    plugins.onResolve({ filter: /^(node:)?https?$/ }, ({ path }) => ({ path, namespace: "lazy-builtins" }));
    plugins.onLoad({ filter: /./, namespace: "lazy-builtins" }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule(${JSON.stringify(path)})`,
    }));
  },
};

/**
 * Builds what `npm pack` ships: the daemon bundled with everything it imports, a chunk for each part that loads lazily,
 * the dashboard's assets, our `.proto` files, and the notices of all that was bundled.
 */
export async function buildPackage(): Promise<void> {
  // The dashboard's folder stays: a daemon of this checkout may be serving it, and it is replaced file by file.
  for (const stale of ["chunks", "main.js"]) rmSync(join(outdir, stale), { recursive: true, force: true });
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: { main: "cmd/main.ts" },
    outdir,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    target: "node22",
    chunkNames: "chunks/[name]-[hash]",
    metafile: true,
    minifySyntax: true,
    legalComments: "none",
    plugins: [lazyBuiltins],
    // Not rxjs' CommonJS build, which "node" would choose: all of it would be loaded for the little that is used.
    alias: { rxjs: join(root, "node_modules/rxjs/dist/esm/index.js") },
    // Bundled CommonJS modules ask for Node's own modules by `require`.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
  });
  await buildDashboard(join(outdir, "dashboard"));
  writeFileSync(
    join(outdir, "THIRD_PARTY_NOTICES.md"),
    thirdPartyNotices([...Object.keys(metafile.inputs), ...inDashboard]),
  );
}

if (import.meta.main) await buildPackage();
