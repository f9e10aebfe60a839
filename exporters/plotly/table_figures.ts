import type { TableSource, TableWindow } from "../../pipeline/board.ts";
import { numberAt, textAt } from "../../pipeline/frame/builders.ts";
import type { Column, NumberColumn, StringColumn } from "../../pipeline/frame/columns.ts";
import { pageLayout, timeAxis } from "./axes.ts";
import { config, isoTime, type PlotlyFigure } from "./figure.ts";
import { escapeText } from "./text.ts";

/** Lines in a figure; the groups with the largest sum of the first column. */
const lineLimit = 8;

/** A figure drawn from the tables of an `aggregate`. */
export interface TableFigure {
  /** Fit for a file name. */
  readonly name: string;
  readonly title: string;
  readonly figure: PlotlyFigure;
}

/** One figure per aggregate column of `source`: a line per group over its closed windows. None before the first closes. */
export function tableFigures(id: string, source: TableSource): readonly TableFigure[] {
  const windows = source.windows();
  const latest = windows.at(-1);
  if (latest === undefined) return [];
  const columns = latest.columns.filter(isNumber).map(({ name }) => name);
  const groups = groupsByWeight(windows);
  return columns.map((column) => {
    const name = `${id}_${column}`.replace(/[^A-Za-z0-9._-]+/g, "_");
    return { name, title: `${id}: ${column}`, figure: lines(name, column, windows, groups) };
  });
}

function lines(name: string, column: string, windows: readonly TableWindow[], groups: readonly string[]): PlotlyFigure {
  const first = windows[0]!;
  const last = windows.at(-1)!;
  const values = windows.map((window) => valuesByGroup(window, column));
  const x = windows.map(({ endUnixMs }) => isoTime(endUnixMs));
  const drawn = groups.slice(0, lineLimit);
  return {
    data: drawn.map((group, place) => ({
      type: "scatter",
      mode: "lines",
      name: escapeText(group),
      x,
      y: values.map((byGroup) => byGroup.get(group) ?? null),
      line: { width: 1.5 },
      meta: { role: `series_${place + 1}` },
    })),
    layout: {
      ...pageLayout,
      uirevision: name,
      hovermode: "x unified",
      xaxis: timeAxis(first.startUnixMs, last.endUnixMs),
      yaxis: { showgrid: true, zeroline: false, rangemode: "tozero" },
      meta: { figure: name, windows: windows.length, groups: groups.length, drawn: drawn.length },
    },
    config,
  };
}

function groupsByWeight(windows: readonly TableWindow[]): readonly string[] {
  const weights = new Map<string, number>();
  for (const window of windows) {
    const [first] = window.columns.filter(isNumber);
    if (first === undefined) continue;
    for (let row = 0; row < window.rowCount; row++) {
      const group = groupName(window, row);
      weights.set(group, (weights.get(group) ?? 0) + Math.abs(numberAt(first, row) ?? 0));
    }
  }
  return [...weights].sort(([a, left], [b, right]) => right - left || (a < b ? -1 : 1)).map(([group]) => group);
}

function valuesByGroup(window: TableWindow, name: string): ReadonlyMap<string, number | undefined> {
  const column = window.columns.filter(isNumber).find((candidate) => candidate.name === name);
  const rows = Array.from({ length: column === undefined ? 0 : window.rowCount }, (_, row) => row);
  return new Map(rows.map((row) => [groupName(window, row), column === undefined ? undefined : numberAt(column, row)]));
}

function groupName(window: TableWindow, row: number): string {
  const texts = window.columns.filter(isText).map((column) => textAt(column, row) ?? "not reported");
  return texts.length === 0 ? "all" : texts.join(" · ");
}

function isText(column: Column): column is StringColumn {
  return column.type === "string";
}

function isNumber(column: Column): column is NumberColumn {
  return column.type === "f64";
}
