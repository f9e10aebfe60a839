import { messageOf } from "../../pipeline/error_text.ts";
import { count } from "../../pipeline/number_text.ts";
import { fetchGraph, fetchSpan } from "../api.ts";
import { byId, el, setText, telemetry } from "../dom.ts";
import { TwinView } from "../twin.ts";
import type { GraphNode, GraphSnapshot, GraphState } from "../wire/messages.ts";
import { drawFailures, drawSpan, toggleText } from "./drawer.ts";
import { GraphLayout } from "./layout.ts";
import { type GraphPicture, type PictureEvents, type Scene, sceneOf } from "./scene.ts";
import { SvgPicture } from "./svg_picture.ts";
import { graphTable } from "./table.ts";
import { thinned } from "./thin.ts";

/** Up to here every span is an element; above, WebGL draws. */
const mostElements = 300;
/** More spans than this are a blur in the panel: the rest is in the table. */
const mostSpans = 6_000;
const refreshMs = 3_000;

/** The trace graph with the drawer of one span below. It stands still while the reader points at it. */
export class GraphPanel {
  readonly #panel = byId("graph");
  readonly #sub = el("span", { class: "sub" });
  readonly #stats = el("span", { class: "stats" });
  readonly #stage = el("div", { class: "stage" });
  readonly #ring = el("div", { class: "ring", hidden: true });
  readonly #label = el("div", { class: "node-label", hidden: true });
  readonly #table = el("div", { class: "scroller", hidden: true });
  readonly #empty = el("p", { class: "empty" }, "No spans yet. Traces appear here as they arrive.");
  readonly #drawer = el("section", { class: "drawer", "aria-label": "Span" });
  #layout: GraphLayout | undefined;
  readonly #twin: TwinView;
  #picture: GraphPicture | undefined;
  #kind: "svg" | "webgl" | undefined;
  #state: GraphState | undefined;
  #snapshot: GraphSnapshot | undefined;
  #scene: Scene | undefined;
  readonly #viewer = el("a", { class: "viewer", target: "_blank", rel: "noopener noreferrer", hidden: true });
  /** What the drawer shows; it may be in no snapshot, or in none yet. */
  #opened: { readonly traceId: string; readonly spanId: string } | undefined;
  #hovered: string | undefined;
  #drawn = 0;
  #busy = false;
  #fetchedAtMs = Number.NEGATIVE_INFINITY;

  constructor() {
    const head = el(
      "div",
      { class: "panel-head" },
      el("h2", { id: "graph-title" }, "Trace graph"),
      this.#sub,
      this.#stats,
    );
    const view = el(
      "div",
      { class: "graph-view" },
      this.#stage,
      this.#ring,
      this.#label,
      this.#table,
      this.#empty,
      this.#viewer,
      this.#tools(),
    );
    this.#panel.append(head, view, this.#drawer);
    this.#twin = new TwinView(view, () => this.#switch());
  }

