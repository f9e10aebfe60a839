import type { Report } from "../pipeline/graph/drain.ts";

/** Reasons that a setting of the user's asked for; every other drop is a loss. */
const bySetting = new Set(["sampled_out", "filtered_out"]);

/** The final books for people: what was received, dropped and why, exported, and whether they balance. */
export function booksText({ nodes, unanswered, faults }: Report): string {
  const rows: string[][] = [];
  let lost = 0;
  let held = 0;
  for (const { node, books } of nodes) {
    const name = nameOf(node);
    if (node.kind === "receiver") rows.push(["received", name, count(books.in), refusedText(books.refused)]);
    if (node.kind === "exporter") rows.push(["exported", name, count(books.out), refusedText(books.refused)]);
    for (const [reason, items] of books.dropped) {
      rows.push(["dropped", name, count(items), reason]);
      if (!bySetting.has(reason)) lost += items;
    }
    held += books.held;
  }
  const balance = held === 0 ? "in = out + dropped + refused everywhere" : `${count(held)} still held`;
  const lines = columns(order.flatMap((what) => rows.filter(([first]) => first === what)));
  lines.push(`lost ${count(lost)}; ${balance}.`);
  if (unanswered > 0) lines.push(`${count(unanswered)} requests were told to come back.`);
  if (faults > 0)
    lines.push(`${count(faults)} deliveries were answered twice or never: a bug in otelpipe, please report it.`);
  return lines.join("\n");
}

const order = ["received", "dropped", "exported"];

/** `batch (traces/jaeger)`, `debug (metrics)`, `otlp`: the id, and what tells instances of one id apart. */
function nameOf({ id, kind, key, pipelineId }: Report["nodes"][number]["node"]): string {
  if (pipelineId !== undefined) return `${id} (${pipelineId})`;
  return kind === "receiver" ? id : `${id} (${key.split(":")[1]})`;
}

function refusedText(refused: number): string {
  return refused === 0 ? "" : `${count(refused)} refused, the sender knows`;
}

/** Digits in groups of three, with narrow no-break spaces. */
function count(items: number): string {
  return String(items).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

function columns(rows: readonly string[][]): string[] {
  const widths = rows.reduce<number[]>(
    (known, row) => row.map((cell, at) => Math.max(known[at] ?? 0, cell.length)),
    [],
  );
  return rows.map(([what = "", name = "", items = "", remark = ""]) =>
    [what.padEnd(widths[0] ?? 0), name.padEnd(widths[1] ?? 0), items.padStart(widths[2] ?? 0), remark]
      .join("  ")
      .trimEnd(),
  );
}
