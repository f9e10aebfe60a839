import { join } from "node:path";
import { type BuildOptions, build, type Plugin } from "esbuild";
import { thirdPartyNotices } from "./notices.ts";
import { root } from "./root.ts";

/** What the dashboard's page is bundled from, besides our own files. */
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

const options = {
  absWorkingDir: root,
  entryPoints: { main: "cmd/main.ts" },
  outdir: join(root, "dist"),
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
} as const satisfies BuildOptions;

/** Writes the daemon with everything it imports to `dist/`: a chunk for each part that loads lazily. */
export async function writeBundle(): Promise<void> {
  await build({ ...options, write: true });
}

/** The notices of everything that the package contains. */
export async function bundledNotices(): Promise<string> {
  const { metafile } = await build({ ...options, write: false });
  return thirdPartyNotices([...Object.keys(metafile.inputs), ...inDashboard]);
}
