import { parseArguments } from "./arguments.ts";
import { gates, isOnByDefault } from "./feature_gates.ts";

/** `otelpipe featuregate [id]`: the feature gates as a table, or one of them, on stdout. */
export async function listGates(args: readonly string[]): Promise<number> {
  const [id] = parseArguments("featuregate", args, {}, 1).positionals;
  process.stdout.write(id === undefined ? tableText() : gateText(id));
  return 0;
}

function gateText(id: string): string {
  const gate = Object.hasOwn(gates, id) ? gates[id] : undefined;
  if (gate === undefined) throw new Error(`feature ${JSON.stringify(id)} not found`);
  const to = gate.to === undefined ? "" : `To Version: ${gate.to}\n`;
  return `Feature: ${id}
Enabled: ${isOnByDefault(id)}
Stage: ${gate.stage}
Description: ${gate.description}
From Version: ${gate.from}
${to}`;
}

/** Columns two blanks apart, as Go's tabwriter sets them. */
function tableText(): string {
  const head = ["ID", "Enabled", "Stage", "Description"];
  const lines = Object.entries(gates).map(([id, { stage, description }]) => {
    return [id, String(isOnByDefault(id)), stage, description];
  });
  const rows = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)) + 2);
  const lineOf = (row: readonly string[]) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join("");
  return `${rows.map(lineOf).join("\n")}\n`;
}
