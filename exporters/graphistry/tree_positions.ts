import type { Pause } from "../../pipeline/frame/engine.ts";
import { inSteps } from "./in_steps.ts";

export interface Position {
  readonly x: number;
  readonly y: number;
}

interface Node {
  readonly node_id: string;
  readonly start_time: number | null;
}

interface Edge {
  readonly source: string;
  readonly destination: string;
}

const generation = 200;
const row = 60;

/**
 * A place for every node: each trace a tree that grows to the right, a row per span, depth first in order of start; the
 * trees below each other in columns, so that the whole is about square. Pauses now and then.
 */
export async function treePositions(
  nodes: readonly Node[],
  edges: readonly Edge[],
  pause: Pause,
): Promise<ReadonlyMap<string, Position>> {
  const columns = new Columns(Math.max(8, Math.ceil(Math.sqrt((nodes.length * 2 * generation) / row))));
  const ids = nodes.toSorted(byStart).map(({ node_id }) => node_id);
  const parents = new Map<string, string>();
  await inSteps(edges, pause, ({ source, destination }) => void parents.set(destination, source));
  const children = await childrenOf(ids, parents, pause);
  const place = (id: string) => columns.add(depthFirst(id, children, columns.positions));
  await inSteps(ids, pause, (id) => {
    if (!parents.has(id)) place(id);
  });
  // What is left hangs in circles of parents: they are cut at their first span.
  await inSteps(ids, pause, (id) => {
    if (!columns.positions.has(id)) place(id);
  });
  return columns.positions;
}

function byStart(one: Node, other: Node): number {
  return (one.start_time ?? 0) - (other.start_time ?? 0);
}

/** Children by parent, in the order of `ids`. */
async function childrenOf(
  ids: readonly string[],
  parents: ReadonlyMap<string, string>,
  pause: Pause,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const children = new Map<string, string[]>();
  await inSteps(ids, pause, (id) => {
    const parent = parents.get(id);
    if (parent === undefined) return;
    const siblings = children.get(parent);
    if (siblings === undefined) children.set(parent, [id]);
    else siblings.push(id);
  });
  return children;
}

interface Step {
  readonly id: string;
  readonly depth: number;
}

function depthFirst(
  root: string,
  children: ReadonlyMap<string, readonly string[]>,
  placed: ReadonlyMap<string, Position>,
): Step[] {
  const steps: Step[] = [];
  const seen = new Set<string>();
  const waiting: Step[] = [{ id: root, depth: 0 }];
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    const { id, depth } = step;
    if (seen.has(id) || placed.has(id)) continue;
    seen.add(id);
    steps.push(step);
    for (const child of (children.get(id) ?? []).toReversed()) waiting.push({ id: child, depth: depth + 1 });
  }
  return steps;
}

/** Trees below each other until a column is full. */
class Columns {
  readonly positions = new Map<string, Position>();
  readonly #tallest: number;
  #left = 0;
  #rows = 0;
  #depth = 0;

  constructor(tallest: number) {
    this.#tallest = tallest;
  }

  add(tree: readonly Step[]): void {
    if (this.#rows > 0 && this.#rows + tree.length > this.#tallest) {
      this.#left += (this.#depth + 2) * generation;
      this.#rows = 0;
      this.#depth = 0;
    }
    for (const { id, depth } of tree) {
      this.positions.set(id, { x: this.#left + depth * generation, y: this.#rows === 0 ? 0 : -this.#rows * row });
      this.#rows++;
      this.#depth = Math.max(this.#depth, depth);
    }
  }
}
