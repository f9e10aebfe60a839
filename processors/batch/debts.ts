import type { ConsumeError, Delivery } from "../../pipeline/delivery.ts";
import type { ProcessorHost } from "../../pipeline/host.ts";

/** A sender that is not answered yet. */
export interface Debt {
  readonly delivery: Delivery;
  /** Items that are in no batch yet. */
  items: number;
  /** Batches with items of it that have not landed, plus one while some are in no batch. */
  open: number;
  /** Why one of them was refused. */
  error?: ConsumeError;
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
    this.#waiting.push({ delivery, items, open: 1 });
  }

  /** Those whose items are the next `items`, in the order in which they came. */
  take(items: number): readonly Debt[] {
    const taken: Debt[] = [];
    let missing = items;
    while (missing > 0) {
      const [first] = this.#waiting;
      if (first === undefined) break;
      taken.push(first);
      if (first.items <= missing) {
        missing -= first.items;
        this.#waiting.shift();
      } else {
        first.items -= missing;
        first.open += 1;
        missing = 0;
      }
    }
    return taken;
  }

  /** Answers those who have nothing else under way; with the error when a part of theirs was refused. */
  settle(debts: readonly Debt[], error?: ConsumeError): void {
    for (const debt of debts) {
      if (error !== undefined) debt.error ??= error;
      debt.open -= 1;
      if (debt.open > 0) continue;
      if (debt.error === undefined) debt.delivery.ack();
      else this.#host.refuse(debt.delivery, debt.error);
    }
  }
}
