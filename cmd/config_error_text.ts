import { type ConfigError, renderProblems } from "../pipeline/config/problem.ts";

/** What is printed on stderr for a wrong configuration: every problem, then how many there are. */
export function configErrorText({ problems, warnings }: ConfigError): string {
  const warned = warnings.map((warning) => `Warning: ${warning}\n`).join("");
  const count = problems.length === 1 ? "1 error" : `${problems.length} errors`;
  return `${warned}${renderProblems(problems, { color: wantsColor() })}\n\nError: the configuration has ${count}\n`;
}

/** Colour is for terminals, unless the user says no. @see https://no-color.org */
function wantsColor(): boolean {
  return process.stderr.isTTY && (process.env["NO_COLOR"] ?? "") === "" && process.env["TERM"] !== "dumb";
}
