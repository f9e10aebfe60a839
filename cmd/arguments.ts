import { closest } from "../pipeline/config/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** A flag of a command. A `multiple` one keeps every value in order, any other the last. */
export interface Flag {
  readonly type: "string" | "boolean";
  readonly multiple?: true;
  readonly default?: string | boolean;
}

/** Flags by name, without the dashes. */
export type Flags = Readonly<Record<string, Flag>>;

/** What was given: nothing is an empty list, false, the default or undefined. */
export type Values<F extends Flags> = { readonly [Name in keyof F]: ValueOf<F[Name]> };

type ValueOf<F extends Flag> = F["type"] extends "boolean"
  ? boolean
  : F extends { readonly multiple: true }
    ? readonly string[]
    : F extends { readonly default: string }
      ? string
      : string | undefined;

/** The arguments of a command. */
export interface Parsed<F extends Flags> {
  readonly values: Values<F>;
  readonly positionals: readonly string[];
}

/**
 * Parses the arguments of `command`: `--flag value`, `--flag=value`, `--switch`, `--switch=false`, anywhere among the
 * others; `--` ends the flags. A value may begin with a dash. `-h`/`--help` is for the caller to look for before.
 *
 * @throws {UsageError} naming the flag that is unknown, lacks its value, or the argument that is one too many.
 * @see Collector: pflag.
 */
export function parseArguments<const F extends Flags>(
  command: string,
  args: readonly string[],
  flags: F,
  maximumPositionals = 0,
): Parsed<F> {
  const given = new Map<string, (string | boolean)[]>();
  const positionals: string[] = [];
  const rest = [...args];
  for (let word = rest.shift(); word !== undefined; word = rest.shift()) {
    if (word === "--") positionals.push(...rest.splice(0));
    else if (!word.startsWith("-") || word === "-") positionals.push(word);
    else readFlag(word, rest, flags, given);
  }
  const extra = positionals[maximumPositionals];
  if (extra !== undefined) throw new UsageError(`${command} takes no argument ${JSON.stringify(extra)}`);
  const values = Object.entries(flags).map(([name, flag]) => [name, givenValue(flag, given.get(name))]);
  return { values: Object.fromEntries(values) as Values<F>, positionals };
}

/** `unknown flag --confg, did you mean --config?` */
export function unknownText(what: string, word: string, candidates: readonly string[]): string {
  const guess = closest(word, candidates);
  return `unknown ${what} ${word}${guess === undefined ? "" : `, did you mean ${guess}?`}`;
}

function readFlag(word: string, rest: string[], flags: Flags, given: Map<string, (string | boolean)[]>): void {
  const [written = "", value] = cut(word, "=");
  const name = written.slice(2);
  const flag = written.startsWith("--") && Object.hasOwn(flags, name) ? flags[name] : undefined;
  if (flag === undefined) {
    const names = Object.keys(flags).map((known) => `--${known}`);
    throw new UsageError(unknownText("flag", written, names));
  }
  const values = given.get(name) ?? [];
  given.set(name, values);
  if (flag.type === "boolean") {
    values.push(value === undefined ? true : booleanOf(name, value));
    return;
  }
  const text = value ?? rest.shift();
  if (text === undefined) throw new UsageError(`flag needs an argument: --${name}`);
  values.push(text);
}

function givenValue(flag: Flag, given: readonly (string | boolean)[] | undefined): unknown {
  if (flag.multiple === true) return given ?? [];
  return given?.at(-1) ?? flag.default ?? (flag.type === "boolean" ? false : undefined);
}

/** @see Go: `strconv.ParseBool`. */
function booleanOf(name: string, text: string): boolean {
  if (["1", "t", "T", "true", "TRUE", "True"].includes(text)) return true;
  if (["0", "f", "F", "false", "FALSE", "False"].includes(text)) return false;
  throw new UsageError(`invalid value ${JSON.stringify(text)} for --${name}: true or false`);
}

function cut(text: string, separator: string): readonly [string, string?] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
