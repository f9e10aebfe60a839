import { byId, el } from "../dom.ts";
import type { FigureState, Tick } from "../wire/messages.ts";
import type { Palette } from "./look.ts";
import { readPalette } from "./palette.ts";
import { FigurePanel } from "./panel.ts";

/** All figures, fetched and drawn together, at most once at a time and once a second. */
export class FigureBoard {
  readonly #parent = byId("figures");
  readonly #panels = new Map<string, FigurePanel>();
  #palette: Palette | undefined;
  #busy = false;
  #next: { readonly figures: readonly FigureState[]; readonly query: string } | undefined;

  /** Shows these figures of a part of their time; of several calls while it draws, the last one counts. */
  async show({ figures }: Pick<Tick, "figures">, query: string): Promise<void> {
    this.#next = { figures, query };
    if (this.#busy) return;
    this.#busy = true;
    try {
      for (let next = this.#take(); next !== undefined; next = this.#take()) await this.#show(next.figures, next.query);
    } finally {
      this.#busy = false;
    }
  }

  #take() {
    const next = this.#next;
    this.#next = undefined;
    return next;
  }

  async #show(figures: readonly FigureState[], query: string): Promise<void> {
    this.#arrange(figures);
    const drawings = await Promise.all(
      figures.map(async (state) => await this.#panels.get(keyOf(state))?.load(state, query)),
    );
    const palette = this.#colors();
    for (const draw of drawings) await draw?.(palette);
  }

  /** Draws again in the present colours. */
  restyle(): void {
    this.#palette = undefined;
    for (const panel of this.#panels.values()) void panel.draw(this.#colors());
  }

  #colors(): Palette {
    this.#palette ??= readPalette();
    return this.#palette;
  }

  #arrange(figures: readonly FigureState[]): void {
    const keys = figures.map(keyOf);
    if (keys.length > 0 && keys.join() === [...this.#panels.keys()].join()) return;
    for (const [key, panel] of this.#panels) {
      if (keys.includes(key)) continue;
      panel.element.remove();
      this.#panels.delete(key);
    }
    for (const state of figures) this.#add(state);
    this.#parent.dataset["count"] = String(figures.length);
    if (figures.length > 0) this.#parent.querySelector(".no-figures")?.remove();
    else if (this.#parent.childElementCount === 0) this.#parent.append(noFigures());
  }

  #add(state: FigureState): void {
    const key = keyOf(state);
    const panel = this.#panels.get(key) ?? new FigurePanel(state);
    panel.redraw = () => void panel.draw(this.#colors());
    this.#panels.delete(key);
    this.#panels.set(key, panel);
    if (panel.element.parentElement === null) this.#parent.append(panel.element);
  }
}

function noFigures(): HTMLElement {
  return el(
    "section",
    { class: "panel no-figures", "aria-label": "Figures" },
    el(
      "p",
      { class: "empty" },
      "No figures. Add ",
      el("span", { class: "code" }, "plotly"),
      " to the exporters of a traces pipeline.",
    ),
  );
}

function keyOf({ component, name }: FigureState): string {
  return `${component}\n${name}`;
}
