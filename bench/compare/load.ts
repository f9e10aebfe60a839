/**
 * Sends requests that were encoded before, as fast as they are answered or at a pace; a program of its own, steered by
 * messages of its parent.
 */
import { type Connection, GrpcConnection, grpcMessage, HttpConnection } from "./connections.ts";
import type { Load, LoadCommand, LoadCounts } from "./messages.ts";
import { requests } from "./payloads.ts";

const bodies = new Map<string, Buffer[]>();

/** The requests of a load, made once: generator and daemon are measured with what is already there. */
function bodiesOf({ shape, coding, protocol }: Load): Buffer[] {
  const key = JSON.stringify([shape, coding, protocol]);
  const made =
    bodies.get(key) ?? requests(shape, coding).map((body) => (protocol === "grpc" ? grpcMessage(body, coding) : body));
  bodies.set(key, made);
  return made;
}

class Generator {
  readonly #load: Load;
  readonly #bodies: readonly Buffer[];
  readonly #connections: Connection[];
  readonly counts: LoadCounts = { items: 0, requests: 0, refused: 0, unsent: 0, cpuMs: 0, latenciesMs: [] };
  #timer: NodeJS.Timeout | undefined;
  #next = 0;
  #inFlight = 0;
  #stopped: (() => void) | undefined;

  constructor(load: Load) {
    this.#load = load;
    this.#bodies = bodiesOf(load);
    const { port, coding, window, shape } = load;
    const Kind = load.protocol === "grpc" ? GrpcConnection : HttpConnection;
    this.#connections = Array.from({ length: load.connections }, () => {
      const afterRead = () => {
        if (load.itemsPerSecond === undefined && this.#stopped === undefined) this.#fill(connection);
        connection.flush();
      };
      const connection: Connection = new Kind({ port, signal: shape.signal, coding, window, afterRead });
      return connection;
    });
    if (load.itemsPerSecond !== undefined) this.#pace(load.itemsPerSecond / shape.items);
    else {
      for (const connection of this.#connections) {
        this.#fill(connection);
        connection.flush();
      }
    }
  }

  /** Sends no more, and settles once all that was sent is answered or cannot be within ten seconds. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#stopped = resolve;
    const deadline = setTimeout(resolve, 10_000);
    if (this.#inFlight === 0) resolve();
    await promise;
    clearTimeout(deadline);
    for (const connection of this.#connections) connection.close();
  }

  #fill(connection: Connection): void {
    while (connection.free() > 0) this.#send(connection);
  }

  #pace(requestsPerSecond: number): void {
    const startMs = performance.now();
    let due = 0;
    this.#timer = setInterval(() => {
      const until = Math.floor(((performance.now() - startMs) / 1_000) * requestsPerSecond);
      for (; due < until; due++) {
        const turn = this.#connections[due % this.#connections.length];
        const connection = turn?.free() ? turn : this.#connections.find((other) => other.free() > 0);
        if (connection === undefined) this.counts.unsent += 1;
        else this.#send(connection);
      }
      for (const connection of this.#connections) connection.flush();
    }, 1);
  }

  #send(connection: Connection): void {
    const body = this.#bodies[this.#next++ % this.#bodies.length] as Buffer;
    const sentMs = performance.now();
    this.#inFlight += 1;
    connection.send(body, (accepted) => {
      this.#inFlight -= 1;
      if (accepted) {
        this.counts.items += this.#load.shape.items;
        this.counts.requests += 1;
      } else this.counts.refused += 1;
      if (this.#load.itemsPerSecond !== undefined) this.counts.latenciesMs.push(performance.now() - sentMs);
      if (this.#inFlight === 0) this.#stopped?.();
    });
  }
}

let generator: Generator | undefined;

async function obey(command: LoadCommand): Promise<void> {
  if (command.kind === "start") generator = new Generator(command.load);
  if (command.kind === "stop") await generator?.stop();
  if (generator === undefined) throw new Error("no load was started");
  const { user, system } = process.cpuUsage();
  process.send?.({ ...generator.counts, cpuMs: (user + system) / 1_000 });
  generator.counts.latenciesMs = [];
}

process.on("message", (command: LoadCommand) => void obey(command));
process.on("disconnect", () => process.exit());
