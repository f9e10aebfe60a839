import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * The absolute path of a file or folder that ships with the package, such as `proto/opentelemetry`: it lies beside the
 * sources in a checkout and beside the bundle's folder in an installed package.
 *
 * @throws {Error} when the package is incomplete.
 */
export function packageFile(path: string): string {
  for (let folder = import.meta.dirname; ; folder = dirname(folder)) {
    const candidate = join(folder, path);
    if (existsSync(candidate)) return candidate;
    if (dirname(folder) === folder) throw new Error(`this installation of otelpipe lacks its file ${path}`);
  }
}
