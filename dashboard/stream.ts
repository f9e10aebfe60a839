import { age, clock } from "../pipeline/number_text.ts";
import { byId, el } from "./dom.ts";
import type { Tick } from "./wire/messages.ts";

type Connection = "connecting" | "disconnected" | "held" | "stale" | "live";

const retryMs = 3_000;
const staleMs = 5_000;

/**
 * The live connection: a tick a second. Closed while the tab is hidden, tried again while the daemon is away; says in
 * the header which of these it is. Held, it counts what waits and shows none of it.
 */
export class Stream {
  readonly #onTick: (tick: Tick) => void;
  readonly #live = byId("live");
  readonly #text = byId("live-text");
  readonly #hold = byId<HTMLButtonElement>("hold");
  #source: EventSource | undefined;
  #latest: Tick | undefined;
  #latestAtMs = 0;
  #retryAtMs: number | undefined;
  #held: { ticks: number; fromItems: number } | undefined;

  constructor(onTick: (tick: Tick) => void) {
    this.#onTick = onTick;
    this.#hold.addEventListener("click", () => this.hold());
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#close() : this.#open()));
    setInterval(() => this.#say(), 1_000);
    if (!document.hidden) this.#open();
  }

  /** What the page shows or would show if it were not held. */
  get latest(): Tick | undefined {
    return this.#latest;
  }

  /** Freezes the page, or lets it go on with the latest. */
  hold(): void {
    this.#held = this.#held === undefined ? { ticks: 0, fromItems: this.#latest?.books.received ?? 0 } : undefined;
    this.#hold.setAttribute("aria-pressed", String(this.#held !== undefined));
    if (this.#held === undefined && this.#latest !== undefined) this.#onTick(this.#latest);
    this.#say();
  }

  #open(): void {
    if (this.#source !== undefined) return;
    const source = new EventSource("/api/stream");
    this.#source = source;
    source.addEventListener("tick", (event: MessageEvent<string>) => {
      this.#retryAtMs = undefined;
      this.#latest = JSON.parse(event.data) as Tick;
      this.#latestAtMs = performance.now();
      if (this.#held === undefined) this.#onTick(this.#latest);
      else this.#held.ticks += 1;
      this.#say();
    });
    source.addEventListener("error", () => {
      this.#close();
      this.#retryAtMs = performance.now() + retryMs;
      setTimeout(() => {
        if (!document.hidden) this.#open();
      }, retryMs);
      this.#say();
    });
  }

  #close(): void {
    this.#source?.close();
    this.#source = undefined;
  }

  #say(): void {
    const silentMs = performance.now() - this.#latestAtMs;
    const state = this.#state(silentMs);
    this.#live.dataset["state"] = state;
    document.body.dataset["connection"] = state;
    this.#text.replaceChildren(...this.#words(state, silentMs));
  }

  #state(silentMs: number): Connection {
    if (this.#retryAtMs !== undefined) return "disconnected";
    if (this.#latest === undefined) return "connecting";
    if (this.#held !== undefined) return "held";
    return silentMs > staleMs ? "stale" : "live";
  }

  #words(state: Connection, silentMs: number): (string | Node)[] {
    const bold = document.createElement("b");
    switch (state) {
      case "connecting":
        return ["Connecting"];
      case "disconnected": {
        const since = this.#latest === undefined ? "" : ` ${age(silentMs)}`;
        bold.textContent = `Disconnected${since}`;
        return [bold, `, trying again in ${age(Math.max(0, (this.#retryAtMs ?? 0) - performance.now()))}`];
      }
      case "held": {
        bold.textContent = "Held";
        const waiting = (this.#latest?.books.received ?? 0) - (this.#held?.fromItems ?? 0);
        return [bold, ` +${Math.max(0, waiting)}`];
      }
      case "stale":
        bold.textContent = `${age(silentMs)} old`;
        return [bold];
      case "live":
        bold.textContent = "Live";
        return [bold, ` ${clock(this.#latest?.unixMs ?? 0)}`, el("span", { class: "wide" }, " UTC")];
    }
  }
}
