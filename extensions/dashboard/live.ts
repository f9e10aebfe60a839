import type { Tick } from "../../dashboard/wire/messages.ts";
import type { Clock, Timer } from "../../pipeline/host.ts";
import type { Sampler } from "./sampler.ts";

const everyMs = 1_000;
const mostPages = 64;
const encoder = new TextEncoder();

/** Samples once a second and tells every open page. A page that reads slowly misses ticks; none is queued for it. */
export class Live {
  readonly #sampler: Sampler;
  readonly #clock: Clock;
  readonly #pages = new Set<ReadableStreamDefaultController<Uint8Array>>();
  #timer: Timer | undefined;
  #latest: Tick | undefined;

  constructor(sampler: Sampler, clock: Clock) {
    this.#sampler = sampler;
    this.#clock = clock;
  }

  /** The first sample is taken once the caller is done: nobody looks while the service starts. */
  start(): void {
    this.#timer = this.#clock.setTimer(() => this.#tick(), 0);
  }

  /** Ends every stream. Safe to call twice. */
  stop(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer);
    this.#timer = undefined;
    for (const page of this.#pages) page.close();
    this.#pages.clear();
  }

  latest(): Tick {
    this.#latest ??= this.#sampler.take(this.#clock.monotonicMs(), this.#clock.nowMs());
    return this.#latest;
  }

  /** Server-sent events: `retry`, then a `tick` at once and one a second until the reader goes or `stop`. Undefined when too many read already. */
  stream(): ReadableStream<Uint8Array> | undefined {
    if (this.#pages.size >= mostPages) return undefined;
    let page: ReadableStreamDefaultController<Uint8Array>;
    return new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          page = controller;
          controller.enqueue(encoder.encode("retry: 3000\n\n"));
          controller.enqueue(eventOf(this.latest()));
          this.#pages.add(controller);
        },
        cancel: () => void this.#pages.delete(page),
      },
      new CountQueuingStrategy({ highWaterMark: 3 }),
    );
  }

  #tick(): void {
    this.#latest = this.#sampler.take(this.#clock.monotonicMs(), this.#clock.nowMs());
    this.#timer = this.#clock.setTimer(() => this.#tick(), everyMs);
    if (this.#pages.size === 0) return;
    const event = eventOf(this.#latest);
    for (const page of this.#pages) if ((page.desiredSize ?? 0) > 0) page.enqueue(event);
  }
}

function eventOf(tick: Tick): Uint8Array {
  return encoder.encode(`event: tick\ndata: ${JSON.stringify(tick)}\n\n`);
}
