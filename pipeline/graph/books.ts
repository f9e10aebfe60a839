import type { ConsumeError, Delivery } from "../delivery.ts";
import type { Pdata } from "../pdata/index.ts";
import type { Books, EdgeView } from "../view.ts";

/** The account of one node; everything that is not out, dropped or refused is held. Items. */
export class NodeBooks implements Books {
  in = 0;
  out = 0;
  refused = 0;
  passed = 0;
  readonly dropped = new Map<string, number>();

  get held(): number {
    return this.in - this.out - this.refused - this.droppedTotal;
  }

  get droppedTotal(): number {
    let total = 0;
    for (const items of this.dropped.values()) total += items;
    return total;
  }

  drop(items: number, reason: string): void {
    this.dropped.set(reason, (this.dropped.get(reason) ?? 0) + items);
  }
}

/** What has crossed from one node to the next in one pipeline, less what was refused there. */
export type EdgeCount = { -readonly [K in keyof EdgeView]: EdgeView[K] };

/** What has crossed every edge there ever was: one that is gone and comes back goes on counting. */
export class EdgeCounts {
  readonly #counts = new Map<string, EdgeCount>();

  between(from: string, to: string, { pipelineId, signal }: Pick<EdgeView, "pipelineId" | "signal">): EdgeCount {
    const key = [pipelineId, from, to].join(" ");
    const count = this.#counts.get(key) ?? { from, to, pipelineId, signal, items: 0 };
    this.#counts.set(key, count);
    return count;
  }
}

/** Where a crossing is written down; each part is optional at the ends of a fan-out. */
export interface Crossing {
  /** The node whose `out` it is. */
  readonly from?: NodeBooks;
  /** The node whose `in` it is. */
  readonly to?: NodeBooks;
  readonly edge?: EdgeCount;
}

/**
 * A delivery on its way over an edge. It books the crossing at once and takes it back when the far side refuses,
 * and it is where "answered exactly once" is enforced: a second answer goes to `onSecondAnswer` and no further.
 */
export class CrossingDelivery<T extends Pdata> implements Delivery<T> {
  readonly data: T;
  readonly #parent: Delivery;
  readonly #crossing: Crossing;
  readonly #onSecondAnswer: () => void;
  #answered = false;

  constructor(parent: Delivery, data: T, crossing: Crossing, onSecondAnswer: () => void) {
    this.data = data;
    this.#parent = parent;
    this.#crossing = crossing;
    this.#onSecondAnswer = onSecondAnswer;
    const items = data.itemCount;
    if (crossing.from !== undefined) {
      crossing.from.out += items;
      crossing.from.passed += items;
    }
    if (crossing.to !== undefined) crossing.to.in += items;
    if (crossing.edge !== undefined) crossing.edge.items += items;
  }

  get client() {
    return this.#parent.client;
  }

  get signal() {
    return this.#parent.signal;
  }

  mayWait(): void {
    this.#parent.mayWait?.();
  }

  ack(): void {
    if (this.#settle()) this.#parent.ack();
  }

  nack(error: ConsumeError): void {
    if (!this.#settle()) return;
    const items = this.data.itemCount;
    const { from, to, edge } = this.#crossing;
    if (from !== undefined) from.out -= items;
    if (to !== undefined) to.refused += items;
    if (edge !== undefined) edge.items -= items;
    this.#parent.nack(error);
  }

  #settle(): boolean {
    if (this.#answered) {
      this.#onSecondAnswer();
      return false;
    }
    this.#answered = true;
    return true;
  }
}
