import type { TableSource, TableWindow, TimeRange } from "../../pipeline/board.ts";
import type { Pause } from "../../pipeline/frame/engine.ts";
import { pageLayout, timeAxis } from "./axes.ts";
import { config, isoTime, type PlotlyFigure } from "./figure.ts";
import type { Drawing } from "./latest_figure.ts";
import { numberColumns, TableGroups } from "./table_groups.ts";
import { escapeText } from "./text.ts";

/** Lines in a figure: the groups with the largest sum of the first column. */
const lineLimit = 8;

/** A figure drawn from the tables of an `aggregate`. */
export interface TableFigure {
  /** Fit for a file name. */
  readonly name: string;
  readonly title: string;
  readonly drawing: Drawing;
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
      const whole = this.#lines(name, column, windows);
      const part = (range: TimeRange) => this.#lines(name, column, windowsWithin(range, windows));
      return { name, title: `${this.#id}: ${column}`, drawing: { whole: () => whole, part } };
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

/** The windows of a part of the time, all of each that reaches into it; its end is that of the last one. */
function windowsWithin({ rangeMs, endUnixMs }: TimeRange, windows: readonly TableWindow[]): readonly TableWindow[] {
  const toUnixMs = endUnixMs ?? windows.at(-1)?.endUnixMs ?? 0;
  return windows.filter((window) => window.endUnixMs > toUnixMs - rangeMs && window.startUnixMs < toUnixMs);
}
