import { Document, stringify } from "yaml";

/** A piece of a text: offsets in UTF-16 code units, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** `text` with another piece in place of `span`. */
export function spliced(text: string, { start, end }: Span, piece: string): string {
  return text.slice(0, start) + piece + text.slice(end);
}

/** `text` without one of the members between the brackets of `[a, b]` or `{a: 1, b: 2}`, nor the comma beside it. */
export function cutMember(text: string, members: readonly Span[], index: number): string {
  const [own, next, before] = [members[index], members[index + 1], members[index - 1]];
  if (own === undefined) return text;
  if (next !== undefined) return spliced(text, { start: own.start, end: next.start }, "");
  return spliced(text, before === undefined ? own : { start: before.end, end: own.end }, "");
}

/**
 * `text` without the lines of one member of a block list or mapping, a comment behind it included. Where something else
 * stands before it on its line, as the dash before a first key, that stays.
 */
export function cutLines(text: string, { start, end }: Span, next: number | undefined): string {
  const line = text.lastIndexOf("\n", start - 1) + 1;
  if (text.slice(line, start).trim() !== "" && next !== undefined) return spliced(text, { start, end: next }, "");
  return spliced(text, { start: line, end: lineEnd(text, end) }, "");
}

/** The start of the line after the one on which a value ends at `end`; a value may end with its own line break. */
export function lineEnd(text: string, end: number): number {
  const content = end - (/\s*$/.exec(text.slice(0, end))?.[0].length ?? 0);
  const newline = text.indexOf("\n", Math.max(0, content));
  return newline < 0 ? text.length : newline + 1;
}

/** The column of `offset`, from 0. */
export function columnOf(text: string, offset: number): number {
  return offset - (text.lastIndexOf("\n", offset - 1) + 1);
}

/** A value as YAML on one line. */
export function flowText(value: unknown): string {
  const document = new Document(value, { version: "1.2" });
  return document
    .toString({ collectionStyle: "flow", lineWidth: 0, indent: 2 })
    .trim()
    .replace(/\s*\n\s*/g, " ");
}

/** A mapping as YAML lines that begin at `column`, with a line break at the end. */
export function blockText(value: unknown, column: number): string {
  const lines = stringify(value, { lineWidth: 0, indent: 2 }).trimEnd().split("\n");
  return lines.map((line) => `${" ".repeat(column)}${line}\n`).join("");
}

/**
 * How a value is written in place of `written`, which means `before`: with its quotes and line breaks where only a part
 * of a text changes.
 */
export function valueInPlace(written: string, before: unknown, value: unknown): string {
  const [old, today] = [before, value].map((text) => (typeof text === "string" ? text.split("\n") : []));
  if (old === undefined || today === undefined || old.length === 0 || old.length !== today.length)
    return flowText(value);
  let from = 0;
  let result = written;
  for (const [index, line] of old.entries()) {
    const at = result.indexOf(line, from);
    if (at < 0) return flowText(value);
    const piece = today[index] ?? "";
    result = spliced(result, { start: at, end: at + line.length }, piece);
    from = at + piece.length;
  }
  return result;
}
