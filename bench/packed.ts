import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../scripts/root.ts";

/** Packs this checkout and installs the tarball below `folder`, as `npm install -g` does. Gives back the package's folder. */
export function installPacked(folder: string): string {
  execFileSync("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: root, stdio: "pipe" });
  const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const tarball = join(folder, `otelpipe-${version}.tgz`);
  execFileSync("npm", ["install", "--silent", "--global", "--offline", "--prefix", folder, tarball], { stdio: "pipe" });
  return join(folder, "lib/node_modules/otelpipe");
}

/** The middle one of `values`, the larger of two. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
