import { createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { untilDeadline } from "../../deadline.ts";
import { serverAuthenticator } from "../auth.ts";
import { type Listening, listen } from "../listener.ts";
import type { GrpcServerSettings } from "../settings.ts";
import { readSocket } from "../socket.ts";
import { keepCertificatesFresh, tlsServerOptions } from "../tls.ts";
import type { RequestHandler, RpcAnswer, ServerSurroundings, TransportServer } from "../transport.ts";
import { ServerConnection, type ServerContext } from "./server_connection.ts";

/** Unary gRPC on HTTP/2 of our own, with messages as raw bytes. */
export class GrpcServer implements TransportServer {
  readonly #settings: GrpcServerSettings;
  readonly #surroundings: ServerSurroundings;
  readonly #handler: RequestHandler<RpcAnswer>;
  readonly #paths: ReadonlySet<string>;
  readonly #connections = new Set<ServerConnection>();
  #context: ServerContext | undefined;
  #listening: Listening | undefined;
  #stopping: Promise<void> | undefined;
  #allClosed: () => void = () => {};

  /** `paths`: the methods it serves, as `/package.Service/Method`. */
  constructor(
    settings: GrpcServerSettings,
    paths: readonly string[],
    handler: RequestHandler<RpcAnswer>,
    surroundings: ServerSurroundings,
  ) {
    this.#settings = settings;
    this.#paths = new Set(paths);
    this.#handler = handler;
    this.#surroundings = surroundings;
  }

  get addresses(): readonly string[] {
    return this.#listening?.addresses ?? [];
  }

  async start(): Promise<void> {
    const settings = this.#settings;
    const context = {
      settings,
      surroundings: this.#surroundings,
      handler: this.#handler,
      authenticator: serverAuthenticator(settings.auth, this.#surroundings),
      maxBytes: (settings.max_recv_msg_size_mib || 4) * 1024 * 1024,
      paths: this.#paths,
      services: new Set([...this.#paths].map((path) => path.split("/")[1] ?? "")),
    };
    const { tls } = settings;
    const make = (): NetServer => {
      if (tls === undefined) return createServer((socket) => this.#accept(socket));
      const server = createTlsServer(tlsServerOptions(tls, ["h2"]), (socket) => {
        if (socket.alpnProtocol === "h2") this.#accept(socket);
        else socket.destroy();
      });
      server.on("tlsClientError", (_error, socket) => void socket.destroy());
      keepCertificatesFresh(server, tls, this.#surroundings);
      return server;
    };
    this.#listening = await listen(settings, make, this.#surroundings);
    this.#context = { ...context, address: this.addresses[0] ?? "" };
  }

  #accept(socket: Socket): void {
    if (this.#context === undefined || this.#stopping !== undefined) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    const connection = new ServerConnection(socket, this.#context);
    this.#connections.add(connection);
    readSocket(socket, (bytes, start, end) => connection.read(bytes, start, end));
    socket.once("close", () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#allClosed();
    });
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    const { clock } = this.#surroundings;
    this.#listening?.close();
    for (const connection of this.#connections) connection.retire("");
    const allClosed = new Promise<void>((resolve) => {
      this.#allClosed = resolve;
      if (this.#connections.size === 0) resolve();
    });
    await untilDeadline(clock, clock.monotonicMs() + graceMs, allClosed);
    this.#listening?.destroyConnections();
  }
}
