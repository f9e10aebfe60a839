import { recordColumn } from "./rows_logs.ts";
import { pointColumn } from "./rows_metrics.ts";
import { spanColumn } from "./rows_traces.ts";
import type { Signal } from "./signal.ts";

/** Cells of an item's row; 0 for profiles, which have none. */
export function itemWidth(signal: Signal): number {
  if (signal === "profiles") return 0;
  if (signal === "metrics") return pointColumn.width;
  return signal === "logs" ? recordColumn.width : spanColumn.width;
}
