import type { Clock, Timer } from "../../host.ts";
import type { GrpcServerSettings } from "../settings.ts";

type Parameters = NonNullable<NonNullable<GrpcServerSettings["keepalive"]>["server_parameters"]>;

/** What a connection is asked to do when its time has come. */
export interface Aging {
  ping(): void;
  /** Lets its calls end and takes no new ones, for a reason the client is told. */
  retire(reason: string): void;
  close(): void;
}

const standardPingMs = 7_200_000;
const standardTimeoutMs = 20_000;

/** Ages differ by a tenth either way, so that the connections of a start do not end all at once. */
const ageSpread = 0.1;

/** Watches one connection of a server: whether it is idle, old or dead. @see Collector: `configgrpc`, `server_parameters`. */
export class ServerKeepalive {
  readonly #clock: Clock;
  readonly #aging: Aging;
  readonly #parameters: Parameters | undefined;
  readonly #timers = new Map<string, Timer>();
  #isHeard = false;
  #isOver = false;

  constructor(parameters: Parameters | undefined, clock: Clock, aging: Aging, random: () => number) {
    this.#clock = clock;
    this.#aging = aging;
    this.#parameters = parameters;
    const ageMs = parameters?.max_connection_age ?? 0;
    if (ageMs > 0) this.#set("age", ageMs * (1 - ageSpread + 2 * ageSpread * random()), () => this.#retire("max_age"));
    this.idle();
    this.#listen();
  }

  /** Something has come from the client. */
  heard(): void {
    this.#isHeard = true;
  }

  /** There are no calls on the connection. */
  idle(): void {
    const idleMs = this.#parameters?.max_connection_idle ?? 0;
    if (idleMs > 0) this.#set("idle", idleMs, () => this.#retire("max_idle"));
  }

  /** A call has begun. */
  busy(): void {
    this.#clear("idle");
  }

  #retire(reason: string): void {
    this.#aging.retire(reason);
    const graceMs = this.#parameters?.max_connection_age_grace ?? 0;
    if (graceMs > 0 && !this.#isOver) this.#set("grace", graceMs, () => this.#aging.close());
  }

  #listen(): void {
    this.#isHeard = false;
    this.#set("ping", this.#parameters?.time || standardPingMs, () => {
      if (this.#isHeard) {
        this.#listen();
        return;
      }
      this.#aging.ping();
      this.#set("ping", this.#parameters?.timeout || standardTimeoutMs, () => {
        if (this.#isHeard) this.#listen();
        else this.#aging.close();
      });
    });
  }

  stop(): void {
    this.#isOver = true;
    for (const name of [...this.#timers.keys()]) this.#clear(name);
  }

  #set(name: string, delayMs: number, run: () => void): void {
    this.#clear(name);
    this.#timers.set(name, this.#clock.setTimer(run, delayMs));
  }

  #clear(name: string): void {
    const timer = this.#timers.get(name);
    if (timer !== undefined) this.#clock.clearTimer(timer);
    this.#timers.delete(name);
  }
}
