import { count } from "../../pipeline/number_text.ts";
import type { FigureDocument } from "../api.ts";
import { el, telemetry } from "../dom.ts";
import { unescaped } from "./facts.ts";
import { asPart } from "./look.ts";

/** Rows a table shows; the rest is counted in its last line. */
const mostRows = 500;

/** The numbers of a figure as a table: one row per place on the x axis, or per point where there are several. */
export function figureTable({ data, layout }: FigureDocument, title: string): HTMLElement {
  const traces = data.filter((trace) => Array.isArray(trace["x"]) && Array.isArray(trace["y"]));
  const isScatter = traces.every((trace) => String(trace["mode"] ?? "").includes("markers"));
  const axis = asPart(layout["xaxis"]);
  const rows = isScatter ? pointRows(traces) : placeRows(traces, axis);
  const heads = isScatter
    ? ["Series", "Request"]
    : [axis["type"] === "date" ? "Time (UTC)" : "From", ...traces.map(nameOf)];
  const shown = rows.slice(0, mostRows);
  return el(
    "table",
    {},
    el("caption", { class: "unseen" }, title),
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...heads.map((head, index) =>
          el("th", { scope: "col", class: index > 0 && !isScatter ? "number" : undefined }, telemetry(head, 40)),
        ),
      ),
    ),
    el(
      "tbody",
      {},
      ...shown.map((row) =>
        el(
          "tr",
          {},
          ...row.map((cell, index) =>
            el("td", { class: index > 0 && !isScatter ? "number" : undefined }, telemetry(cell, 90)),
          ),
        ),
      ),
      rows.length > shown.length
        ? el("tr", {}, el("td", { colspan: heads.length }, `and ${count(rows.length - shown.length)} more`))
        : undefined,
    ),
  );
}

type Trace = FigureDocument["data"][number];

function nameOf(trace: Trace): string {
  return unescaped(String(trace["name"] ?? "value"));
}

function pointRows(traces: readonly Trace[]): string[][] {
  return traces.flatMap((trace) => {
    const said = trace["text"] as readonly unknown[] | undefined;
    return (trace["x"] as readonly unknown[]).map((x, index) => [
      nameOf(trace),
      unescaped(String(said?.[index] ?? `${String(x)}, ${String((trace["y"] as unknown[])[index])}`)).replaceAll(
        "<br>",
        ", ",
      ),
    ]);
  });
}

function placeRows(traces: readonly Trace[], axis: ReturnType<typeof asPart>): string[][] {
  const places = new Map<unknown, string[]>();
  traces.forEach((trace, column) => {
    const said = trace["text"] as readonly unknown[] | undefined;
    (trace["x"] as readonly unknown[]).forEach((x, index) => {
      const row = places.get(x) ?? [placeName(x, axis, said?.[index]), ...traces.map(() => "")];
      places.set(x, row);
      row[column + 1] = number((trace["y"] as readonly unknown[])[index]);
    });
  });
  return [...places]
    .sort(([one], [other]) =>
      String(one) < String(other) && axis["type"] === "date" ? -1 : Number(one) - Number(other) || 0,
    )
    .map(([, row]) => row);
}

/** Bars on a logarithmic axis say their range in their text; times are cut to the second. */
function placeName(x: unknown, axis: ReturnType<typeof asPart>, said: unknown): string {
  if (axis["type"] === "date") return String(x).slice(11, 19);
  const range = typeof said === "string" ? /^(.*?):/.exec(said)?.[1] : undefined;
  return range ?? String(x);
}

function number(value: unknown): string {
  if (typeof value !== "number") return "";
  return Number.isInteger(value) ? count(value) : value.toPrecision(3);
}
