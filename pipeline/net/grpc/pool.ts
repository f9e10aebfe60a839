import { lookup } from "node:dns/promises";
import { messageOf } from "../../error_text.ts";
import type { Timer } from "../../host.ts";
import { formatHostPort } from "../listener.ts";
import { rpcCode } from "../status.ts";
import type { ClientCall } from "./client_call.ts";
import { type Address, ClientConnection, type Dialling } from "./client_connection.ts";

/** Connections to one address: more than one only while the others have much to send. */
const maxConnections = 4;

/** A connection with that much unsent is busy: a call goes to another one. */
const busyBytes = 256 * 1024;

const firstBackoffMs = 1_000;
/** The longest wait before another connection is tried: short enough for a try or two within the drain. */
const longestBackoffMs = 5_000;

/** Calls that wait for a connection, or for room on one; those that come beyond are told to come back. */
const maxWaiting = 10_000;

export interface PoolOptions extends Dialling {
  /** A host and a port, or a socket's path. */
  readonly target: Address;
  /** Whether calls go to all addresses of the host in turn, or to the first that answers. */
  readonly isRoundRobin: boolean;
  /** Whether calls wait while there is nobody to connect to. */
  readonly waitForReady: boolean;
}

/** The calls of a client, and the connections that carry them. */
export class Pool {
  readonly #options: PoolOptions;
  readonly #places: Place[] = [];
  /** Addresses that are not used any more, where calls may still be answered. */
  #left: Place[] = [];
  readonly #waiting = new Set<ClientCall>();
  #turn = 0;
  #resolving = false;
  #isClosed = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** Connects, so that the first call need not wait for it. */
  connect(): void {
    if (this.#places.length > 0 || this.#resolving || this.#isClosed) return;
    const { target } = this.#options;
    if ("path" in target) this.#use([target]);
    else void this.#resolve(target.host, target.port);
  }

  async #resolve(host: string, port: number): Promise<void> {
    this.#resolving = true;
    try {
      const found = await lookup(host, { all: true, order: "verbatim" });
      this.#resolving = false;
      if (!this.#isClosed) this.#use(found.map(({ address }) => ({ host: address, port })));
    } catch (error) {
      this.#resolving = false;
      this.#failWaiting(`cannot find ${host}: ${messageOf(error)}`);
    }
  }

  #use(addresses: readonly Address[]): void {
    const events = { ready: () => this.#sendWaiting(), failed: () => this.#failed(), gone: () => this.#gone() };
    this.#left = this.#left.filter((place) => !place.isEmpty);
    this.#places.push(...addresses.map((address) => new Place(address, this.#options, events)));
    if (this.#options.isRoundRobin) for (const place of this.#places) place.connect();
    else this.#places[0]?.connect();
  }

  send(call: ClientCall): void {
    const connection = this.#waiting.size === 0 ? this.#pick() : undefined;
    if (connection !== undefined) {
      connection.send(call);
      return;
    }
    if (this.#isClosed) call.fail(rpcCode.unavailable, "the client is closed");
    else if (this.#waiting.size >= maxWaiting) call.fail(rpcCode.unavailable, "too many calls wait for a connection");
    else {
      this.#waiting.add(call);
      this.connect();
      for (const place of this.#places) place.connect();
      this.#failed();
    }
  }

  /** A call is over: it does not wait any more. */
  forget(call: ClientCall): void {
    this.#waiting.delete(call);
  }

  #sendWaiting(): void {
    for (const call of this.#waiting) {
      const connection = this.#pick();
      if (connection === undefined) return;
      this.#waiting.delete(call);
      connection.send(call);
    }
  }

  #pick(): ClientConnection | undefined {
    const places = this.#places;
    for (let step = 0; step < places.length; step++) {
      const place = places[(this.#turn + step) % places.length] as Place;
      const connection = place.pick();
      if (connection === undefined) continue;
      if (this.#options.isRoundRobin) this.#turn = (this.#turn + step + 1) % places.length;
      return connection;
    }
    return undefined;
  }

  /** A connection could not be made. Where no other may come, calls that do not wait for better times are told. */
  #failed(): void {
    const next = this.#places.find((place) => place.isFresh);
    if (!this.#options.isRoundRobin) next?.connect();
    if (this.#places.length === 0 || !this.#places.every((place) => place.isFailing)) return;
    const [first] = this.#places;
    this.#failWaiting(`${first?.problem}`);
  }

  #failWaiting(message: string): void {
    if (this.#options.waitForReady) return;
    for (const call of [...this.#waiting]) call.fail(rpcCode.unavailable, message);
  }

  /** An address has lost its last connection. When none has one, the next call looks the host up again. */
  #gone(): void {
    if (this.#isClosed) return;
    if (!this.#places.every((place) => place.isUnused)) {
      if (this.#options.isRoundRobin) for (const place of this.#places) place.connect();
      return;
    }
    this.#left.push(...this.#places.splice(0));
    if (this.#waiting.size > 0) this.connect();
  }

  /** Takes no more calls, and returns those that wait; those under way may be answered. */
  retire(): readonly ClientCall[] {
    this.#isClosed = true;
    for (const place of this.#places) place.retire();
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    return waiting;
  }

  /** Whether no connection is left. */
  get isEmpty(): boolean {
    return [...this.#places, ...this.#left].every((place) => place.isEmpty);
  }

  /** Cuts everything. */
  close(): void {
    this.#isClosed = true;
    for (const place of [...this.#places, ...this.#left]) place.close();
    for (const call of [...this.#waiting]) call.fail(rpcCode.unavailable, "the client is closed");
  }
}

interface PlaceEvents {
  /** There may be room for calls. */
  ready(): void;
  failed(): void;
  /** Its last connection is lost. */
  gone(): void;
}

/** One address, with its connections and the waits between tries. */
class Place {
  readonly #address: Address;
  readonly #options: PoolOptions;
  readonly #events: PlaceEvents;
  readonly #connections = new Set<ClientConnection>();
  #backoffMs = 0;
  #backoff: Timer | undefined;
  #isClosed = false;
  #wasTried = false;
  problem = "";

  constructor(address: Address, options: PoolOptions, events: PlaceEvents) {
    this.#address = address;
    this.#options = options;
    this.#events = events;
  }

  /** Whether it was never tried. */
  get isFresh(): boolean {
    return !this.#wasTried;
  }

  /** Whether the last try failed and there is no connection. */
  get isFailing(): boolean {
    return this.#backoff !== undefined && !this.#isInUse;
  }

  /** Whether there is no connection for calls, and none is tried for. */
  get isUnused(): boolean {
    return this.#backoff === undefined && !this.#isInUse;
  }

  /** Whether no connection is left, those included that take no more calls. */
  get isEmpty(): boolean {
    return this.#connections.size === 0;
  }

  get #isInUse(): boolean {
    for (const connection of this.#connections) if (connection.isInUse) return true;
    return false;
  }

  connect(): void {
    if (this.isUnused) this.#open();
  }

  /** The connection for the next call; undefined when there is no room. */
  pick(): ClientConnection | undefined {
    let best: ClientConnection | undefined;
    let ready = 0;
    let inUse = 0;
    for (const connection of this.#connections) {
      if (connection.isInUse) inUse += 1;
      if (connection.isReady) ready += 1;
      if (!connection.isFree) continue;
      if (best === undefined || connection.unsentBytes < best.unsentBytes) best = connection;
    }
    const isBusy = best === undefined || best.unsentBytes > busyBytes;
    // One is made at a time, beside those that are ready.
    if (isBusy && ready > 0 && ready === inUse && ready < maxConnections) this.#open();
    return best;
  }

  #open(): void {
    if (this.#isClosed || this.#backoff !== undefined) return;
    this.#wasTried = true;
    let wasReady = false;
    const connection = new ClientConnection(this.#address, this.#options, {
      ready: () => {
        wasReady = true;
        this.#backoffMs = 0;
        this.#events.ready();
      },
      retired: () => this.#lost(),
      closed: (problem) => {
        this.#connections.delete(connection);
        if (wasReady) this.#lost();
        else this.#wait(problem);
      },
    });
    this.#connections.add(connection);
  }

  #lost(): void {
    if (!this.#isClosed && this.isUnused) this.#events.gone();
  }

  #wait(problem: string): void {
    if (this.#isClosed) return;
    const address =
      "path" in this.#address ? this.#address.path : formatHostPort(this.#address.host, this.#address.port);
    this.problem = `cannot connect to ${address}: ${problem}`;
    this.#backoffMs = Math.min(longestBackoffMs, this.#backoffMs * 1.6 || firstBackoffMs);
    this.#backoff = this.#options.clock.setTimer(() => {
      this.#backoff = undefined;
      this.connect();
    }, this.#backoffMs);
    this.#events.failed();
  }

  retire(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    for (const connection of [...this.#connections]) connection.retire();
  }

  close(): void {
    this.#isClosed = true;
    this.#stopWaiting();
    for (const connection of this.#connections) connection.destroy();
  }

  #stopWaiting(): void {
    if (this.#backoff !== undefined) this.#options.clock.clearTimer(this.#backoff);
    this.#backoff = undefined;
  }
}
