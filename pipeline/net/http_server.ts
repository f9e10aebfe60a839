import { createServer, type Server } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { untilDeadline } from "../deadline.ts";
import { askAuthenticator, refusalOf, type ServerAuthenticator, serverAuthenticator } from "./auth.ts";
import { encodingOf } from "./compression.ts";
import { type CorsSettings, corsHeaders, isPreflight, preflightHeaders } from "./cors.ts";
import type { Exchange } from "./exchange.ts";
import { readBody } from "./http_body.ts";
import { HttpRequestHead } from "./http_request.ts";
import type { StrictServer } from "./http1/strict_server.ts";
import { Http1Exchange } from "./http1_exchange.ts";
import { keepAliveOf } from "./keep_alive.ts";
import { type Listening, listen } from "./listener.ts";
import { lowerCased } from "./outgoing_headers.ts";
import { watchHttpServer } from "./request_watch.ts";
import type { HttpServerSettings } from "./settings.ts";
import {
  BodyError,
  type HttpAnswer,
  type RequestHandler,
  type ServerSurroundings,
  type TransportServer,
} from "./transport.ts";

const noHeaders: Readonly<Record<string, string>> = {};

const defaultBodyBytes = 20 * 1024 * 1024;

/** A head that is not complete after this time ends its connection, also where the setting says "no limit". */
const headTimeoutMs = 60_000;

/** A request that is not complete after this time ends its connection, also where the setting says "no limit". */
const requestTimeoutMs = 300_000;

/** OTLP over HTTP/1.1, and with TLS over HTTP/2 for clients that ask for it. */
export class NodeHttpServer implements TransportServer {
  readonly #settings: HttpServerSettings;
  readonly #surroundings: ServerSurroundings;
  readonly #handler: RequestHandler<HttpAnswer>;
  readonly #maxBytes: number;
  readonly #responseHeaders: Readonly<Record<string, string>>;
  readonly #headers = new WeakMap<HttpAnswer, Readonly<Record<string, string>>>();
  readonly #servers: Server[] = [];
  readonly #Strict: typeof StrictServer | undefined;
  readonly #strict: StrictServer[] = [];
  readonly #unanswered = new Set<Exchange>();
  #authenticator: ServerAuthenticator | undefined;
  #listening: Listening | undefined;
  #stopping: Promise<void> | undefined;
  #allAnswered: () => void = () => {};

  /** With `Strict` it reads the requests that exporters send, and `node:http` the others only. */
  constructor(
    settings: HttpServerSettings,
    handler: RequestHandler<HttpAnswer>,
    surroundings: ServerSurroundings,
    Strict?: typeof StrictServer,
  ) {
    this.#Strict = Strict;
    this.#settings = settings;
    this.#handler = handler;
    this.#surroundings = surroundings;
    this.#maxBytes = settings.max_request_body_size > 0 ? settings.max_request_body_size : defaultBodyBytes;
    this.#responseHeaders = lowerCased(settings.response_headers);
  }

  get addresses(): readonly string[] {
    return this.#listening?.addresses ?? [];
  }

  async start(): Promise<void> {
    this.#authenticator = serverAuthenticator(this.#settings.auth, this.#surroundings);
    this.#warnOfCors();
    const secure = this.#settings.tls === undefined ? undefined : await import("./https_server.ts");
    this.#listening = await listen(this.#settings, () => this.#makeServer(secure), this.#surroundings);
  }

