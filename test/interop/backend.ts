import { once } from "node:events";
import { createServer as createHttpServer, type IncomingHttpHeaders, type Server } from "node:http";
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { buffer } from "node:stream/consumers";

/** A request that reached the backend, as it came over the wire. */
export interface Received {
  readonly protocol: "http" | "grpc";
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** The body; over gRPC the message with its five bytes before it. */
  readonly body: Buffer;
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
}

/** What the backend says: an answer, nothing at all, or the end of the connection. */
export type Reply =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: Uint8Array }
  | { readonly code: number; readonly message?: string; readonly details?: Uint8Array }
  | "stall"
  | "cut";

/** Decides on the answer; `undefined` is a success. */
export type Script = (request: Received) => Reply | undefined;

/** A backend that takes OTLP over both protocols, keeps what it got and answers as it is told. */
export class Backend {
  readonly received: Received[] = [];
  /** Those of `received` that were answered with a success. */
  readonly taken: Received[] = [];
  script: Script = () => undefined;
  readonly #sockets = new Set<Socket>();
  #http: Server | undefined;
  #grpc: Http2Server | undefined;
  #ports = [0, 0];

  static async start(): Promise<Backend> {
    const backend = new Backend();
    await backend.listen();
    return backend;
  }

  get httpPort(): number {
    return this.#ports[0] ?? 0;
  }

  get grpcPort(): number {
    return this.#ports[1] ?? 0;
  }

  /** Listens, on the ports it had before if there were any. */
  async listen(): Promise<void> {
    this.#http = createHttpServer((request, response) => {
      void buffer(request).then((body) => {
        const head = { path: request.url ?? "", headers: request.headers };
        const reply = this.#take({ protocol: "http", ...head, body, at: performance.now() });
        if (reply === "cut") request.socket.destroy();
        else if (reply !== "stall" && "status" in reply)
          response.writeHead(reply.status, reply.headers).end(reply.body);
      }, ignore);
    });
    this.#grpc = createHttp2Server();
    this.#grpc.on("stream", (stream, headers) => {
      stream.on("error", ignore);
      void buffer(stream).then((body) => {
        const head = { path: String(headers[":path"]), headers: headers as IncomingHttpHeaders };
        answerCall(stream, this.#take({ protocol: "grpc", ...head, body, at: performance.now() }));
      }, ignore);
    });
    for (const [index, server] of [this.#http, this.#grpc].entries()) {
      server.on("connection", (socket: Socket) => {
        this.#sockets.add(socket);
        socket.on("error", ignore).once("close", () => this.#sockets.delete(socket));
      });
      server.listen(this.#ports[index], "127.0.0.1");
      await once(server, "listening");
      this.#ports[index] = (server.address() as AddressInfo).port;
    }
  }

  /** Closes its ports and every connection, as a process does that dies. */
  async stop(): Promise<void> {
    const closed = [this.#http, this.#grpc].map(async (server) => {
      if (server?.listening !== true) return;
      server.close();
      await once(server, "close");
    });
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(closed);
  }

  #take(request: Received): Reply {
    this.received.push(request);
    const reply = this.script(request);
    if (reply !== undefined) return reply;
    this.taken.push(request);
    return request.protocol === "http" ? successOf(request) : { code: 0 };
  }
}

function successOf({ headers }: Received): Reply {
  const type = headers["content-type"] ?? "";
  const body = type === "application/json" ? Buffer.from("{}") : Buffer.alloc(0);
  return { status: 200, headers: { "content-type": type }, body };
}

function answerCall(stream: ServerHttp2Stream, reply: Reply): void {
  if (reply === "cut") stream.session?.destroy();
  if (reply === "cut" || reply === "stall" || stream.destroyed) return;
  if ("status" in reply) {
    stream.respond({ ":status": reply.status, ...reply.headers });
    stream.end(reply.body);
    return;
  }
  const { code, message, details } = reply;
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => {
    stream.sendTrailers({
      "grpc-status": String(code),
      ...(message === undefined ? {} : { "grpc-message": message }),
      ...(details === undefined ? {} : { "grpc-status-details-bin": Buffer.from(details).toString("base64") }),
    });
  });
  // A success is the empty message; a failure has none.
  stream.end(code === 0 ? Buffer.alloc(5) : undefined);
}

function ignore(): void {}
