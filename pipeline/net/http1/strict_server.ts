import type { Socket } from "node:net";
import type { Clock } from "../../host.ts";
import type { Exchange } from "../exchange.ts";
import { readSocket } from "../socket.ts";
import { AnswerWriter } from "./answer_bytes.ts";
import { StrictConnection, type StrictContext, type StrictLimits } from "./strict_connection.ts";

/** Serves the requests that exporters send, and gives connections with others to another server. */
export class StrictServer {
  readonly #context: StrictContext;
  readonly #connections = new Set<StrictConnection>();

  constructor(clock: Clock, limits: StrictLimits, take: (exchange: Exchange) => void) {
    this.#context = { clock, limits, take, writer: new AnswerWriter(clock, limits.idleMs) };
  }

  /** Serves a new connection; `other` gets it before its first request that is not of the strict form. */
  serve(socket: Socket, other: (socket: Socket) => void): void {
    const leave = () => void this.#connections.delete(connection);
    const connection = new StrictConnection(socket, this.#context, () => {
      leave();
      socket.off("close", leave);
      other(socket);
    });
    this.#connections.add(connection);
    socket.once("close", leave);
    readSocket(socket, (bytes, start, end) => connection.read(bytes, start, end));
  }

  closeIdleConnections(): void {
    for (const connection of this.#connections) if (connection.isIdle) connection.destroy();
  }
}
