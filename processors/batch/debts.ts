import type { ConsumeError, Delivery } from "../../pipeline/delivery.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";

/** A sender that is not answered yet. */
interface Debt {
  readonly delivery: Delivery;
  /** Items that are in no batch yet. */
  items: number;
  /** Batches with items of it that have not landed, plus one while some are in no batch. */
  open: number;
  /** Items whose batch was taken, or dropped. */
  goneItems: number;
  /** Why one of them was refused. */
  error?: ConsumeError;
}

/** The items of one sender in a batch. */
export interface Share {
  readonly debt: Debt;
  readonly items: number;
}

/** Who is to be answered when a batch has landed: for batches in front of a queue on disk. */
export class Debts {
  readonly #host: ProcessorHost;
  #waiting: Debt[] = [];

  constructor(host: ProcessorHost) {
    this.#host = host;
  }

  add(delivery: Delivery): void {
    const items = delivery.data.itemCount;
    if (items === 0) {
      delivery.ack();
      return;
    }
    delivery.mayWait?.();
    this.#waiting.push({ delivery, items, open: 1, goneItems: 0 });
  }

  /** Those whose items are the next `items`, in the order in which they came. */
  take(items: number): readonly Share[] {
    const taken: Share[] = [];
    let missing = items;
    while (missing > 0) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      const share = { debt: first, items: Math.min(first.items, missing) };
      taken.push(share);
      missing -= share.items;
      first.items -= share.items;
      if (first.items === 0) this.#waiting.shift();
      else first.open += 1;
    }
    return taken;
  }

  /**
   * Answers those who have nothing else under way; with the error when a part of theirs was refused. They send all of it
   * again then, so what had landed arrives twice.
   */
  settle(shares: readonly Share[], error?: ConsumeError): void {
    for (const { debt, items } of shares) {
      if (error === undefined) debt.goneItems += items;
      else debt.error ??= error;
      debt.open -= 1;
      if (debt.open > 0) continue;
      if (debt.error === undefined) debt.delivery.ack();
      else this.#host.refuse(debt.delivery, debt.error, debt.goneItems);
    }
  }
}
