import { readFile, writeFile } from "node:fs/promises";
import { arch, cpus, platform } from "node:os";
import { fileURLToPath } from "node:url";
import type { Difference, Row } from "./check.ts";

const page = fileURLToPath(new URL("../../docs/interop.md", import.meta.url));

/** Replaces the part of `docs/interop.md` between the markers of `name`; the rest is written by hand. */
export async function writeSection(name: "interop" | "real", text: string): Promise<void> {
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

export function rowTable(rows: readonly Row[]): string {
  return table(
    ["peer", "what was checked", "result"],
    rows.map(({ peer, checked, result }) => [peer, checked, result]),
  );
}

export function differenceTable(differences: readonly Difference[]): string {
  return table(
    ["input", "otelpipe", "Collector", "why"],
    differences.map(({ input, otelpipe, collector, reason }) => [input, otelpipe, collector, reason]),
  );
}

function escapeCell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}
