import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import { packageFile } from "../../pipeline/process/package_file.ts";

/** What the build leaves beside the files: the page, and for each file its type. Names carry a content hash. */
export interface Manifest {
  /** A digest of all sources: when it differs, a checkout builds again. */
  readonly sources: string;
  readonly page: string;
  readonly files: Readonly<Record<string, { readonly type: string }>>;
}

export interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  /** The same bytes compressed; absent for what is compressed already. */
  readonly gzipped?: Buffer;
}

/** The built page, all of it in memory: a build beside a running daemon takes nothing from it. */
export class Assets {
  readonly page: Buffer;
  readonly #files: ReadonlyMap<string, { readonly type: string; readonly plain: Buffer }>;
  readonly #compressed = new Map<string, Promise<Buffer>>();

  constructor(page: Buffer, files: ReadonlyMap<string, { readonly type: string; readonly plain: Buffer }>) {
    this.page = page;
    this.#files = files;
  }

  /** The file of that exact name, when the build made one. Compressed when first asked for, once. */
  async find(name: string): Promise<Asset | undefined> {
    const file = this.#files.get(name);
    if (file === undefined || file.type.startsWith("font/")) return file;
    const compressing = this.#compressed.get(name) ?? promisify(gzip)(file.plain);
    this.#compressed.set(name, compressing);
    return { ...file, gzipped: await compressing };
  }
}

/**
 * Loads the built page from `dist/dashboard/`. In a checkout it is built there first when its sources have changed.
 * @throws {Error} when there is no built page and nothing to build it from.
 */
export async function loadAssets(): Promise<Assets> {
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const builder = join(root, "scripts", "build_dashboard.ts");
  if (!existsSync(builder)) return await readAssets(packageFile("dist/dashboard"));
  const folder = join(root, "dist", "dashboard");
  // Named at run time, so that the bundle of the package does not take the build in.
  const { buildDashboard } = (await import(builder)) as { buildDashboard(outDir: string): Promise<void> };
  await buildDashboard(folder);
  return await readAssets(folder);
}

async function readAssets(folder: string): Promise<Assets> {
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Manifest;
  const files = Object.entries(manifest.files).map(
    async ([name, { type }]) => [name, { type, plain: await readFile(join(folder, name)) }] as const,
  );
  return new Assets(await readFile(join(folder, manifest.page)), new Map(await Promise.all(files)));
}
