import { ConsumeError } from "../../pipeline/delivery.ts";
import type { Clock } from "../../pipeline/host.ts";
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

/** Sends batches, a few at a time, and repeats those that are refused for now, when the server says so or later. */
export class Sender {
  readonly #settings: SenderSettings;
  readonly #underWay = new Set<Promise<void>>();
  readonly #abort = new AbortController();
  readonly #pause: Pause;
  #retries = 0;
  #stopping = false;

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

  /** Repeats nothing any more and waits for what is under way, at most `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    this.#pause.end();
    const { clock, client } = this.#settings;
    const timer = clock.setTimer(() => this.#abort.abort(), graceMs);
    await Promise.all(this.#underWay);
    clock.clearTimer(timer);
    client.close();
  }

  async #deliver(data: Pdata): Promise<SendResult> {
    const { client, clock, random, retryForMs } = this.#settings;
    const giveUpAtMs = clock.monotonicMs() + retryForMs;
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(longestBackoffMs, backoffMs * 2)) {
      try {
        const { rejectedItems } = await client.post(data, this.#abort.signal);
        return { accepted: true, rejected: rejectedItems };
      } catch (thrown) {
        const error = ConsumeError.from(thrown);
        const delayMs = error.delayMs ?? backoffMs * random.between(0.5, 1.5);
        const isOver = this.#stopping || clock.monotonicMs() + delayMs > giveUpAtMs;
        if (!error.retryable || isOver) return { accepted: false, error };
        this.#retries++;
        await this.#pause.wait(delayMs);
      }
    }
  }
}
