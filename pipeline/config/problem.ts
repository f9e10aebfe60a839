import { linesOf, type Place, positionAt } from "./place.ts";
import { type Path, pathText } from "./tree.ts";

/** One thing that is wrong with a configuration. */
export interface Problem {
  readonly place: Place;
  readonly path: Path;
  /** What is wrong, in lower case: `unknown key "timout"`. */
  readonly message: string;
  /** Stands beside the carets: `did you mean "timeout"?`. */
  readonly hint?: string;
  /** Lines below the source: what is accepted, where to read on. */
  readonly notes?: readonly string[];
}

/** Everything that is wrong with a configuration, in the order of the file. Its message is the whole text. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];
  /** Warnings found on the way. */
  readonly warnings: readonly string[];

  constructor(problems: readonly Problem[], warnings: readonly string[] = []) {
    const ordered = inFileOrder(problems);
    super(renderProblems(ordered, { color: false }));
    this.problems = ordered;
    this.warnings = warnings;
  }
}

/**
 * Problems as text for a person who has the file open: per problem `file:line:column: path: what`, the source around
 * it with carets and a hint, then its notes; a blank line between two. Ends without a newline.
 */
export function renderProblems(problems: readonly Problem[], { color }: { readonly color: boolean }): string {
  return problems.map((problem) => renderProblem(problem, color ? ansi : plain)).join("\n\n");
}

/** `file:line:column` of the start of `place`. */
export function placeText(place: Place): string {
  const { line, column } = positionAt(place.source.text, place.start);
  return `${place.source.name}:${line}:${column}`;
}

type Paint = Readonly<Record<"where" | "what" | "frame" | "hint", (text: string) => string>>;

const plain: Paint = { where: same, what: same, frame: same, hint: same };
const ansi: Paint = { where: sgr(1), what: sgr(31), frame: sgr(2), hint: sgr(36) };

function same(text: string): string {
  return text;
}

function sgr(code: number): (text: string) => string {
  return (text) => `\u001b[${code}m${text}\u001b[0m`;
}

function renderProblem({ place, path, message, hint, notes = [] }: Problem, paint: Paint): string {
  const subject = path.length > 0 ? `${pathText(path)}: ` : "";
  const head = `${paint.where(`${placeText(place)}:`)} ${subject}${paint.what(message)}`;
  return [head, ...frame(place, hint, paint), ...notes.map((note) => `  ${note}`)].join("\n");
}

/** Longest piece of a source line that is shown, and how much of it stands before the column, in characters. */
const shownWidth = 140;
const shownBefore = 60;

/**
 * The line of `place` and the one before it, and carets below what is meant on that line. Of a long line, a piece around
 * the column is shown.
 */
function frame(place: Place, hint: string | undefined, paint: Paint): string[] {
  const { line, column } = positionAt(place.source.text, place.start);
  const lines = linesOf(place.source.text);
  const characters = [...(lines[line - 1] ?? "")];
  const from = characters.length <= shownWidth ? 0 : Math.max(0, column - 1 - shownBefore);
  const [meant = ""] = place.source.text.slice(place.start, place.end).split(/[\r\n]/, 1);
  const room = Math.min(characters.length, from + shownWidth) - column + 1;
  const carets = "^".repeat(Math.max(1, Math.min([...meant].length, room)));
  const gap = [...cut(characters, from)]
    .slice(0, column - 1 - from + (from > 0 ? 1 : 0))
    .map((character) => (character === "\t" ? "\t" : " "))
    .join("");
  const width = Math.max(2, String(line).length);
  const gutter = (number: string) => paint.frame(`  ${number.padStart(width)} | `);
  const previous = cut([...(lines[line - 2] ?? "")], from);
  const before = line > 1 && previous.trim() !== "" ? [gutter(String(line - 1)) + previous] : [];
  const pointer = paint.hint(hint === undefined ? `${gap}${carets}` : `${gap}${carets} ${hint}`);
  return [...before, gutter(String(line)) + cut(characters, from), gutter("") + pointer];
}

/** The piece of a line from the character `from` on, with a mark on each side where something is left out. */
function cut(characters: readonly string[], from: number): string {
  if (from >= characters.length) return "";
  const to = from + shownWidth;
  return `${from > 0 ? "…" : ""}${characters.slice(from, to).join("")}${to < characters.length ? "…" : ""}`;
}

function inFileOrder(problems: readonly Problem[]): readonly Problem[] {
  const sources = [...new Set(problems.map((problem) => problem.place.source))];
  return problems.toSorted(
    (left, right) =>
      sources.indexOf(left.place.source) - sources.indexOf(right.place.source) || left.place.start - right.place.start,
  );
}
