import { createServer, type ListenOptions, type Server, type Socket } from "node:net";

/** What `onconnection` of a server reads for each socket that it makes. */
const socketOptions = ["allowHalfOpen", "pauseOnConnect", "noDelay", "keepAlive", "keepAliveInitialDelay"] as const;

/**
 * A listening socket, and the server that gets its connections. When another server takes its place, connections go there
 * from then on: the socket never stops listening, so none is refused.
 */
export class Port {
  readonly #options: ListenOptions;
  readonly #socket: Server;
  /** The latest gets the connections; those before it may get them back. */
  readonly #servers: Server[] = [];
  /** Ports that went for this one, and come back when it goes before they are closed. */
  readonly #displaced: readonly Port[];
  #isClosed = false;

  private constructor(options: ListenOptions, displaced: readonly Port[]) {
    this.#options = options;
    this.#displaced = displaced;
    this.#socket = createServer((connection: Socket) => {
      const server = this.#servers.at(-1);
      if (server === undefined) connection.destroy();
      else server.emit("connection", connection);
    });
  }

  /**
   * Listens. Where one of `mayGo` is in the way, because one of the two is for all addresses, it makes room.
   * Rejects as `listen` does: with a `code` such as EADDRINUSE.
   */
  static async bind(options: ListenOptions, mayGo: readonly Port[] = []): Promise<Port> {
    const port = new Port(options, []);
    try {
      await port.#listen();
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EADDRINUSE" || mayGo.length === 0) throw error;
    }
    for (const other of mayGo) other.#socket.close();
    const instead = new Port(options, mayGo);
    try {
      await instead.#listen();
      return instead;
    } catch (error) {
      await instead.close();
      throw error;
    }
  }

  /** Where it listens. */
  address(): ReturnType<Server["address"]> {
    return this.#socket.address();
  }

  get number(): number {
    return this.#options.port ?? 0;
  }

  /** Listens no more; connections stay. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#socket.close();
    for (const other of this.#displaced) if (!other.#isClosed) await other.#listen();
  }

  #listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.once("error", reject);
      this.#socket.listen(this.#options, () => {
        this.#socket.off("error", reject);
        resolve();
      });
    });
  }

  /** Gives connections to `server`. It then believes that it listens: what it sets up at that moment is set up. */
  attach(server: Server): void {
    this.#servers.push(server);
    this.#adopt(server);
    server.emit("listening");
  }

  /** Gives `server` no connections any more. */
  detach(server: Server): void {
    const at = this.#servers.indexOf(server);
    if (at >= 0) this.#servers.splice(at, 1);
    const last = this.#servers.at(-1);
    if (last !== undefined) this.#adopt(last);
    server.close();
  }

  #adopt(server: Server): void {
    for (const name of socketOptions) Object.assign(this.#socket, { [name]: Reflect.get(server, name) });
  }
}
