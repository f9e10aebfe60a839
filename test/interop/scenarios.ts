import assert from "node:assert/strict";
import { type Command, fromSources } from "../support/daemon.ts";
import type { Difference, Findings, Row } from "./check.ts";
import type { Peer } from "./peers/peer.ts";

/** One of the two programs that are put through the same. */
export interface Program {
  readonly name: "otelpipe" | "Collector";
  readonly command: Command;
}

/** What one program showed, in words that can be compared: by scenario. */
export type Observations = Readonly<Record<string, string>>;

/** Why the two differ on purpose, by scenario. A difference that is not here fails, and so does one that is gone. */
export type Reasons = Readonly<Record<string, string>>;

/** Puts the Collector and otelpipe through `observe`, one after the other, and compares what they showed. */
export async function compare(
  peer: Peer,
  observe: (program: Program) => Promise<Observations>,
  reasons: Reasons = {},
): Promise<Findings> {
  const theirs = await observe({ name: "Collector", command: { program: peer.executable, args: [] } });
  const ours = await observe({ name: "otelpipe", command: fromSources });
  return judge(ours, theirs, reasons);
}

/** A row for each scenario. @throws with every difference that `reasons` does not know, and every one that is gone. */
export function judge(ours: Observations, theirs: Observations, reasons: Reasons): Findings {
  const rows: Row[] = [];
  const differences: Difference[] = [];
  const unexpected: string[] = [];
  const scenarios = new Set([...Object.keys(theirs), ...Object.keys(ours)]);
  for (const scenario of scenarios) {
    const [otelpipe = "nothing", collector = "nothing"] = [ours[scenario], theirs[scenario]];
    const reason = reasons[scenario];
    const isAlike = otelpipe === collector;
    if (isAlike && reason !== undefined) unexpected.push(`${scenario}: listed, but no longer differs`);
    if (!isAlike && reason === undefined) unexpected.push(`${scenario}\n  ours   ${otelpipe}\n  theirs ${collector}`);
    if (!isAlike && reason !== undefined) {
      differences.push({ input: scenario, otelpipe: short(otelpipe), collector: short(collector), reason });
    }
    const result = isAlike ? short(collector) : "differs as listed";
    rows.push({ peer: "Collector", checked: scenario, result, equal: isAlike ? 1 : 0 });
  }
  for (const scenario of Object.keys(reasons)) {
    if (!scenarios.has(scenario)) unexpected.push(`${scenario}: listed, but there is no such scenario`);
  }
  assert.ok(unexpected.length === 0, `${unexpected.length} are not as expected:\n${unexpected.join("\n")}`);
  return { rows, differences };
}

/** So much of a text as a table can hold. */
function short(text: string): string {
  const line = text.replaceAll("\n", " ");
  return line.length > 160 ? `${line.slice(0, 160)}…` : line;
}
