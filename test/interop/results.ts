import { readFile, writeFile } from "node:fs/promises";
import { arch, cpus, platform } from "node:os";
import { fileURLToPath } from "node:url";

const docs = new URL("../../docs/", import.meta.url);

/** Replaces the part of a page of `docs/` between the markers of `name`; the rest is written by hand. */
export async function writeSection(file: string, name: "interop" | "real" | "measured", text: string): Promise<void> {
  const page = fileURLToPath(new URL(file, docs));
  const before = await readFile(page, "utf8");
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`];
  const [from, to] = [before.indexOf(begin), before.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${page} has no ${begin} before a ${end}`);
  await writeFile(page, `${before.slice(0, from + begin.length)}\n${text.trim()}\n${before.slice(to)}`);
}

/** When and where a run was made. */
export function runLine(command: string): string {
  const day = new Date().toISOString().slice(0, 10);
  return `\`${command}\` of ${day}: Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus().length} cores.`;
}

/** A Markdown table; cells are escaped. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escapeCell).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
