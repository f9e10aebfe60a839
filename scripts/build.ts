import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { build } from "esbuild";
import { buildDashboard } from "./build_dashboard.ts";
import { thirdPartyNotices } from "./notices.ts";
import { root } from "./root.ts";

const outdir = join(root, "dist");

/**
 * Builds what `npm pack` ships: the daemon bundled with everything it imports, a chunk for each part that loads lazily,
 * the dashboard's assets, our `.proto` files, and the notices of all that was bundled.
 */
export async function buildPackage(): Promise<void> {
  rmSync(outdir, { recursive: true, force: true });
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
    external: ["@rapidsai/cudf"],
    // Bundled CommonJS modules ask for Node's own modules by `require`.
    banner: {
      js: 'import { createRequire as __createRequire } from "node:module"; const require = __createRequire(import.meta.url);',
    },
    define: { "process.env.OTELPIPE_BUNDLED": '"1"' },
  });
  const dashboard = await buildDashboard(join(outdir, "dashboard"));
  writeFileSync(join(outdir, "THIRD_PARTY_NOTICES.md"), thirdPartyNotices([...Object.keys(metafile.inputs), ...dashboard]));
}

if (import.meta.main) await buildPackage();
