import { readFile, realpath } from "node:fs/promises";
import { basename, resolve } from "node:path";
import type { OtlpJsonFileConfig } from "./config.ts";
import type { TrackedFile } from "./tracked_file.ts";

/** What the settings want said about a file with every item of it: attributes by name. */
export async function fileAttributes(
  settings: OtlpJsonFileConfig,
  { path, handle }: Pick<TrackedFile, "path" | "handle">,
): Promise<Readonly<Record<string, string>>> {
  const attributes: Record<string, string> = {};
  if (settings.include_file_name) attributes["log.file.name"] = basename(path);
  if (settings.include_file_path) attributes["log.file.path"] = path;
  const { include_file_permissions, include_file_owner_name, include_file_owner_group_name } = settings;
  if (include_file_permissions || include_file_owner_name || include_file_owner_group_name) {
    const stats = await handle?.stat();
    if (stats !== undefined) {
      const { mode, uid, gid } = stats;
      if (include_file_permissions) attributes["log.file.permissions"] = (mode & 0o777).toString(8).padStart(3, "0");
      if (include_file_owner_name) attributes["log.file.owner.name"] = await nameIn("/etc/passwd", uid);
      if (include_file_owner_group_name) attributes["log.file.owner.group.name"] = await nameIn("/etc/group", gid);
    }
  }
  if (settings.include_file_name_resolved || settings.include_file_path_resolved) {
    const real = resolve(await realpath(path).catch(() => path));
    if (settings.include_file_name_resolved) attributes["log.file.name_resolved"] = basename(real);
    if (settings.include_file_path_resolved) attributes["log.file.path_resolved"] = real;
  }
  return attributes;
}

/** The name of a user or a group; its number when the table does not have it. */
async function nameIn(table: string, id: number): Promise<string> {
  const lines = (await readFile(table, "utf8").catch(() => "")).split("\n").map((line) => line.split(":"));
  return lines.find(([, , number]) => number === String(id))?.[0] ?? String(id);
}
