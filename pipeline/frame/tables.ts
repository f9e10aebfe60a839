import type { TableSource, TableWindow } from "../board.ts";
import type { AggregationEngine } from "./engine.ts";

/** The latest windows of an aggregation, for whoever shows them. */
export class TableHistory implements TableSource {
  /** What computes the windows; its name may change while it runs. */
  computedBy: Pick<AggregationEngine, "name" | "tally"> = { name: "starting" };
  readonly facts: () => readonly { readonly label: string; readonly text: string }[];
  readonly #limit: number;
  readonly #windows: TableWindow[] = [];
  readonly #listeners = new Set<(window: TableWindow) => void>();

  /** @param limit windows kept. */
  constructor(limit: number, facts: TableHistory["facts"]) {
    this.#limit = limit;
    this.facts = facts;
  }

  get engine(): string {
    return this.computedBy.name;
  }

  windows(): readonly TableWindow[] {
    return this.#windows;
  }

  onWindow(listener: (window: TableWindow) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  add(window: TableWindow): void {
    this.#windows.push(window);
    if (this.#windows.length > this.#limit) this.#windows.shift();
    for (const listener of this.#listeners) listener(window);
  }
}
