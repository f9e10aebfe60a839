import { el } from "./dom.ts";

/** Every picture has a table with the same numbers: a button in the panel and the key V switch between them. */
export class TwinView {
  readonly #panel: HTMLElement;
  readonly #button: HTMLButtonElement;
  readonly #onChange: () => void;
  isTable = false;

  constructor(panel: HTMLElement, onChange: () => void) {
    this.#panel = panel;
    this.#onChange = onChange;
    this.#button = el("button", { type: "button", class: "twin", title: "Picture or table (V)" }, "Table");
    this.#button.addEventListener("click", () => this.toggle());
    panel.append(this.#button);
    twins.add(this);
  }

  toggle(): void {
    this.isTable = !this.isTable;
    this.#button.textContent = this.isTable ? "Picture" : "Table";
    this.#panel.dataset["view"] = this.isTable ? "table" : "picture";
    this.#onChange();
  }

  /** Whether the reader is at this panel, by pointer or by focus. */
  get isUnderReader(): boolean {
    return this.#panel.matches(":hover, :focus-within");
  }
}

const twins = new Set<TwinView>();

/** The key V: the panels under the reader, or all when there is none. */
export function toggleTwins(): void {
  const near = [...twins].filter((twin) => twin.isUnderReader);
  for (const twin of near.length > 0 ? near : twins) twin.toggle();
}