  async show(state: GraphState | undefined): Promise<void> {
    if (state === undefined) {
      setText(this.#empty, "No trace graph. Add graphistry to the exporters of a traces pipeline.");
      return;
    }
    this.#state = state;
    this.#link(state.viewerUrl);
    const isNew = state.version !== this.#snapshot?.version;
    const isHeld = this.#snapshot !== undefined && (this.#stage.matches(":hover") || this.#opened !== undefined);
    setText(this.#sub, this.#caption(isNew && isHeld));
    const now = performance.now();
    if (!isNew || isHeld || this.#busy || now - this.#fetchedAtMs < refreshMs) return;
    this.#busy = true;
    this.#fetchedAtMs = now;
    try {
      await this.#load(state.component);
    } finally {
      this.#busy = false;
    }
  }

  /** Opens the span a link names. */
  async open(traceId: string, spanId: string): Promise<void> {
    await this.#openSpan(traceId, spanId);
  }

  restyle(): void {
    this.#picture?.restyle();
  }

  close(): void {
    this.#opened = undefined;
    history.replaceState(null, "", `${location.pathname}${location.search}`);
    this.#showFailures();
    this.#follow();
  }

  /** The next failed span after the chosen one. */
  nextError(): void {
    const failed = this.#snapshot?.nodes.filter((node) => node.status === "ERROR") ?? [];
    const at = failed.findIndex((node) => node.id === this.#picked()?.id);
    const next = failed[(at + 1) % failed.length];
    if (next !== undefined) this.#pick(next.id);
  }

  /** The span that called the open one. */
  parent(): void {
    const child = this.#picked();
    const edge = this.#snapshot?.edges.find(({ target }) => target === child?.id);
    if (edge !== undefined) this.#pick(edge.source);
  }

  /** The next span after the open one (1), or the one before it (-1); the first or the last when none is open. */
  move(by: -1 | 1): void {
    const { nodes = [] } = this.#snapshot ?? {};
    const at = nodes.findIndex((node) => node.id === this.#picked()?.id);
    const next = at === -1 && by === -1 ? nodes.at(-1) : nodes[(at + by + nodes.length) % nodes.length];
    if (next !== undefined) this.#pick(next.id);
  }

  showText(): void {
    toggleText(this.#drawer);
  }

  copyId(): void {
    this.#drawer.querySelector<HTMLButtonElement>(".ids")?.click();
  }

  /** Where the graph was uploaded to. An exporter says so: anything but a web address is not made a link. */
  #link(viewerUrl: string | undefined): void {
    const url = viewerUrl === undefined ? null : URL.parse(viewerUrl);
    const isWeb = url !== null && ["http:", "https:"].includes(url.protocol);
    this.#viewer.hidden = !isWeb;
    if (!isWeb || this.#viewer.href === url.href) return;
    this.#viewer.href = url.href;
    setText(this.#viewer, "Open in Graphistry");
    this.#viewer.title = `${url.host}, in a tab of its own`;
  }

  async #load(component: string): Promise<void> {
    try {
      this.#snapshot = await fetchGraph(component);
    } catch (error) {
      setText(this.#sub, `not read: ${messageOf(error)}`);
      return;
    }
    this.#layout ??= new GraphLayout(aspectOf(this.#stage));
    const shown = thinned(this.#snapshot, mostSpans);
    this.#drawn = shown.nodes.length;
    this.#scene = sceneOf(shown, this.#layout.update(shown));
    this.#empty.hidden = this.#snapshot.nodes.length > 0;
    setText(this.#sub, this.#caption(false));
    this.#stats.replaceChildren(...statusCounts(this.#snapshot.nodes));
    await this.#draw();
    if (this.#opened === undefined) this.#showFailures();
  }

  async #draw(): Promise<void> {
    const { nodes = [] } = this.#snapshot ?? {};
    if (this.#twin.isTable) this.#table.replaceChildren(graphTable(nodes, (node) => this.#pick(node.id)));
    const picture = await this.#pictureFor(this.#drawn);
    if (this.#scene !== undefined) picture.show(this.#scene);
    this.#panel.dataset["drawn"] = String(this.#snapshot?.version ?? "");
  }

  /** SVG for few spans, WebGL for many where the browser has it; once WebGL, it stays. */
  async #pictureFor(count: number): Promise<GraphPicture> {
    const events: PictureEvents = {
      hover: (id) => this.#hover(id),
      pick: (id) => this.#pick(id),
      moved: () => this.#follow(),
    };
    if (this.#kind !== "webgl" && count > mostElements) {
      const { WebglPicture, hasWebgl } = await import("./webgl_picture.ts");
      if (hasWebgl()) {
        this.#picture?.destroy();
        this.#kind = "webgl";
        this.#picture = new WebglPicture(this.#stage, events);
      }
    }
    this.#picture ??= new SvgPicture(this.#stage, events);
    this.#kind ??= "svg";
    this.#panel.dataset["picture"] = this.#kind;
    return this.#picture;
  }

  #hover(id: string | undefined): void {
    this.#hovered = id;
    this.#follow();
  }

  #pick(id: string | undefined): void {
    const node = this.#snapshot?.nodes.find((one) => one.id === id);
    if (node === undefined) {
      this.close();
      return;
    }
    void this.#openSpan(node.traceId, spanIdOf(node));
  }

  async #openSpan(traceId: string, spanId: string): Promise<void> {
    const component = this.#state?.component;
    if (component === undefined) return;
    const opened = { traceId, spanId };
    this.#opened = opened;
    this.#follow();
    history.replaceState(null, "", `#span=${encodeURIComponent(traceId)}/${encodeURIComponent(spanId)}`);
    const content = await fetchSpan(component, traceId, spanId).then(
      (span) => drawSpan(component, span, () => this.close()),
      () => undefined,
    );
    if (this.#opened !== opened) return; // another was chosen meanwhile, or none
    if (content === undefined) this.#opened = undefined;
    const gone = el("p", { class: "drawer-hint" }, "That span is not kept any more. Choose another.");
    this.#drawer.replaceChildren(...(content ?? [gone]));
    this.#drawer.dataset["open"] = "";
  }

  #picked(): GraphNode | undefined {
    const { traceId, spanId } = this.#opened ?? {};
    return this.#snapshot?.nodes.find((node) => node.traceId === traceId && spanIdOf(node) === spanId);
  }

  #showFailures(): void {
    const { nodes = [] } = this.#snapshot ?? {};
    delete this.#drawer.dataset["open"];
    this.#drawer.replaceChildren(...drawFailures(nodes, (node) => this.#pick(node.id)));
  }

  /** The ring and the label follow what they mark. */
  #follow(): void {
    const picked = this.#picked();
    this.#mark(this.#ring, picked?.id);
    const node = this.#snapshot?.nodes.find((one) => one.id === this.#hovered) ?? picked;
    if (node !== undefined) this.#label.replaceChildren(telemetry(node.label, 40));
    this.#mark(this.#label, node?.id);
  }

  #mark(element: HTMLElement, id: string | undefined): void {
    const place = id === undefined || this.#twin.isTable ? undefined : this.#picture?.screen(id);
    element.hidden = place === undefined;
    if (place === undefined) return;
    const mirrored = place.x + 24 + element.offsetWidth > this.#stage.clientWidth;
    element.classList.toggle("mirrored", mirrored);
    element.style.translate = `${Math.round(place.x)}px ${Math.round(place.y)}px`;
  }

  #switch(): void {
    this.#table.hidden = !this.#twin.isTable;
    this.#stage.hidden = this.#twin.isTable;
    void this.#draw().then(() => this.#follow());
  }

  #caption(held: boolean): string {
    const { traceCount = 0, spanCount = 0, nodes = [] } = this.#snapshot ?? {};
    if (traceCount === 0) return "";
    const isPart = this.#drawn < nodes.length;
    const traces = isPart ? "failed first" : `${count(traceCount)} traces`;
    const spans = isPart ? `${count(this.#drawn)} of ${count(spanCount)} spans` : `${count(spanCount)} spans`;
    return `${traces}, ${spans}${held ? ", held" : ""}`;
  }

  #tools(): HTMLElement {
    const tool = (name: string, act: () => void) => {
      const button = el("button", { type: "button" }, name);
      button.addEventListener("click", act);
      return button;
    };
    return el(
      "div",
      { class: "tools" },
      tool("Zoom in", () => this.#picture?.zoom(1.5)),
      tool("Zoom out", () => this.#picture?.zoom(1 / 1.5)),
      tool("Show all", () => this.#picture?.fit()),
    );
  }
}

function aspectOf({ clientWidth, clientHeight }: Element): number {
  return clientWidth === 0 ? 1 : Math.min(1.4, Math.max(0.5, clientHeight / clientWidth));
}

/** Node ids are span ids, with their trace's where that is needed to tell them apart. */
function spanIdOf(node: GraphNode): string {
  return node.id.startsWith(node.traceId) ? node.id.slice(node.traceId.length).replace(/^[:/]/, "") : node.id;
}

function statusCounts(nodes: readonly GraphNode[]): HTMLElement[] {
  const number = (status: GraphNode["status"]) =>
    nodes.filter((node) => node.status === status && node.missing !== true).length;
  const item = (status: GraphNode["status"], word: string) =>
    el(
      "span",
      { class: "status" },
      el("span", { class: `mark ${status.toLowerCase()}`, "aria-hidden": "true" }),
      `${word} ${count(number(status))}`,
    );
  return [item("OK", "OK"), item("ERROR", "Error"), item("UNSET", "Unset")];
}
