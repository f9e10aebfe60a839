import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { AnswerOptions, BodyTaker, Exchange } from "./exchange.ts";
import { takeStream } from "./http_body.ts";
import { formatHostPort } from "./listener.ts";
import { distinctHeaders } from "./raw_headers.ts";

/** A request over HTTP/2, by `node:http2`. */
export class Http2Exchange implements Exchange {
  readonly version = "2";
  readonly headers: IncomingHttpHeaders;
  readonly #rawHeaders: readonly string[];
  readonly #stream: ServerHttp2Stream;
  #isBodyComplete = false;

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]) {
    this.#stream = stream;
    this.headers = headers;
    this.#rawHeaders = rawHeaders;
    stream.on("error", () => {}); // the caller is gone: "close" follows and says so
    // A stream that is cut ends as well; only one that its sender has ended is still open then.
    stream.once("end", () => (this.#isBodyComplete = !stream.closed && !stream.aborted));
  }

  get method(): string {
    return String(this.headers[":method"] ?? "");
  }

  get url(): string {
    return String(this.headers[":path"] ?? "/");
  }

  get allHeaders(): ReadonlyMap<string, readonly string[]> {
    return distinctHeaders(this.#rawHeaders);
  }

  get peer(): string {
    const socket = this.#stream.session?.socket;
    return formatHostPort(socket?.remoteAddress, socket?.remotePort);
  }

  takeBody(taker: BodyTaker): void {
    takeStream(this.#stream, () => this.#isBodyComplete, taker);
  }

  get isOver(): boolean {
    return this.#stream.headersSent || this.#stream.destroyed || this.#stream.closed;
  }

  answer(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Buffer | undefined,
    { isLast }: AnswerOptions,
  ): void {
    const stream = this.#stream;
    const length = status === 204 ? {} : { "content-length": body?.length ?? 0 };
    stream.respond({ ":status": status, ...headers, ...length });
    // A body that nobody wants any more: told so in the turn behind the answer, without harm to the connection.
    const cut = !stream.endAfterHeaders && !this.#isBodyComplete;
    if (cut) stream.once("finish", () => setImmediate(() => stream.close(constants.NGHTTP2_NO_ERROR)));
    stream.end(body);
    if (isLast) stream.session?.close();
  }

  onClose(run: (delivered: boolean) => void): void {
    this.#stream.once("close", () => run(this.#stream.writableFinished));
  }
}
