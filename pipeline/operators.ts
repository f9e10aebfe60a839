import { Observable } from "rxjs";
import type { Operator } from "./component.ts";
import { ConsumeError, type Delivery } from "./delivery.ts";
import type { ProcessorHost } from "./host.ts";
import type { Pdata } from "./pdata/index.ts";

/**
 * Lifts a function from batch to batch to an operator over deliveries.
 *
 * - Items missing from the result are counted as dropped by `dropReason`, once the rest has been taken.
 * - A batch left without items is acked here and goes no further.
 * - A throw refuses that delivery (permanently, unless a retryable ConsumeError was thrown); the stream goes on.
 */
export function mapData<T extends Pdata>(
  host: ProcessorHost,
  transform: (data: T, delivery: Delivery<T>) => T,
  dropReason = "filtered_out",
): Operator<T> {
  return (source) =>
    new Observable((subscriber) =>
      source.subscribe({
        next(delivery) {
          let data: T;
          try {
            data = transform(delivery.data, delivery);
          } catch (thrown) {
            host.refuse(delivery, ConsumeError.from(thrown));
            return;
          }
          if (data === delivery.data) {
            subscriber.next(delivery);
            return;
          }
          const missing = delivery.data.itemCount - data.itemCount;
          if (data.itemCount === 0) {
            if (missing > 0) host.drop(missing, dropReason);
            delivery.ack();
            return;
          }
          subscriber.next(
            new DerivedDelivery(delivery, data, missing > 0 ? () => host.drop(missing, dropReason) : nothing),
          );
        },
        error: (error) => subscriber.error(error),
        complete: () => subscriber.complete(),
      }),
    );
}

/** Other data with the same answer. `onAck` runs before the ack: that is when a drop has become final. */
export class DerivedDelivery<T extends Pdata> implements Delivery<T> {
  readonly data: T;
  readonly #parent: Delivery;
  readonly #onAck: () => void;

  constructor(parent: Delivery, data: T, onAck: () => void = nothing) {
    this.data = data;
    this.#parent = parent;
    this.#onAck = onAck;
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
    this.#onAck();
    this.#parent.ack();
  }

  nack(error: ConsumeError): void {
    this.#parent.nack(error);
  }
}

function nothing(): void {}
