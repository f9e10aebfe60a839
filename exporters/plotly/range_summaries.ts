import type { TimeRange } from "../../pipeline/board.ts";
import type { Summary } from "./summary.ts";

/** Open pages with a range of their own that share nothing: further ones are computed again. */
const mostKept = 8;

/** Summaries of parts of the window: computed when asked for, once for all figures between two redraws. */
export class RangeSummaries {
  readonly #summarize: (range: TimeRange) => Promise<Summary>;
  readonly #kept = new Map<string, Promise<Summary>>();

  constructor(summarize: (range: TimeRange) => Promise<Summary>) {
    this.#summarize = summarize;
  }

  of(range: TimeRange): Promise<Summary> {
    const key = `${range.rangeMs} ${range.endUnixMs ?? ""}`;
    const known = this.#kept.get(key);
    if (known !== undefined) return known;
    const [oldest] = this.#kept.keys();
    if (oldest !== undefined && this.#kept.size >= mostKept) this.#kept.delete(oldest);
    const summary = this.#summarize(range);
    this.#kept.set(key, summary);
    return summary;
  }

  /** Something has changed: what is asked for next is computed anew. */
  clear(): void {
    this.#kept.clear();
  }
}
