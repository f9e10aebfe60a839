import { writeFileSync } from "node:fs";
import { migrateFile } from "../pipeline/config/migrate.ts";
import { openSource, processSurroundings } from "../pipeline/config/source.ts";
import type { Manifest } from "../pipeline/manifest.ts";
import { parseArguments } from "./arguments.ts";
import manifest from "./manifest.generated.json" with { type: "json" };
import { UsageError } from "./usage_error.ts";

/**
 * `otelpipe migrate FILE`: the configuration rewritten for today on stdout, or into the file itself with `--write`; what
 * was old on stderr.
 *
 * @returns the exit code: 0 when nothing was old, 2 when something was, so that scripts can tell.
 */
export async function migrate(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments("migrate", args, { write: { type: "boolean" } }, 1);
  const [path] = positionals;
  if (path === undefined) throw new UsageError("migrate takes a file: otelpipe migrate pipeline.yaml");
  const opened = openSource(`file:${path}`, processSurroundings());
  if ("failure" in opened) throw new Error(opened.failure);
  const { text, changes } = migrateFile(opened.source, manifest as unknown as Manifest);
  for (const change of changes) process.stderr.write(`${change}\n`);
  if (!values.write) process.stdout.write(text);
  else if (changes.length > 0) writeFileSync(path, text);
  return changes.length > 0 ? 2 : 0;
}
