import { count } from "../../pipeline/number_text.ts";
import { el, telemetry } from "../dom.ts";
import type { NodeState, Tick } from "../wire/messages.ts";

const columns = ["In", "Out", "By a setting", "Refused", "Held", "Lost"];

/** The books of every component: in = out + dropped + refused + held, with what was lost as a row of its own. */
export function booksTable(tick: Pick<Tick, "nodes" | "books">): HTMLElement {
  return el(
    "table",
    {},
    el("caption", { class: "unseen" }, "Items per component since the start"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        el("th", { scope: "col" }, "Component"),
        el("th", { scope: "col" }, "Pipeline"),
        ...columns.map(head),
      ),
    ),
    el("tbody", {}, ...tick.nodes.map(row), lostRow(tick.books.lost)),
  );
}

function head(name: string): HTMLElement {
  return el("th", { scope: "col", class: "number" }, name);
}

function row(node: NodeState): HTMLElement {
  const dropped = (lost: boolean) => node.dropped.reduce((sum, drop) => sum + (drop.lost === lost ? drop.items : 0), 0);
  const numbers = [node.in, node.out, dropped(false), node.refused, node.held, dropped(true)];
  return el(
    "tr",
    {},
    el("td", { class: "code" }, telemetry(node.id)),
    el("td", { class: "code" }, telemetry(node.pipelineId ?? "")),
    ...numbers.map((value) => el("td", { class: "number" }, count(value))),
  );
}

function lostRow(lost: number): HTMLElement {
  return el(
    "tr",
    { class: "total" },
    el("td", {}, "lost"),
    el("td", {}, lost === 0 ? "nowhere" : ""),
    ...columns.slice(1).map(() => el("td", {})),
    el("td", { class: "number" }, count(lost)),
  );
}
