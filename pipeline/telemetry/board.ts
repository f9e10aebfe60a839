import type { Board, Publications } from "../board.ts";

/** A board in memory. */
export function createBoard(): Board {
  const published: { [K in keyof Publications]: { id: string; source: Publications[K] }[] } = {
    tables: [],
    figures: [],
    graph: [],
  };
  const all = <K extends keyof Publications>(kind: K) =>
    new Map(published[kind].map(({ id, source }): [string, Publications[K]] => [id, source]));
  return {
    publish(kind, id, source) {
      const publication = { id, source };
      published[kind].push(publication);
      return () => {
        const at = published[kind].indexOf(publication);
        if (at >= 0) published[kind].splice(at, 1);
      };
    },
    find: (kind, id) => all(kind).get(id),
    all,
  };
}
