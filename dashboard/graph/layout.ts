import type { GraphNode, GraphSnapshot } from "../wire/messages.ts";
import { Family, type Point, shapeTrace, step, type TraceShape } from "./tree.ts";

/** Room between two traces, and what a trace may grow by before it meets its neighbour. */
const margin = 9;
const cell = 48;
const goldenAngle = Math.PI * (3 - Math.sqrt(5));

interface Disc extends Point {
  readonly radius: number;
}

/**
 * Places every span. Traces are packed in a disc, the largest in the middle. New traces take free room, new spans stand
 * beside their parent, and what has been placed never moves: only spans that left make room.
 */
export class GraphLayout {
  readonly #discs: DiscPacking;
  readonly #places = new Map<string, Point>();
  readonly #traces = new Map<string, { readonly disc: Disc; readonly ids: Set<string> }>();

  /** @param aspect height over width of the disc, as the panel is. */
  constructor(aspect = 1) {
    this.#discs = new DiscPacking(aspect);
  }

  /** Positions of all spans of `snapshot`, by node id. */
  update(snapshot: Pick<GraphSnapshot, "nodes" | "edges">): ReadonlyMap<string, Point> {
    const byTrace = Map.groupBy(snapshot.nodes, (node) => node.traceId);
    this.#forget(byTrace, new Set(snapshot.nodes.map((node) => node.id)));
    const family = new Family(snapshot.edges);
    const fresh: TraceShape[] = [];
    for (const [traceId, nodes] of byTrace) {
      if (this.#traces.has(traceId)) this.#grow(traceId, nodes, family);
      else fresh.push(shapeTrace(traceId, nodes, family));
    }
    fresh.sort((one, other) => other.radius - one.radius || (one.traceId < other.traceId ? -1 : 1));
    for (const shape of fresh) this.#settle(shape);
    return this.#places;
  }

  #forget(byTrace: ReadonlyMap<string, readonly GraphNode[]>, ids: ReadonlySet<string>): void {
    for (const [traceId, trace] of this.#traces) {
      for (const id of trace.ids) {
        if (ids.has(id)) continue;
        trace.ids.delete(id);
        this.#places.delete(id);
      }
      if (byTrace.has(traceId)) continue;
      this.#discs.free(trace.disc);
      this.#traces.delete(traceId);
    }
  }

  #settle(shape: TraceShape): void {
    const disc = this.#discs.take(shape.radius + margin);
    this.#traces.set(shape.traceId, { disc, ids: new Set(shape.places.keys()) });
    for (const [id, place] of shape.places) this.#places.set(id, { x: disc.x + place.x, y: disc.y + place.y });
  }

  /** Spans that came late: beside their parent, at the first free angle. */
  #grow(traceId: string, nodes: readonly GraphNode[], family: Family): void {
    const trace = this.#traces.get(traceId);
    if (trace === undefined) return;
    for (const { id } of nodes) {
      if (this.#places.has(id)) continue;
      const parent = this.#places.get(family.parentOf(id) ?? "") ?? trace.disc;
      this.#places.set(id, this.#beside(parent, trace.ids));
      trace.ids.add(id);
    }
  }

  #beside(parent: Point, ids: ReadonlySet<string>): Point {
    const taken = [...ids].flatMap((id) => this.#places.get(id) ?? []);
    let best: Point = parent;
    let room = -1;
    for (let index = 0; index < 24; index++) {
      const distance = step * (1 + Math.floor(index / 12) * 0.6);
      const angle = index * goldenAngle;
      const point = { x: parent.x + distance * Math.cos(angle), y: parent.y + distance * Math.sin(angle) };
      const nearest = Math.min(...taken.map((other) => Math.hypot(other.x - point.x, other.y - point.y)), step * 10);
      if (nearest > step * 0.7) return point;
      if (nearest > room) [best, room] = [point, nearest];
    }
    return best;
  }
}

/** Discs without overlap, each as near to the middle as there is room. */
class DiscPacking {
  readonly #cells = new Map<string, Disc[]>();
  /** For a size, the first place on the spiral not known to be taken for it. */
  #starts = new Map<number, number>();
  readonly #aspect: number;

  constructor(aspect: number) {
    this.#aspect = aspect;
  }

  take(radius: number): Disc {
    const size = Math.ceil(radius / 4) * 4;
    for (let index = this.#startFor(size); ; index++) {
      const distance = 5 * Math.sqrt(index);
      const angle = index * goldenAngle;
      const disc = { x: distance * Math.cos(angle), y: this.#aspect * distance * Math.sin(angle), radius: size };
      if (!this.#isFree(disc)) continue;
      this.#starts.set(size, index);
      this.#each(disc, (key) => this.#cells.set(key, [...(this.#cells.get(key) ?? []), disc]));
      return disc;
    }
  }

  free(disc: Disc): void {
    this.#each(disc, (key) =>
      this.#cells.set(
        key,
        (this.#cells.get(key) ?? []).filter((other) => other !== disc),
      ),
    );
    this.#starts = new Map();
  }

  #startFor(size: number): number {
    let start = 0;
    for (const [known, index] of this.#starts) if (known <= size) start = Math.max(start, index);
    return start;
  }

  #isFree(disc: Disc): boolean {
    let free = true;
    this.#each(disc, (key) => {
      if (!free) return;
      free = (this.#cells.get(key) ?? []).every(
        (other) => Math.hypot(other.x - disc.x, other.y - disc.y) >= other.radius + disc.radius - margin,
      );
    });
    return free;
  }

  #each({ x, y, radius }: Disc, visit: (key: string) => void): void {
    for (let column = Math.floor((x - radius) / cell); column <= Math.floor((x + radius) / cell); column++) {
      for (let row = Math.floor((y - radius) / cell); row <= Math.floor((y + radius) / cell); row++) {
        visit(`${column} ${row}`);
      }
    }
  }
}
