import type { NodeState } from "../../dashboard/wire/messages.ts";

const keptMs = 120_000;
const steadyMs = 30_000;
const furthestMs = 3_600_000;

interface Point {
  readonly atMs: number;
  readonly share: number;
}

/** How full exporters' queues were, so that the page can say when one will overflow. */
export class QueueHistory {
  readonly #points = new Map<string, Point[]>();

  add(atMs: number, nodes: readonly NodeState[]): void {
    for (const node of nodes) {
      const share = queueShare(node);
      if (share === undefined) continue;
      const points = this.#points.get(node.key) ?? [];
      points.push({ atMs, share });
      while (points[0] !== undefined && atMs - points[0].atMs > keptMs) points.shift();
      this.#points.set(node.key, points);
    }
  }

  /**
   * Milliseconds until the queue of `key` is full at the slope of the last 30 s. Undefined when it is not filling,
   * when it did not fill steadily for 30 s, or when it is more than an hour away.
   */
  fullInMs(key: string): number | undefined {
    const points = this.#points.get(key) ?? [];
    const last = points.at(-1);
    const first = points.findLast((point) => last !== undefined && last.atMs - point.atMs >= steadyMs);
    if (last === undefined || first === undefined) return undefined;
    const since = points.slice(points.indexOf(first));
    const quarters = [0, 0.25, 0.5, 0.75, 1].map((part) => since[Math.round(part * (since.length - 1))]?.share ?? 0);
    if (!quarters.every((share, index) => index === 0 || share > (quarters[index - 1] ?? 0))) return undefined;
    const milliseconds = ((1 - last.share) * (last.atMs - first.atMs)) / (last.share - first.share);
    return milliseconds <= furthestMs ? milliseconds : undefined;
  }
}

/** The fact `queue` of a component as 0..1, when it states one in percent. */
export function queueShare(node: NodeState): number | undefined {
  const fact = node.facts.find(({ label }) => label === "queue");
  const percent = fact === undefined ? null : /(\d+(?:\.\d+)?)\s*%/.exec(fact.text);
  return percent === null ? undefined : Number(percent[1]) / 100;
}
