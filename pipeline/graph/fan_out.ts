import { ConsumeError, type Delivery } from "../delivery.ts";
import type { Pdata } from "../pdata/index.ts";

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
 * with all their errors when the last has answered: every branch is called even if an earlier one refuses. A branch that
 * answers twice, which is a bug, is told to `onSecondAnswer` and counts once.
 */
export function fanOut<T extends Pdata>(
  delivery: Delivery<T>,
  inlets: readonly Inlet<T>[],
  onSecondAnswer: () => void,
): void {
  const [only] = inlets;
  if (only === undefined) {
    delivery.ack();
  } else if (inlets.length === 1) {
    handOver(delivery, only);
  } else {
    const shared = new SharedAnswer(delivery, inlets.length);
    for (const inlet of inlets) handOver(new BranchDelivery(delivery, shared, onSecondAnswer), inlet);
  }
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
  readonly #onSecondAnswer: () => void;
  #answered = false;

  constructor(delivery: Delivery<T>, shared: SharedAnswer, onSecondAnswer: () => void) {
    this.#delivery = delivery;
    this.#shared = shared;
    this.#onSecondAnswer = onSecondAnswer;
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

  mayWait(): void {
    this.#delivery.mayWait?.();
  }

  ack(): void {
    this.#answer();
  }

  nack(error: ConsumeError): void {
    this.#answer(error);
  }

  #answer(error?: ConsumeError): void {
    if (this.#answered) {
      this.#onSecondAnswer();
      return;
    }
    this.#answered = true;
    this.#shared.settle(error);
  }
}
