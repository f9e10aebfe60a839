import type { TableSource, TableWindow } from "../../pipeline/board.ts";
import type { Pause } from "../../pipeline/frame/engine.ts";
import { pageLayout, timeAxis } from "./axes.ts";
import { config, isoTime, type PlotlyFigure } from "./figure.ts";
import { numberColumns, TableGroups } from "./table_groups.ts";
import { escapeText } from "./text.ts";

/** Lines in a figure: the groups with the largest sum of the first column. */
const lineLimit = 8;

/** A figure drawn from the tables of an `aggregate`. */
export interface TableFigure {
  /** Fit for a file name. */
  readonly name: string;
  readonly title: string;
  readonly figure: PlotlyFigure;
}

/** Draws the tables of one `aggregate`: a figure per aggregate column, in it a line per group over the closed windows. */
export class TableFigures {
  readonly #id: string;
  readonly #groups = new TableGroups();
  #drawn: TableWindow | undefined;

  constructor(id: string) {
    this.#id = id;
  }

  /** The figures, when a window has closed since the last call; none otherwise. */
  async draw(source: TableSource, pause: Pause): Promise<readonly TableFigure[]> {
    const windows = [...source.windows()];
    const latest = windows.at(-1);
    if (latest === undefined || latest === this.#drawn) return [];
    this.#drawn = latest;
    await this.#groups.update(windows, pause);
    return numberColumns(latest).map(({ name: column }) => {
      const name = `${this.#id}.${column}`.replace(/[^A-Za-z0-9._-]+/g, "_");
      return { name, title: `${this.#id}: ${column}`, figure: this.#lines(name, column, windows) };
    });
  }

  #lines(name: string, column: string, windows: readonly TableWindow[]): PlotlyFigure {
    const groups = this.#groups.largest(lineLimit);
    const x = windows.map(({ endUnixMs }) => isoTime(endUnixMs));
    return {
      data: groups.map((group, place) => ({
        type: "scatter",
        mode: "lines",
        name: escapeText(group),
        x,
        y: windows.map((window) => this.#groups.value(window, column, group) ?? null),
        line: { width: 1.5 },
        meta: { role: `series_${place + 1}` },
      })),
      layout: {
        ...pageLayout,
        uirevision: name,
        hovermode: "x unified",
        xaxis: timeAxis(windows[0]?.startUnixMs ?? 0, windows.at(-1)?.endUnixMs ?? 0),
        yaxis: { showgrid: true, zeroline: false, rangemode: "tozero" },
        meta: { figure: name, windows: windows.length, groups: this.#groups.count, drawn: groups.length },
      },
      config,
    };
  }
}
