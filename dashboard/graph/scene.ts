import type { GraphEdge, GraphNode, GraphSnapshot } from "../wire/messages.ts";
import type { Point } from "./tree.ts";

export type Status = GraphNode["status"];

/** A span as it is drawn: status by shape and colour, duration by size. */
export interface Spot extends Point {
  readonly node: GraphNode;
  /** Pixels. */
  readonly radius: number;
  /** Spans outside failed traces step back, so that errors surface. */
  readonly faint: boolean;
}

export interface Scene {
  readonly spots: readonly Spot[];
  readonly edges: readonly GraphEdge[];
  /** What has to be seen, with a margin. */
  readonly extent: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
}

/** What a drawing of the graph can do, whichever way it draws. */
export interface GraphPicture {
  show(scene: Scene): void;
  /** Shows everything again. */
  fit(): void;
  zoom(factor: number): void;
  /** Where a span is, in pixels of the picture; undefined when it is not there. */
  screen(id: string): Point | undefined;
  /** Reads the colours again. */
  restyle(): void;
  focus(id: string): void;
  destroy(): void;
}

/** What a picture tells: both with undefined for "none". */
export interface PictureEvents {
  hover(id: string | undefined): void;
  pick(id: string | undefined): void;
  /** The view moved; what is laid over it must follow. */
  moved(): void;
}

export function sceneOf(snapshot: GraphSnapshot, places: ReadonlyMap<string, Point>): Scene {
  const failed = new Set(snapshot.nodes.filter((node) => node.status === "ERROR").map((node) => node.traceId));
  // Marks of a crowded graph are smaller, so that traces stay apart.
  const scale = Math.min(1, Math.max(0.5, Math.sqrt(600 / Math.max(1, snapshot.nodes.length))));
  const spots = snapshot.nodes.map((node): Spot => {
    const { x, y } = places.get(node.id) ?? { x: 0, y: 0 };
    return { node, x, y, radius: radiusOf(node) * scale, faint: !failed.has(node.traceId) };
  });
  // Errors last: on top of what they stand among.
  spots.sort((one, other) => Number(one.node.status === "ERROR") - Number(other.node.status === "ERROR"));
  const known = new Set(snapshot.nodes.map((node) => node.id));
  const edges = snapshot.edges.filter((edge) => known.has(edge.source) && known.has(edge.target));
  return { spots, edges, extent: extentOf(spots) };
}

function radiusOf(node: GraphNode): number {
  const grown = 1.6 + 0.75 * Math.log10(1 + Math.max(0, node.durationMs) / 10);
  return Math.min(5, Math.max(2, grown)) + (node.status === "ERROR" ? 1.6 : 0);
}

function extentOf(spots: readonly Spot[]): Scene["extent"] {
  if (spots.length === 0) return { x: -50, y: -50, width: 100, height: 100 };
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (const { x, y } of spots) {
    left = Math.min(left, x);
    right = Math.max(right, x);
    top = Math.min(top, y);
    bottom = Math.max(bottom, y);
  }
  const margin = 14;
  return { x: left - margin, y: top - margin, width: right - left + 2 * margin, height: bottom - top + 2 * margin };
}
