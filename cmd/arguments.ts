import { type ParseArgsOptionsConfig, parseArgs } from "node:util";
import { closest } from "../pipeline/config/suggest.ts";
import { UsageError } from "./usage_error.ts";

/** The flags of every command that reads a configuration. */
export const configFlags = {
  config: { type: "string", multiple: true },
} as const satisfies ParseArgsOptionsConfig;

type Parsed<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O; allowPositionals: true; strict: true }>
>;

/**
 * Parses the arguments of `command`. `-h`/`--help` is for the caller to look for before.
 *
 * @throws {UsageError} naming the flag that is unknown, lacks its value, or the argument that is one too many.
 */
export function parseArguments<const O extends ParseArgsOptionsConfig>(
  command: string,
  args: readonly string[],
  options: O,
  maximumPositionals = 0,
): Parsed<O> {
  const unknown = unknownFlag(args, options);
  if (unknown !== undefined) throw new UsageError(unknownText("flag", unknown, flagNames(options)));
  try {
    const parsed = parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
    const extra = parsed.positionals[maximumPositionals];
    if (extra !== undefined) throw new UsageError(`${command} takes no argument ${JSON.stringify(extra)}`);
    return parsed;
  } catch (error) {
    if (error instanceof UsageError || !(error instanceof TypeError)) throw error;
    throw new UsageError(error.message.split("\n", 1).join(""), { cause: error });
  }
}

/** `unknown flag --confg, did you mean --config?` */
export function unknownText(what: string, word: string, candidates: readonly string[]): string {
  const guess = closest(word, candidates);
  return `unknown ${what} ${word}${guess === undefined ? "" : `, did you mean ${guess}?`}`;
}

function flagNames(options: ParseArgsOptionsConfig): string[] {
  return Object.keys(options).map((name) => `--${name}`);
}

function unknownFlag(args: readonly string[], options: ParseArgsOptionsConfig): string | undefined {
  const { tokens } = parseArgs({ args: [...args], options, allowPositionals: true, strict: false, tokens: true });
  const token = tokens.find((candidate) => candidate.kind === "option" && !Object.hasOwn(options, candidate.name));
  return token?.kind === "option" ? token.rawName : undefined;
}
