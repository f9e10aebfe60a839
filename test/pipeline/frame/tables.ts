import type { TableWindow } from "../../../pipeline/board.ts";
import { numberAt, textAt } from "../../../pipeline/frame/builders.ts";

/** The rows of a table as plain objects by column name, an absent value left out. */
export function rowsOfTable(table: TableWindow | undefined): readonly Record<string, string | number>[] {
  if (table === undefined) return [];
  return Array.from({ length: table.rowCount }, (_, row) =>
    Object.fromEntries(
      table.columns.flatMap((column) => {
        const value = column.type === "string" ? textAt(column, row) : numberAt(column, row);
        return value === undefined ? [] : [[column.name, value]];
      }),
    ),
  );
}
