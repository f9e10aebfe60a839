import type { ConsumeError } from "../delivery.ts";
import type { Host } from "../host.ts";

const intervalMs = 1_000;

/** One line a second at most about data that is handed back to its senders: a full queue refuses thousands. */
export class RejectionLog {
  readonly #host: Pick<Host, "clock" | "logger">;
  readonly #message: string;
  #nextMs = Number.NEGATIVE_INFINITY;
  #items = 0;

  /** `hint` follows the message. */
  constructor(host: Pick<Host, "clock" | "logger">, hint = "") {
    this.#host = host;
    this.#message = `Exporting failed. Rejecting data.${hint}`;
  }

  add(items: number, error: ConsumeError): void {
    this.#items += items;
    const nowMs = this.#host.clock.monotonicMs();
    if (nowMs < this.#nextMs) return;
    this.#nextMs = nowMs + intervalMs;
    const fields = { error: error.message, rejected_items: this.#items };
    this.#items = 0;
    this.#host.logger.error(fields, this.#message);
  }
}
