import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire, getCompileCacheDir } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";
import { crc32 } from "node:zlib";

/** The expression that a bundle is: a function of what Node gives to a module. */
type Bundle = (
  require: (name: string) => unknown,
  module: { exports: unknown },
  exports: unknown,
  bundleUrl: string,
  bundleFolder: string,
) => void;

/** A bundle that has run. */
export interface CompiledBundle {
  readonly exports: unknown;
  /** Whether what V8 had compiled of it earlier was there, and used. */
  readonly wasKept: boolean;
  /** Keeps what V8 has compiled of it by now, unless it was kept already. Where nothing can be written it keeps nothing. */
  keep(): void;
}

const sumBytes = 4;

/**
 * Runs the bundle at `path` (ASCII, as `scripts/bundle.ts` writes it) with what an earlier process kept of its compiled
 * form in `folder`, which is Node's compile cache unless given. What is kept goes by `use`: each calls functions of its own.
 *
 * Node's own cache holds what is compiled when a file is loaded: not the functions in it, which V8 compiles when they are
 * called, and to compile those is a quarter of a start.
 */
export function runCompiled(path: string, use: string, folder = getCompileCacheDir()): CompiledBundle {
  const source = readFileSync(path);
  const file = folder === undefined ? undefined : join(folder, `otelpipe-${use}-${crc32(source).toString(16)}`);
  const cachedData = file === undefined ? undefined : readKept(file);
  const script = new Script(source.toString("latin1"), {
    filename: path,
    ...(cachedData !== undefined && { cachedData }),
  });
  const wasKept = cachedData !== undefined && script.cachedDataRejected !== true;
  const bundle: Bundle = script.runInThisContext();
  const module = { exports: {} };
  // Made when something is asked for by name, which is seldom.
  const require = (name: string): unknown => createRequire(path)(name);
  bundle(require, module, module.exports, pathToFileURL(path).href, dirname(path));
  return {
    exports: module.exports,
    wasKept,
    keep() {
      if (file !== undefined && !wasKept) writeKept(file, script.createCachedData());
    },
  };
}

/** What was kept in `file`; undefined when there is nothing, or not what was written: V8 would run it unseen. */
function readKept(file: string): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const data = bytes.subarray(sumBytes);
    return bytes.readUInt32LE(0) === crc32(data) ? data : undefined;
  } catch {
    return undefined;
  }
}

function writeKept(file: string, data: Buffer): void {
  const sum = Buffer.alloc(sumBytes);
  sum.writeUInt32LE(crc32(data));
  const draft = `${file}.${process.pid}`;
  try {
    writeFileSync(draft, Buffer.concat([sum, data]), { mode: 0o600 });
    renameSync(draft, file);
  } catch {
    rmSync(draft, { force: true });
  }
}
