import type { GraphEdge, GraphNode } from "../wire/messages.ts";

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** The spans of one trace around their own centre. */
export interface TraceShape {
  readonly traceId: string;
  /** Positions relative to the middle of the circle that holds them all. */
  readonly places: ReadonlyMap<string, Point>;
  readonly radius: number;
}

/** Distance between a span and its child, and between neighbours on a ring. */
export const step = 10;
const spacing = 7.5;
const deepest = 30;
const widest = 40;
const goldenAngle = Math.PI * (3 - Math.sqrt(5));

/** Edges by what they join, for one snapshot. */
export class Family {
  readonly #children = new Map<string, string[]>();
  readonly #parents = new Map<string, string>();

  constructor(edges: readonly GraphEdge[]) {
    for (const { source, target } of edges) {
      if (this.#parents.has(target) || source === target) continue;
      this.#parents.set(target, source);
      const siblings = this.#children.get(source);
      if (siblings === undefined) this.#children.set(source, [target]);
      else siblings.push(target);
    }
  }

  childrenOf(id: string): readonly string[] {
    return this.#children.get(id) ?? [];
  }

  parentOf(id: string): string | undefined {
    return this.#parents.get(id);
  }
}

/**
 * Lays one trace out: the root in the middle, each generation on a ring, children in a wedge as wide as their leaves
 * are many. A chain becomes a line, a fan a star. Deeper or wider than a reader could follow, it becomes a filled disc in
 * the order of generations, so that no trace is larger than its spans need. The same trace always gives the same shape.
 */
export function shapeTrace(traceId: string, nodes: readonly GraphNode[], family: Family): TraceShape {
  const generations = generationsOf(nodes, family);
  const isVast = generations.length > deepest || generations.some((generation) => generation.length > widest);
  if (isVast) return centred(traceId, sunflower(generations.flat()));
  const wedges = wedgesOf(generations, family, hash(traceId) * 2 * Math.PI);
  const places = new Map<string, Point>();
  // Several roots stand around an empty middle.
  let radius = (generations[0]?.length ?? 0) > 1 ? ringOf(generations[0]?.length ?? 0, 0) : 0;
  generations.forEach((generation, depth) => {
    if (depth > 0) radius = ringOf(generation.length, radius);
    for (const id of generation) {
      const angle = wedges.get(id) ?? 0;
      places.set(id, { x: radius * Math.cos(angle), y: radius * Math.sin(angle) });
    }
  });
  return centred(traceId, places);
}

function sunflower(ids: readonly string[]): Map<string, Point> {
  return new Map(
    ids.map((id, index) => {
      const radius = 0.62 * spacing * Math.sqrt(index);
      return [id, { x: radius * Math.cos(index * goldenAngle), y: radius * Math.sin(index * goldenAngle) }];
    }),
  );
}

function ringOf(count: number, inner: number): number {
  return Math.max(inner + step, (count * spacing) / (2 * Math.PI));
}

/** Roots, their children, and so on. Spans in a circle of parents reach no root: the first of them counts as one. */
function generationsOf(nodes: readonly GraphNode[], family: Family): string[][] {
  const own = new Set(nodes.map((node) => node.id));
  const seen = new Set<string>();
  const isRoot = (id: string) => {
    const parent = family.parentOf(id);
    return parent === undefined || !own.has(parent);
  };
  const roots = nodes.map((node) => node.id).filter(isRoot);
  const generations: string[][] = [];
  const walk = (start: readonly string[]) => {
    let generation = start.filter((id) => !seen.has(id));
    for (let depth = 0; generation.length > 0; depth++) {
      for (const id of generation) seen.add(id);
      const ring = generations[depth] ?? [];
      generations[depth] = ring;
      for (const id of generation) ring.push(id);
      generation = generation.flatMap((id) =>
        family.childrenOf(id).filter((child) => own.has(child) && !seen.has(child)),
      );
    }
  };
  walk(roots);
  for (const { id } of nodes) if (!seen.has(id)) walk([id]);
  return generations;
}

/** The middle angle of each span's wedge. */
function wedgesOf(generations: readonly (readonly string[])[], family: Family, turn: number): Map<string, number> {
  const leaves = new Map<string, number>();
  for (const generation of [...generations].reverse()) {
    for (const id of generation) {
      const below = family.childrenOf(id).reduce((sum, child) => sum + (leaves.get(child) ?? 0), 0);
      leaves.set(id, Math.max(1, below));
    }
  }
  const spans = new Map<string, { from: number; to: number }>();
  const split = (ids: readonly string[], from: number, to: number) => {
    const all = ids.reduce((sum, id) => sum + (leaves.get(id) ?? 1), 0);
    let at = from;
    for (const id of ids) {
      const next = at + ((to - from) * (leaves.get(id) ?? 1)) / all;
      spans.set(id, { from: at, to: next });
      at = next;
    }
  };
  split(generations[0] ?? [], turn, turn + 2 * Math.PI);
  for (const generation of generations) {
    for (const id of generation) {
      const span = spans.get(id) ?? { from: turn, to: turn };
      split(
        family.childrenOf(id).filter((child) => leaves.has(child) && !spans.has(child)),
        span.from,
        span.to,
      );
    }
  }
  return new Map([...spans].map(([id, { from, to }]) => [id, (from + to) / 2]));
}

function centred(traceId: string, places: ReadonlyMap<string, Point>): TraceShape {
  const points = [...places.values()];
  const middle = (value: (point: Point) => number) => {
    let least = Number.POSITIVE_INFINITY;
    let most = Number.NEGATIVE_INFINITY;
    for (const point of points) {
      least = Math.min(least, value(point));
      most = Math.max(most, value(point));
    }
    return points.length === 0 ? 0 : (least + most) / 2;
  };
  const x = middle((point) => point.x);
  const y = middle((point) => point.y);
  let radius = 0;
  const moved = new Map<string, Point>();
  for (const [id, point] of places) {
    const place = { x: point.x - x, y: point.y - y };
    radius = Math.max(radius, Math.hypot(place.x, place.y));
    moved.set(id, place);
  }
  return { traceId, places: moved, radius };
}

/** A number in [0, 1) from a text, the same everywhere (FNV-1a). */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  }
  return (value >>> 0) / 2 ** 32;
}
