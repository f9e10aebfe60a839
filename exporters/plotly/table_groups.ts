import type { TableWindow } from "../../pipeline/board.ts";
import { numberAt, textAt } from "../../pipeline/frame/builders.ts";
import type { Column, NumberColumn, StringColumn } from "../../pipeline/frame/columns.ts";
import { inSlices, type Pause } from "../../pipeline/frame/engine.ts";

/** The groups of an aggregate's windows by name, each window read once. */
export class TableGroups {
  readonly #rows = new Map<TableWindow, ReadonlyMap<string, number>>();
  /** By name: the sum of the first aggregate over all windows, and in how many of them the group occurs. */
  readonly #groups = new Map<string, { weight: number; windows: number }>();

  /** Brings the groups up to date with `windows`. */
  async update(windows: readonly TableWindow[], pause: Pause): Promise<void> {
    const present = new Set(windows);
    for (const [window, rows] of this.#rows) {
      if (present.has(window)) continue;
      this.#weigh(window, rows, -1);
      this.#rows.delete(window);
    }
    for (const window of present) {
      if (this.#rows.has(window)) continue;
      const rows = await rowsByName(window, pause);
      this.#rows.set(window, rows);
      this.#weigh(window, rows, 1);
    }
  }

  get count(): number {
    return this.#groups.size;
  }

  /** Names of the groups with the largest sums, at most `limit`. */
  largest(limit: number): readonly string[] {
    const sorted = [...this.#groups].sort(([a, left], [b, right]) => right.weight - left.weight || (a < b ? -1 : 1));
    return sorted.slice(0, limit).map(([name]) => name);
  }

  /** The value of `group` in a column of a window; undefined when it has none. */
  value(window: TableWindow, column: string, group: string): number | undefined {
    const row = this.#rows.get(window)?.get(group);
    const values = numberColumns(window).find(({ name }) => name === column);
    return row === undefined || values === undefined ? undefined : numberAt(values, row);
  }

  #weigh(window: TableWindow, rows: ReadonlyMap<string, number>, sign: 1 | -1): void {
    const [first] = numberColumns(window);
    for (const [name, row] of rows) {
      const group = this.#groups.get(name) ?? { weight: 0, windows: 0 };
      group.weight += sign * Math.abs((first && numberAt(first, row)) ?? 0);
      group.windows += sign;
      if (group.windows === 0) this.#groups.delete(name);
      else this.#groups.set(name, group);
    }
  }
}

/** The aggregates of a table. */
export function numberColumns(window: TableWindow): readonly NumberColumn[] {
  return window.columns.filter(isNumber);
}

async function rowsByName(window: TableWindow, pause: Pause): Promise<ReadonlyMap<string, number>> {
  const texts = window.columns.filter(isText);
  const rows = new Map<string, number>();
  await inSlices(window.rowCount, pause, (from, to) => {
    for (let row = from; row < to; row++) rows.set(groupName(texts, row), row);
  });
  return rows;
}

function groupName(texts: readonly StringColumn[], row: number): string {
  return texts.length === 0 ? "all" : texts.map((column) => textAt(column, row) ?? "not reported").join(" · ");
}

function isText(column: Column): column is StringColumn {
  return column.type === "string";
}

function isNumber(column: Column): column is NumberColumn {
  return column.type === "f64";
}
