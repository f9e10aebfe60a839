import { messageOf } from "../../pipeline/error_text.ts";
import { age } from "../../pipeline/number_text.ts";
import { type FigureDocument, fetchFigure } from "../api.ts";
import { el, setText, telemetry } from "../dom.ts";
import { TwinView } from "../twin.ts";
import type { FigureState } from "../wire/messages.ts";
import { factsOf } from "./facts.ts";
import { dressed, type Palette, plotlyConfig } from "./look.ts";
import { loadPlotly } from "./plotly.ts";
import { figureTable } from "./table.ts";

/** One figure: a head in HTML, the picture by Plotly, its table. */
export class FigurePanel {
  readonly element: HTMLElement;
  readonly #plot = el("div", { class: "plot", role: "img" });
  readonly #table = el("div", { class: "scroller", hidden: true });
  readonly #sub = el("span", { class: "sub" });
  readonly #stats = el("span", { class: "stats" });
  readonly #note = el("p", { class: "figure-note" });
  readonly #empty = el("p", { class: "figure-empty" }, "No requests yet. LLM spans appear here as they arrive.");
  readonly #problem = el("p", { class: "figure-problem", role: "status" });
  readonly #loading = el("div", { class: "loading" });
  readonly #twin: TwinView;
  readonly #title: string;
  #figure: FigureDocument | undefined;
  /** The version and the part of its time. */
  #shown = "";
  #shownAtMs = 0;

  constructor({ title, component, name }: FigureState) {
    this.#title = title;
    this.#empty.hidden = true;
    const head = el("div", { class: "panel-head" }, el("h2", {}, telemetry(title, 48)), this.#sub, this.#stats);
    this.element = el(
      "section",
      { class: "panel figure", "data-figure": name, "data-component": component, "aria-label": title },
      head,
      el(
        "div",
        { class: "figure-body" },
        this.#loading,
        this.#plot,
        this.#table,
        this.#empty,
        this.#note,
        this.#problem,
      ),
    );
    this.#twin = new TwinView(this.element, () => this.#switch());
  }

  /** Fetches the figure when there is a newer one. Returns how to draw it, so that all are drawn together. */
  async load(state: FigureState, query: string): Promise<((palette: Palette) => Promise<void>) | undefined> {
    const wanted = `${state.version} ${query}`;
    if (wanted === this.#shown) return undefined;
    try {
      this.#figure = await fetchFigure(state.component, state.name, query);
      this.#shown = wanted;
      setText(this.#problem, "");
    } catch (error) {
      this.#fail(error);
      return undefined;
    }
    return (palette) => this.draw(palette);
  }

  async draw(palette: Palette): Promise<void> {
    const figure = this.#figure;
    if (figure === undefined) return;
    try {
      const facts = factsOf(figure, palette, this.#shown.includes("end="));
      setText(this.#sub, facts.sub);
      this.#stats.replaceChildren(...facts.stats);
      setText(this.#note, facts.note ?? "");
      this.#plot.setAttribute("aria-label", facts.summary);
      this.#empty.hidden = !facts.isEmpty;
      if (this.#twin.isTable) this.#table.replaceChildren(figureTable(figure, this.#title));
      else {
        const plotly = await loadPlotly();
        const { data, layout } = dressed(figure, palette);
        await plotly.react(this.#plot, data, layout, plotlyConfig);
      }
      this.#loading.remove();
      this.#shownAtMs = performance.now();
      delete this.element.dataset["stale"];
    } catch (error) {
      this.#fail(error);
    }
  }

  /** Draws again with the colours at hand; set by whoever has them. */
  redraw: (() => void) | undefined;

  #switch(): void {
    this.#table.hidden = !this.#twin.isTable;
    this.#plot.hidden = this.#twin.isTable;
    this.redraw?.();
  }

  /** An error stays in this panel; the last good picture stays, dimmed, with its age. */
  #fail(error: unknown): void {
    const old = this.#shownAtMs === 0 ? "" : ` Shown as it was ${age(performance.now() - this.#shownAtMs)} ago.`;
    setText(this.#problem, `This figure could not be drawn: ${messageOf(error)}.${old}`);
    this.element.dataset["stale"] = "";
  }
}
