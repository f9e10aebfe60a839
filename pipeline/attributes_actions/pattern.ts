import { RE2JS } from "re2js";
import { messageOf } from "../error_text.ts";

/** A regular expression of a user: RE2 syntax as in Go, matched in linear time. */
export interface Pattern {
  readonly source: string;
  /** The names of its groups in order; empty for a group without a name. */
  readonly groupNames: readonly string[];
  /** Whether it matches anywhere in `text`. */
  matches(text: string): boolean;
  /** The texts of the groups of the first match, in order, empty where a group took no part; undefined: no match. */
  groups(text: string): readonly string[] | undefined;
}

/** @throws {Error} when `source` is not a regular expression in RE2's syntax. */
export function compilePattern(source: string): Pattern {
  const compiled = RE2JS.compile(source);
  const groupNames = Array.from({ length: compiled.groupCount() }, () => "");
  for (const [name, index] of Object.entries(compiled.namedGroups())) groupNames[index - 1] = name;
  return {
    source,
    groupNames,
    matches: (text) => compiled.test(text),
    groups(text) {
      const matcher = compiled.matcher(text);
      if (!matcher.find()) return undefined;
      return groupNames.map((_, index) => matcher.group(index + 1) ?? "");
    },
  };
}

/** What is wrong with `source` as a pattern, or undefined. */
export function patternProblem(source: string): string | undefined {
  try {
    compilePattern(source);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}
