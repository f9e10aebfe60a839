import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";

/** A pattern of paths, cut into the folders of it; `**` stands for any number of folders, none included. */
export interface Glob {
  /** `/` or the working directory (`.`). */
  readonly root: string;
  readonly parts: readonly GlobPart[];
}

type GlobPart = { readonly name: string } | { readonly match: RegExp } | "**";

/**
 * Reads patterns as the Collector's file readers do: `*` and `?` never match a slash, `[a-c]`, `[^a]`, `{a,b}`, `\` before a
 * character that is meant as it is. Several come of one with braces around slashes.
 *
 * @throws {SyntaxError} when a bracket or a brace is not closed
 */
export function parseGlob(pattern: string): readonly Glob[] {
  return withoutBraces(pattern).map((text) => {
    const parts = text.split("/").filter((part) => part !== "" && part !== ".");
    return { root: text.startsWith("/") ? "/" : ".", parts: parts.map(partOf) };
  });
}

function partOf(text: string): GlobPart {
  if (text === "**") return "**";
  if (!/[*?[\\]/.test(text)) return { name: text };
  return { match: new RegExp(`^${expression(text)}$`, "su") };
}

function expression(text: string): string {
  let result = "";
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (character === "*") result += "[^/]*";
    else if (character === "?") result += "[^/]";
    else if (character === "\\" && at + 1 < text.length) result += literal(text[++at] as string);
    else if (character === "[") {
      const end = text.indexOf("]", at + 2);
      if (end < 0) throw new SyntaxError("a [ without its ]");
      const inside = text.slice(at + 1, end).replace(/^[!^]/, "^");
      result += `[${inside.replace(/[\\[\]]/g, "\\$&")}]`;
      at = end;
    } else result += literal(character);
  }
  return result;
}

function literal(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
}

/** `a{b,c}d` as `abd` and `acd`; braces may nest. */
function withoutBraces(pattern: string): readonly string[] {
  const open = pattern.search(/(?<!\\)\{/);
  if (open < 0) return [pattern];
  let depth = 0;
  let from = open + 1;
  const choices: string[] = [];
  for (let at = open; at < pattern.length; at++) {
    const character = pattern[at];
    if (character === "\\") at += 1;
    else if (character === "{") depth += 1;
    else if ((character === "," && depth === 1) || (character === "}" && --depth === 0)) {
      choices.push(pattern.slice(from, at));
      from = at + 1;
      if (character === "}") {
        const [before, behind] = [pattern.slice(0, open), pattern.slice(at + 1)];
        return choices.flatMap((choice) => withoutBraces(before + choice + behind));
      }
    }
  }
  throw new SyntaxError("a { without its }");
}

/** The files that match, in the order of their folders' listings. What cannot be read is left out. */
export async function findFiles(globs: readonly Glob[]): Promise<ReadonlySet<string>> {
  const found = new Set<string>();
  for (const { root, parts } of globs) await descend(root, parts, found);
  return found;
}

async function descend(folder: string, [part, ...rest]: readonly GlobPart[], found: Set<string>): Promise<void> {
  if (part === undefined) return;
  if (part === "**") {
    await descend(folder, rest.length === 0 ? [{ match: /^/ }] : rest, found);
    for (const entry of await entriesOf(folder)) {
      if (entry.isDirectory()) await descend(join(folder, entry.name), ["**", ...rest], found);
    }
    return;
  }
  const names = "name" in part ? [part.name] : await namesIn(folder, part.match);
  for (const name of names) {
    const path = join(folder, name);
    if (rest.length > 0) await descend(path, rest, found);
    else if ((await stat(path).catch(() => undefined))?.isFile()) found.add(path);
  }
}

async function entriesOf(folder: string) {
  return await readdir(folder, { withFileTypes: true }).catch(() => []);
}

async function namesIn(folder: string, match: RegExp): Promise<string[]> {
  return (await entriesOf(folder)).map(({ name }) => name).filter((name) => match.test(name));
}
