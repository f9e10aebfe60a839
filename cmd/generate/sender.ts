import { ConsumeError } from "../../pipeline/delivery.ts";
import type { Clock, Timer } from "../../pipeline/host.ts";
import type { Pdata } from "../../pipeline/pdata/index.ts";
import type { OtlpClient } from "./client.ts";
import { Pause } from "./pause.ts";
import type { Random } from "./random.ts";

export interface SenderSettings {
  readonly client: OtlpClient;
  readonly clock: Clock;
  /** Spreads the repetitions. */
  readonly random: Random;
  /** Requests under way at once. */
  readonly maxInFlight: number;
  /** How long a batch is offered again and again. */
  readonly retryForMs: number;
}

/** What became of a batch. `rejected` of its items were refused although the request was taken. */
export type SendResult =
  | { readonly accepted: true; readonly rejected: number }
  | { readonly accepted: false; readonly error: ConsumeError };

const firstBackoffMs = 200;
const longestBackoffMs = 5_000;
/** A server that takes nothing for so long is most likely none. */
const longestFirstTryMs = 5_000;

/** Sends batches, a few at a time, and repeats those that are refused for now, when the server says so or later. */
export class Sender {
  readonly #settings: SenderSettings;
  readonly #underWay = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #pause: Pause;
  #retries = 0;
  #stopping = false;
  #everAccepted = false;
  #abortTimer: Timer | undefined;

  constructor(settings: SenderSettings) {
    this.#settings = settings;
    this.#pause = new Pause(settings.clock);
  }

  get retries(): number {
    return this.#retries;
  }

  /** Takes a batch as soon as few enough are under way. `onResult` is called once with what became of it. */
  async send(data: Pdata, onResult: (result: SendResult) => void): Promise<void> {
    while (this.#underWay.size >= this.#settings.maxInFlight) await Promise.race(this.#underWay);
    const sent = this.#deliver(data)
      .then(onResult)
      .finally(() => void this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  /** Waits until every batch has its answer, repeated ones as well, and closes. */
  async finish(): Promise<void> {
    await Promise.all(this.#underWay);
    if (this.#abortTimer !== undefined) this.#settings.clock.clearTimer(this.#abortTimer);
    this.#settings.client.close();
  }

  /** From now on repeats nothing, and waits at most `graceMs` for the answers that are due. */
  hurry(graceMs: number): void {
    if (this.#stopping) return;
    this.#stopping = true;
    this.#pause.end();
    this.#abortTimer = this.#settings.clock.setTimer(() => this.#abort.abort(), graceMs);
  }

  async #deliver(data: Pdata): Promise<SendResult> {
    const { client, clock, random, retryForMs } = this.#settings;
    const offeredAtMs = clock.monotonicMs();
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(longestBackoffMs, backoffMs * 2)) {
      try {
        const { rejectedItems } = await client.post(data, this.#abort.signal);
        this.#everAccepted = true;
        return { accepted: true, rejected: rejectedItems };
      } catch (thrown) {
        const error = ConsumeError.from(thrown);
        const delayMs = error.delayMs ?? backoffMs * random.between(0.5, 1.5);
        const patienceMs = this.#everAccepted ? retryForMs : Math.min(retryForMs, longestFirstTryMs);
        const isOver = this.#stopping || clock.monotonicMs() + delayMs > offeredAtMs + patienceMs;
        if (!error.retryable || isOver) return { accepted: false, error };
        this.#retries++;
        await this.#pause.wait(delayMs);
      }
    }
  }
}
