import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from "node:http";
import type { Clock } from "../host.ts";
import type { AnswerOptions, BodyTaker, Exchange } from "./exchange.ts";
import { takeStream } from "./http_body.ts";
import { formatHostPort } from "./listener.ts";

/** How long a connection that is refused in the middle of a body may go on sending, so that it can read why. */
const lingerMs = 2_000;

/** A request over HTTP/1.1, by `node:http`. */
export class Http1Exchange implements Exchange {
  readonly version = "1.1";
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(request: IncomingMessage, response: ServerResponse) {
    this.#request = request;
    this.#response = response;
    response.on("error", () => {}); // the caller is gone: "close" follows and says so
  }

  get method(): string {
    return this.#request.method ?? "";
  }

  get url(): string {
    return this.#request.url ?? "/";
  }

  get headers(): IncomingHttpHeaders {
    return this.#request.headers;
  }

  get allHeaders(): ReadonlyMap<string, readonly string[]> {
    const all = new Map<string, readonly string[]>();
    for (const [name, values] of Object.entries(this.#request.headersDistinct)) {
      if (values !== undefined) all.set(name, values);
    }
    return all;
  }

  get peer(): string {
    const { remoteAddress, remotePort } = this.#request.socket;
    return formatHostPort(remoteAddress, remotePort);
  }

  takeBody(taker: BodyTaker): void {
    takeStream(this.#request, () => this.#request.complete, taker);
  }

  get isOver(): boolean {
    return this.#response.headersSent || this.#response.destroyed;
  }

  answer(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Buffer | undefined,
    { isLast, clock }: AnswerOptions,
  ): void {
    const response = this.#response;
    const cut = !this.#request.complete;
    if (cut) lingerOnClose(this.#request, clock);
    const length = status === 204 ? {} : { "content-length": body?.length ?? 0 };
    response.writeHead(status, { ...headers, ...length, ...((cut || isLast) && { connection: "close" }) });
    response.end(body);
  }

  onClose(run: (delivered: boolean) => void): void {
    this.#response.once("close", () => run(this.#response.writableFinished));
  }
}

/**
 * Closes gently after an answer in the middle of a body: bytes unread at `close` make the kernel reset the connection, and
 * the reset destroys the answer on its way. So what still comes is read and thrown away for a moment.
 */
function lingerOnClose(request: IncomingMessage, clock: Clock): void {
  const { socket } = request;
  request.resume();
  socket.destroySoon = () => {
    socket.end();
    const timer = clock.setTimer(() => void socket.destroy(), lingerMs);
    socket.once("close", () => clock.clearTimer(timer));
  };
}
