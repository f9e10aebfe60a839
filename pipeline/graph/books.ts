import { ConsumeError, type Delivery } from "../delivery.ts";
import type { Pdata } from "../pdata/index.ts";
import type { Books, EdgeView } from "../view.ts";

/** The account of one node; everything that is not out, dropped or refused is held. Items. */
export class NodeBooks implements Books {
  in = 0;
  out = 0;
  refused = 0;
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
    if (crossing.from !== undefined) crossing.from.out += items;
    if (crossing.to !== undefined) crossing.to.in += items;
    if (crossing.edge !== undefined) crossing.edge.items += items;
  }

  get client() {
    return this.#parent.client;
  }

  get signal() {
    return this.#parent.signal;
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

/** Something that takes deliveries and owes each an answer. */
export interface Inlet<T extends Pdata = Pdata> {
  take(delivery: Delivery<T>): void;
}

/** Hands a delivery to `inlet`; a throw there refuses it. */
export function handOver<T extends Pdata>(delivery: Delivery<T>, inlet: Inlet<T>): void {
  try {
    inlet.take(delivery);
  } catch (thrown) {
    delivery.nack(ConsumeError.from(thrown));
  }
}

/**
 * Gives one delivery to all inlets. The data is shared, never cloned. It is acked when all branches have been, nacked
 * with all their errors when the last has answered: every branch is called even if an earlier one refuses.
 */
export function fanOut<T extends Pdata>(delivery: Delivery<T>, inlets: readonly Inlet<T>[]): void {
  const [only] = inlets;
  if (only === undefined) return delivery.ack();
  if (inlets.length === 1) return handOver(delivery, only);
  const shared = new SharedAnswer(delivery, inlets.length);
  for (const inlet of inlets) handOver(new BranchDelivery(delivery, shared), inlet);
}

class SharedAnswer {
  readonly #delivery: Delivery;
  readonly #errors: ConsumeError[] = [];
  #open: number;

  constructor(delivery: Delivery, branches: number) {
    this.#delivery = delivery;
    this.#open = branches;
  }

  settle(error?: ConsumeError): void {
    if (error !== undefined) this.#errors.push(error);
    this.#open -= 1;
    if (this.#open > 0) return;
    if (this.#errors.length === 0) this.#delivery.ack();
    else this.#delivery.nack(ConsumeError.combine(this.#errors));
  }
}

class BranchDelivery<T extends Pdata> implements Delivery<T> {
  readonly #delivery: Delivery<T>;
  readonly #shared: SharedAnswer;
  #answered = false;

  constructor(delivery: Delivery<T>, shared: SharedAnswer) {
    this.#delivery = delivery;
    this.#shared = shared;
  }

  get data(): T {
    return this.#delivery.data;
  }

  get client() {
    return this.#delivery.client;
  }

  get signal() {
    return this.#delivery.signal;
  }

  ack(): void {
    this.#answer();
  }

  nack(error: ConsumeError): void {
    this.#answer(error);
  }

  #answer(error?: ConsumeError): void {
    if (this.#answered) return;
    this.#answered = true;
    this.#shared.settle(error);
  }
}
