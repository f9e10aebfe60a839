// Runs on any Node from 20 on, before anything is installed: installs what the lock file says, only when it has changed.
import { spawnSync } from "node:child_process";
import { statSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** When a file was last written, 0 when there is none. */
function writtenMs(path) {
  return statSync(join(root, path), { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

// npm writes the second one when it has finished installing.
if (writtenMs("package-lock.json") > writtenMs("node_modules/.package-lock.json")) {
  process.stderr.write("Installing what package-lock.json names (once, and when it changes)...\n");
  const options = ["ci", "--no-audit", "--no-fund", "--loglevel=error"];
  const { status } = spawnSync("npm", options, { cwd: root, stdio: "inherit" });
  if (status !== 0) {
    process.stderr.write("npm ci failed; see above.\n");
    process.exit(1);
  }
}