  #warnOfCors(): void {
    const { allowed_origins = [], allowed_headers = [] } = this.#settings.cors ?? {};
    if (allowed_origins.length > 0 || allowed_headers.length === 0) return;
    const message =
      "The CORS configuration specifies allowed headers but no allowed origins, and is therefore ignored.";
    this.#surroundings.logger.warn({}, message);
  }

  #makeServer(secure: typeof import("./https_server.ts") | undefined): NetServer {
    const { tls, read_header_timeout, read_timeout, write_timeout } = this.#settings;
    const requestTimeout = read_timeout > 0 ? read_timeout : requestTimeoutMs;
    const headersTimeout = Math.min(read_header_timeout > 0 ? read_header_timeout : headTimeoutMs, requestTimeout);
    const options = {
      requestTimeout,
      headersTimeout,
      connectionsCheckingInterval: Math.min(headersTimeout, 5_000),
      keepAliveTimeout: keepAliveOf(this.#settings).idleMs,
      maxHeaderSize: 16 * 1024,
      keepAlive: true,
      noDelay: true,
    };
    const take = (exchange: Exchange) => this.#take(exchange);
    const server =
      tls === undefined || secure === undefined
        ? createServer(options, (request, response) => take(new Http1Exchange(request, response)))
        : secure.createHttpsServer(tls, options, this.#surroundings, take);
    server.timeout = write_timeout;
    this.#servers.push(server);
    if (this.#Strict === undefined) return server;
    const limits = {
      headMs: headersTimeout,
      requestMs: requestTimeout,
      idleMs: options.keepAliveTimeout,
      silentMs: write_timeout,
    };
    const strict = new this.#Strict(this.#surroundings.clock, limits, take);
    this.#strict.push(strict);
    readFirst(server, tls === undefined ? "connection" : "secureConnection", strict);
    return server;
  }

  #closeIdle(): void {
    for (const server of [...this.#servers, ...this.#strict]) server.closeIdleConnections();
  }

  #take(exchange: Exchange): void {
    const { auth, cors, include_metadata } = this.#settings;
    const head = new HttpRequestHead(exchange, include_metadata);
    this.#unanswered.add(exchange);
    exchange.onClose(() => {
      this.#unanswered.delete(exchange);
      if (this.#unanswered.size === 0) this.#allAnswered();
    });
    const tell = this.#answerFor(exchange, cors);
    if (tell === undefined) return;
    const answer = this.#watched(head, exchange, tell);
    if (this.#authenticator === undefined) {
      this.#read(head, exchange, answer);
      return;
    }
    askAuthenticator(this.#authenticator, head.credentials(auth?.request_params ?? []), (verdict) => {
      if (!verdict.accepted) {
        const { grpcStatus: _ofGrpc, ...refusal } = refusalOf(verdict);
        answer(this.#handler.reject(head, refusal));
        return;
      }
      if (verdict.auth !== undefined) head.client = { ...head.client, auth: verdict.auth };
      this.#read(head, exchange, answer);
    });
  }

  /** `answer` of a request that is watched, where such are. */
  #watched(
    head: HttpRequestHead,
    { version }: Exchange,
    answer: (answer: HttpAnswer) => void,
  ): (answer: HttpAnswer) => void {
    const watched = watchHttpServer(this.#surroundings, head, this.#settings.tls !== undefined, version);
    if (watched === undefined) return answer;
    if (watched.span !== undefined) head.client = { ...head.client, trace: watched.span };
    return (answered) => {
      watched.end(answered.status, Buffer.byteLength(answered.body ?? ""));
      answer(answered);
    };
  }

  #read(head: HttpRequestHead, exchange: Exchange, answer: (answer: HttpAnswer) => void): void {
    const { compression_algorithms } = this.#settings;
    const name = compression_algorithms.length === 0 ? "" : (head.header("content-encoding") ?? "");
    const encoding = encodingOf(name);
    if (encoding === undefined || !(name === "identity" || allows(compression_algorithms, name))) {
      const problem = new BodyError("unsupported_encoding", `unsupported Content-Encoding: ${name}`);
      answer(this.#handler.reject(head, problem));
      return;
    }
    const judged = this.#handler.judge(head);
    if (judged !== undefined) {
      answer(judged);
      return;
    }
    const limits = { maxBytes: this.#maxBytes, budget: this.#surroundings.budget };
    readBody(exchange, encoding, limits, {
      failed: (problem) => answer(this.#handler.reject(head, problem)),
      complete: (body, encoded) => this.#handler.handle(head.withBody(body, encoded), answer),
    });
  }

  /** How to answer a request, with the headers that CORS wants; undefined when it was a preflight and is answered. */
  #answerFor(exchange: Exchange, cors: CorsSettings | undefined): ((answer: HttpAnswer) => void) | undefined {
    if (cors === undefined || cors.allowed_origins.length === 0)
      return (answer) => this.#answer(exchange, answer, noHeaders);
    if (isPreflight(exchange)) {
      this.#answer(exchange, { status: 204 }, preflightHeaders(cors, exchange.headers));
      return undefined;
    }
    const added = corsHeaders(cors, exchange.method, exchange.headers);
    return (answer) => this.#answer(exchange, answer, added);
  }

  #answer(exchange: Exchange, answer: HttpAnswer, added: Readonly<Record<string, string>>): void {
    if (exchange.isOver) return;
    const body = typeof answer.body === "string" ? Buffer.from(answer.body, "utf8") : answer.body;
    const isLast = this.#stopping !== undefined || !keepAliveOf(this.#settings).isEnabled;
    const headers = added === noHeaders ? this.#headersOf(answer) : { ...this.#headersOf(answer), ...added };
    exchange.answer(answer.status, headers, body, { isLast, clock: this.#surroundings.clock });
  }

  /** The headers of `answer` with those of the settings; the same object for the same answer. */
  #headersOf(answer: HttpAnswer): Readonly<Record<string, string>> {
    let headers = this.#headers.get(answer);
    if (headers === undefined) {
      headers = { ...this.#responseHeaders, ...answer.headers };
      this.#headers.set(answer, headers);
    }
    return headers;
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#listening?.close();
    this.#closeIdle();
    const { clock } = this.#surroundings;
    const allAnswered = new Promise<void>((resolve) => {
      this.#allAnswered = resolve;
      if (this.#unanswered.size === 0) resolve();
    });
    await untilDeadline(clock, clock.monotonicMs() + graceMs, allAnswered);
    this.#closeIdle();
    await this.#closeLingering();
  }

  /** Lets answers that are written but not flushed reach the kernel, then cuts what is left. */
  async #closeLingering(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#listening?.destroyConnections();
  }
}

/** Has `strict` serve the connections of `server`, which gets those that it hands over. */
function readFirst(server: Server, event: "connection" | "secureConnection", strict: StrictServer): void {
  const [other] = server.listeners(event) as ((socket: Socket) => void)[];
  server.removeAllListeners(event);
  server.on(event, (socket: Socket | TLSSocket) => {
    if ("alpnProtocol" in socket && socket.alpnProtocol === "h2") other?.call(server, socket);
    else strict.serve(socket, (left) => other?.call(server, left));
  });
}

function allows(allowed: readonly string[], name: string): boolean {
  return allowed.length === 0 || name === "" || allowed.some((each) => each.toLowerCase() === name.toLowerCase());
}
