import { count, rate } from "../../pipeline/number_text.ts";
import { byId, el } from "../dom.ts";
import { TwinView } from "../twin.ts";
import type { BooksRow, Tick } from "../wire/messages.ts";
import { boxWidth, drawFlow } from "./draw.ts";
import { layoutFlow } from "./layout.ts";
import { drawList } from "./list.ts";
import { type FlowModel, flowModel } from "./model.ts";
import { booksTable } from "./table.ts";

/** The pipelines: bands as wide as their rate, or a list where there is no room; the books below. */
export class FlowPanel {
  readonly #panel = byId("flow");
  readonly #picture = el("div", { class: "flow-body" });
  readonly #books = el("dl", { class: "books", "aria-label": "Books since the start" });
  readonly #twin: TwinView;
  #tick: Tick | undefined;
  #width = 0;

  constructor() {
    this.#panel.append(this.#picture, this.#books);
    this.#twin = new TwinView(this.#panel, () => this.#draw());
    new ResizeObserver(([entry]) => {
      const width = Math.floor(entry?.contentRect.width ?? 0);
      if (width === this.#width) return;
      this.#width = width;
      this.#draw();
    }).observe(this.#panel);
  }

  show(tick: Tick): void {
    this.#tick = tick;
    this.#draw();
  }

  /** Brings the component that the sentence is about into view. */
  showTrouble(): void {
    this.#panel.querySelector(".troubled")?.scrollIntoView({ block: "center" });
  }

  #draw(): void {
    const tick = this.#tick;
    if (tick === undefined || this.#width === 0) return;
    const trouble = tick.sentence.level === "ok" ? undefined : tick.sentence.node;
    this.#picture.replaceChildren(
      this.#twin.isTable ? el("div", { class: "scroller" }, booksTable(tick)) : this.#view(tick, trouble),
    );
    this.#books.replaceChildren(...booksRow(tick.books));
  }

  #view(tick: Tick, trouble: string | undefined): Element {
    const model = flowModel(tick);
    const layout = layoutFlow(model, this.#width, { box: boxWidth });
    return layout === undefined ? drawList(model, trouble) : drawFlow(layout, trouble, summaryOf(model));
  }
}

function summaryOf({ pipelines }: FlowModel): string {
  const each = pipelines.map(({ id, links }) => {
    const entering = links.filter((link) => link.from.kind !== "processor").reduce((sum, link) => sum + link.rate, 0);
    return `${id} takes ${rate(entering)} ${links[0]?.signal ?? "items"} per second`;
  });
  return `${pipelines.length} pipelines: ${each.join("; ")}. The table has every number.`;
}

function booksRow(books: BooksRow): HTMLElement[] {
  const facts: [string, string][] = [
    ["received", count(books.received)],
    ["delivered", count(books.delivered)],
    ...books.dropped.map((drop): [string, string] => [drop.reason.replaceAll("_", " "), count(drop.items)]),
    ["refused", count(books.refused)],
    ["held", count(books.held)],
    ["lost", count(books.lost)],
  ];
  const balance = books.unbalanced.length === 0;
  return [
    ...facts.map(([name, value]) => fact(name, value, name === "lost" && books.lost > 0)),
    el(
      "div",
      { class: balance ? "balance" : "balance off" },
      el("dt", { class: "unseen" }, "books"),
      el("dd", {}, balance ? "books balance" : "books are off"),
    ),
  ];
}

function fact(name: string, value: string, lost: boolean): HTMLElement {
  return el("div", { class: lost ? "lost" : undefined, "data-books": name }, el("dt", {}, name), el("dd", {}, value));
}
