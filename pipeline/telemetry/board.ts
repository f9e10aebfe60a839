import type { Board, Publications } from "../board.ts";

/** A board in memory. */
export function createBoard(): Board {
  const sources: { [K in keyof Publications]: Map<string, Publications[K]> } = {
    tables: new Map(),
    figures: new Map(),
    graph: new Map(),
  };
  return {
    publish: (kind, componentId, source) => void sources[kind].set(componentId, source),
    withdraw: (kind, componentId) => void sources[kind].delete(componentId),
    find: (kind, componentId) => sources[kind].get(componentId),
    all: (kind) => sources[kind],
  };
}
