import { DirectedGraph } from "graphology";
import { Sigma } from "sigma";
import { EdgeLineProgram } from "sigma/rendering";
import { mixed, token } from "../theme.ts";
import type { GraphPicture, PictureEvents, Scene, Spot, Status } from "./scene.ts";
import { type SpotAttributes, SpotProgram, shapes } from "./spot_program.ts";
import type { Point } from "./tree.ts";

/** Many spans, drawn by the graphics card. The table is its accessible form. */
export class WebglPicture implements GraphPicture {
  readonly #graph = new DirectedGraph({ allowSelfLoops: false });
  readonly #sigma: Sigma;
  readonly #colors = new Map<string, string>();
  #scene: Scene = { spots: [], edges: [], extent: { x: 0, y: 0, width: 1, height: 1 } };

  constructor(parent: HTMLElement, events: PictureEvents) {
    this.#readColors();
    this.#sigma = new Sigma(this.#graph, parent, {
      renderLabels: false,
      allowInvalidContainer: true,
      defaultNodeType: "spot",
      nodeProgramClasses: { spot: SpotProgram },
      nodeHoverProgramClasses: { spot: SpotProgram },
      defaultDrawNodeHover: () => undefined,
      edgeProgramClasses: { line: EdgeLineProgram },
      defaultEdgeType: "line",
      zoomToSizeRatioFunction: () => 1,
      stagePadding: 4,
      minCameraRatio: 0.01,
      maxCameraRatio: 6,
      // Motion only where the reader causes it, and at once; sigma divides by these.
      zoomDuration: 1,
      inertiaDuration: 1,
      doubleClickZoomingDuration: 1,
    });
    this.#sigma.on("enterNode", ({ node }) => events.hover(node));
    this.#sigma.on("leaveNode", () => events.hover(undefined));
    this.#sigma.on("clickNode", ({ node }) => events.pick(node));
    this.#sigma.on("clickStage", () => events.pick(undefined));
    this.#sigma.on("afterRender", () => events.moved());
  }

  show(scene: Scene): void {
    this.#scene = scene;
    const camera = this.#sigma.getCamera().getState();
    const untouched = camera.ratio === 1 && camera.x === 0.5 && camera.y === 0.5;
    if (untouched) this.#frame();
    this.#graph.clear();
    for (const spot of scene.spots) this.#graph.mergeNode(spot.node.id, this.#attributes(spot));
    for (const { source, target } of scene.edges) {
      if (source !== target) this.#graph.mergeEdge(source, target, { color: this.#colors.get("edge") });
    }
    this.#sigma.refresh();
  }

  fit(): void {
    this.#frame();
    this.#sigma.getCamera().setState({ x: 0.5, y: 0.5, ratio: 1, angle: 0 });
    this.#sigma.refresh();
  }

  zoom(factor: number): void {
    const camera = this.#sigma.getCamera();
    camera.setState({ ratio: camera.getBoundedRatio(camera.ratio / factor) });
  }

  screen(id: string): Point | undefined {
    if (!this.#graph.hasNode(id)) return undefined;
    const { x, y } = this.#graph.getNodeAttributes(id);
    return this.#sigma.graphToViewport({ x, y });
  }

  restyle(): void {
    this.#readColors();
    this.show(this.#scene);
  }

  focus(): void {} // the table is where the keyboard goes

  destroy(): void {
    this.#sigma.kill();
  }

  /** The frame is fixed, so that new spans move none of the old. */
  #frame(): void {
    const { x, y, width, height } = this.#scene.extent;
    this.#sigma.setCustomBBox({ x: [x, x + width], y: [-y - height, -y] });
  }

  #attributes({ node, x, y, radius, faint }: Spot): SpotAttributes {
    const color = this.#colors.get(faint ? `faint ${node.status}` : node.status) ?? "#888888";
    return { x, y: -y, size: radius, color, shape: shapes[node.status] };
  }

  #readColors(): void {
    const status: [Status, string][] = [
      ["OK", "--ok"],
      ["ERROR", "--error"],
      ["UNSET", "--unset"],
    ];
    for (const [name, property] of status) {
      this.#colors.set(name, token(property));
      this.#colors.set(`faint ${name}`, mixed(token(property), token("--surface-1"), 0.6));
    }
    this.#colors.set("edge", mixed(token("--control"), token("--surface-1"), 0.6));
  }
}

/** Whether this browser can draw with WebGL. */
export function hasWebgl(): boolean {
  return document.createElement("canvas").getContext("webgl2") !== null;
}
