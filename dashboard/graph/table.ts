import { clock, count, timeSpan } from "../../pipeline/number_text.ts";
import { el, telemetry } from "../dom.ts";
import type { GraphNode } from "../wire/messages.ts";

const mostRows = 500;
const statusWord = { OK: "OK", ERROR: "Error", UNSET: "Unset" } as const;

/** The graph as a table, failed spans first, then the latest. */
export function graphTable(nodes: readonly GraphNode[], open: (node: GraphNode) => void): HTMLElement {
  const failed = (node: GraphNode) => Number(node.status === "ERROR");
  const sorted = nodes.toSorted((one, other) => failed(other) - failed(one) || other.startUnixMs - one.startUnixMs);
  const heads = ["Span", "Status", "Service", "Start (UTC)", "Duration"];
  const rest = sorted.length - mostRows;
  return el(
    "table",
    {},
    el("caption", { class: "unseen" }, "Spans of the trace graph"),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...heads.map((head) => el("th", { scope: "col", class: head === "Duration" ? "number" : undefined }, head)),
      ),
    ),
    el(
      "tbody",
      {},
      ...sorted.slice(0, mostRows).map((node) => row(node, open)),
      rest > 0 ? el("tr", {}, el("td", { colspan: heads.length }, `and ${count(rest)} more`)) : undefined,
    ),
  );
}

function row(node: GraphNode, open: (node: GraphNode) => void): HTMLElement {
  const name = el("button", { type: "button", class: "link code" }, telemetry(node.label, 40));
  name.addEventListener("click", () => open(node));
  return el(
    "tr",
    {},
    el("td", {}, name),
    el(
      "td",
      {},
      el("span", { class: `mark ${node.status.toLowerCase()}`, "aria-hidden": "true" }),
      ` ${statusWord[node.status]}`,
    ),
    el("td", {}, telemetry(node.service, 24)),
    el("td", {}, clock(node.startUnixMs)),
    el("td", { class: "number" }, timeSpan(node.durationMs)),
  );
}
