import type { Counter, Meter } from "../host.ts";

/** The reason of a window that the first choice computed. */
export const firstChoice = "none";

/** Counts windows by the engine that computed them and by why the first choice did not. */
export class ComputedWindows {
  readonly #counter: Counter;
  readonly #counts = new Map<string, { readonly engine: string; readonly reason: string; windows: number }>();

  constructor(meter: Meter) {
    this.#counter = meter.counter("otelpipe_aggregate_windows", {
      description: "Windows computed, by the engine that did it and why the first choice did not (none: it did).",
      unit: "{window}",
    });
  }

  /** One more. `reason` is a short code, fit for a label. */
  add(engine: string, reason: string): void {
    this.#counter.add(1, { engine, reason });
    const key = `${engine} ${reason}`;
    const count = this.#counts.get(key) ?? { engine, reason, windows: 0 };
    this.#counts.set(key, count);
    count.windows++;
  }

  /** For people: `rapids 12, cpu 1 (died)`. */
  get tally(): string {
    return [...this.#counts.values()]
      .map(({ engine, reason, windows }) => `${engine} ${windows}${reason === firstChoice ? "" : ` (${reason})`}`)
      .join(", ");
  }
}
