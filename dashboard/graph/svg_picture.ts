import { timeSpan } from "../../pipeline/number_text.ts";
import { svg, visible } from "../dom.ts";
import type { GraphPicture, PictureEvents, Scene, Spot } from "./scene.ts";
import type { Point } from "./tree.ts";

const statusWord = { OK: "OK", ERROR: "error", UNSET: "unset" } as const;

/** Up to a few hundred spans as SVG: each is an element that can be focused and says what it is. */
export class SvgPicture implements GraphPicture {
  readonly #root = svg("svg", {
    class: "graph-svg",
    role: "group",
    "aria-label": "Spans; arrow keys move, Enter opens",
  });
  readonly #links = svg("g", { class: "links" });
  readonly #spots = svg("g");
  readonly #marks = new Map<string, { spot: Spot; mark: SVGElement }>();
  readonly #events: PictureEvents;
  readonly #stop = new AbortController();
  readonly #resize: ResizeObserver;
  #scene: Scene = { spots: [], edges: [], extent: { x: 0, y: 0, width: 1, height: 1 } };
  #scale = 1;
  #shift: Point = { x: 0, y: 0 };
  #touched = false;

  constructor(parent: Element, events: PictureEvents) {
    this.#events = events;
    this.#root.append(this.#links, this.#spots);
    parent.append(this.#root);
    const { signal } = this.#stop;
    this.#root.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    this.#root.addEventListener("pointerdown", (event) => this.#drag(event), { signal });
    this.#root.addEventListener("keydown", (event) => this.#key(event), { signal });
    this.#resize = new ResizeObserver(() => (this.#touched ? this.#place() : this.fit()));
    this.#resize.observe(this.#root);
  }

  show(scene: Scene): void {
    this.#scene = scene;
    const kept = new Set(scene.spots.map(({ node }) => node.id));
    for (const [id, { mark }] of this.#marks) {
      if (kept.has(id)) continue;
      mark.remove();
      this.#marks.delete(id);
    }
    for (const spot of scene.spots) this.#draw(spot);
    this.#links.replaceChildren(...scene.edges.map(() => svg("line")));
    const first = this.#spots.querySelector('[tabindex="0"]') ?? this.#spots.firstElementChild;
    first?.setAttribute("tabindex", "0");
    if (this.#touched) this.#place();
    else this.fit();
  }

  fit(): void {
    this.#touched = false;
    const { clientWidth: width, clientHeight: height } = this.#root;
    const { extent } = this.#scene;
    this.#scale = Math.min(width / extent.width, height / extent.height, 2.4);
    this.#shift = {
      x: width / 2 - (extent.x + extent.width / 2) * this.#scale,
      y: height / 2 - (extent.y + extent.height / 2) * this.#scale,
    };
    this.#place();
  }

  zoom(factor: number): void {
    this.#zoomAt(factor, this.#root.clientWidth / 2, this.#root.clientHeight / 2);
  }

  screen(id: string): Point | undefined {
    const spot = this.#marks.get(id)?.spot;
    return spot === undefined ? undefined : this.#at(spot);
  }

  restyle(): void {} // colours are the style sheet's

  focus(id: string): void {
    const mark = this.#marks.get(id)?.mark;
    this.#spots.querySelector('[tabindex="0"]')?.setAttribute("tabindex", "-1");
    mark?.setAttribute("tabindex", "0");
    mark?.focus();
  }

  destroy(): void {
    this.#stop.abort();
    this.#resize.disconnect();
    this.#root.remove();
  }

  #draw(spot: Spot): void {
    const known = this.#marks.get(spot.node.id);
    const name = `${visible(spot.node.label)}, ${statusWord[spot.node.status]}, ${timeSpan(spot.node.durationMs)}`;
    const look = `spot ${spot.node.status.toLowerCase()}${spot.faint ? " faint" : ""}`;
    const mark = known?.mark ?? svg("path", { tabindex: "-1", role: "button", "data-span": spot.node.id });
    mark.setAttribute("class", look);
    mark.setAttribute("aria-label", name);
    mark.setAttribute("d", outline(spot));
    if (known === undefined) {
      const { id } = spot.node;
      mark.addEventListener("click", () => this.#events.pick(id));
      mark.addEventListener("pointerenter", () => this.#events.hover(id));
      mark.addEventListener("pointerleave", () => this.#events.hover(undefined));
      mark.addEventListener("focus", () => this.#events.hover(id));
    }
    this.#spots.append(mark);
    this.#marks.set(spot.node.id, { spot, mark });
  }

  #at({ x, y }: Point): Point {
    return { x: x * this.#scale + this.#shift.x, y: y * this.#scale + this.#shift.y };
  }

  #place(): void {
    for (const { spot, mark } of this.#marks.values()) {
      const { x, y } = this.#at(spot);
      mark.setAttribute("transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    }
    this.#scene.edges.forEach((edge, index) => {
      const line = this.#links.children[index];
      const from = this.#marks.get(edge.source)?.spot;
      const to = this.#marks.get(edge.target)?.spot;
      if (line === undefined || from === undefined || to === undefined) return;
      const [start, end] = [this.#at(from), this.#at(to)];
      line.setAttribute("x1", start.x.toFixed(1));
      line.setAttribute("y1", start.y.toFixed(1));
      line.setAttribute("x2", end.x.toFixed(1));
      line.setAttribute("y2", end.y.toFixed(1));
    });
    this.#events.moved();
  }

  #zoomAt(factor: number, x: number, y: number): void {
    const scale = Math.min(40, Math.max(0.05, this.#scale * factor));
    const grown = scale / this.#scale;
    this.#shift = { x: x - (x - this.#shift.x) * grown, y: y - (y - this.#shift.y) * grown };
    this.#scale = scale;
    this.#touched = true;
    this.#place();
  }

  #wheel(event: WheelEvent): void {
    event.preventDefault();
    const box = this.#root.getBoundingClientRect();
    this.#zoomAt(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
  }

  #drag(down: PointerEvent): void {
    if (down.target !== this.#root && !(down.target instanceof SVGLineElement)) return;
    const from = this.#shift;
    const stop = new AbortController();
    this.#root.setPointerCapture(down.pointerId);
    const move = (event: PointerEvent) => {
      this.#touched = true;
      this.#shift = { x: from.x + event.clientX - down.clientX, y: from.y + event.clientY - down.clientY };
      this.#place();
    };
    const end = () => {
      stop.abort();
      if (this.#shift === from) this.#events.pick(undefined);
    };
    this.#root.addEventListener("pointermove", move, { signal: stop.signal });
    this.#root.addEventListener("pointerup", end, { signal: stop.signal });
    this.#root.addEventListener("pointercancel", () => stop.abort(), { signal: stop.signal });
  }

  #key(event: KeyboardEvent): void {
    const id = event.target instanceof SVGElement ? event.target.dataset["span"] : undefined;
    if (id === undefined) return;
    const ids = [...this.#marks.keys()];
    const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Enter" || event.key === " ") this.#events.pick(id);
    else if (by !== undefined) this.focus(ids.at((ids.indexOf(id) + by) % ids.length) ?? id);
    else return;
    event.preventDefault();
  }
}

function outline({ node, radius }: Spot): string {
  if (node.status === "ERROR") return `M0 ${-radius}L${radius} 0L0 ${radius}L${-radius} 0Z`;
  const r = node.status === "UNSET" ? radius + 0.4 : radius;
  return `M${-r} 0a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`;
}
