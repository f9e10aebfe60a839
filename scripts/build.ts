import { rmSync } from "node:fs";
import { join } from "node:path";
import { buildDashboard } from "./build_dashboard.ts";
import { writeBundle } from "./bundle.ts";
import { root } from "./root.ts";

/** Builds what `npm pack` ships into `dist/`: the daemon's bundle and the dashboard's assets. */
const outdir = join(root, "dist");

// The dashboard's folder stays: a daemon of this checkout may be serving it, and it is replaced file by file.
for (const stale of ["chunks", "rare", "main.js", "daemon.cjs"])
  rmSync(join(outdir, stale), { recursive: true, force: true });
await writeBundle();
await buildDashboard(join(outdir, "dashboard"));
