import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { Clock } from "../host.ts";
import { askAuthenticator, type ServerAuthenticator, serverAuthenticator } from "./auth.ts";
import { encodingOf } from "./compression.ts";
import { type CorsSettings, corsHeaders, isPreflight, preflightHeaders } from "./cors.ts";
import { readBody } from "./http_body.ts";
import { clientOf, HttpRequestHead } from "./http_request.ts";
import { type Listening, listen } from "./listener.ts";
import type { HttpServerSettings } from "./settings.ts";
import { tlsServerOptions } from "./tls.ts";
import {
  BodyError,
  type HttpAnswer,
  type RequestHandler,
  type ServerSurroundings,
  type TransportServer,
} from "./transport.ts";

const defaultBodyBytes = 20 * 1024 * 1024;

/** A head that is not complete after this time ends its connection, also where the setting says "no limit". */
const headTimeoutMs = 60_000;

/** A request that is not complete after this time ends its connection, also where the setting says "no limit". */
const requestTimeoutMs = 300_000;

/** How long a connection that is refused in the middle of a body may go on sending, so that it can read why. */
const lingerMs = 2_000;

/** OTLP over HTTP/1.1 on `node:http` and `node:https`. */
export class NodeHttpServer implements TransportServer {
  readonly #settings: HttpServerSettings;
  readonly #surroundings: ServerSurroundings;
  readonly #handler: RequestHandler<HttpAnswer>;
  readonly #maxBytes: number;
  readonly #servers: Server[] = [];
  readonly #unanswered = new Set<ServerResponse>();
  #authenticator: ServerAuthenticator | undefined;
  #listening: Listening | undefined;
  #stopping: Promise<void> | undefined;
  #allAnswered: () => void = () => {};

  constructor(settings: HttpServerSettings, handler: RequestHandler<HttpAnswer>, surroundings: ServerSurroundings) {
    this.#settings = settings;
    this.#handler = handler;
    this.#surroundings = surroundings;
    this.#maxBytes = settings.max_request_body_size > 0 ? settings.max_request_body_size : defaultBodyBytes;
  }

  get addresses(): readonly string[] {
    return this.#listening?.addresses ?? [];
  }

  async start(): Promise<void> {
    this.#authenticator = serverAuthenticator(this.#settings.auth, this.#surroundings);
    this.#listening = await listen(this.#settings, () => {
      const server = this.#makeServer((request, response) => this.#take(request, response));
      this.#servers.push(server);
      return server;
    });
  }

  #makeServer(listener: RequestListener): Server {
    const { tls, read_header_timeout, read_timeout, idle_timeout, write_timeout } = this.#settings;
    const requestTimeout = read_timeout > 0 ? read_timeout : requestTimeoutMs;
    const headersTimeout = Math.min(read_header_timeout > 0 ? read_header_timeout : headTimeoutMs, requestTimeout);
    const options = {
      requestTimeout,
      headersTimeout,
      connectionsCheckingInterval: Math.min(headersTimeout, 5_000),
      keepAliveTimeout: idle_timeout,
      maxHeaderSize: 16 * 1024,
      keepAlive: true,
      noDelay: true,
    };
    const server =
      tls === undefined
        ? createServer(options, listener)
        : createTlsServer({ ...options, ...tlsServerOptions(tls, ["http/1.1"]) }, listener);
    server.timeout = write_timeout;
    return server;
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const { auth, cors, include_metadata } = this.#settings;
    const head = new HttpRequestHead(request, clientOf(request, include_metadata));
    this.#unanswered.add(response);
    response.once("close", () => {
      this.#unanswered.delete(response);
      if (this.#unanswered.size === 0) this.#allAnswered();
    });
    response.on("error", () => {}); // the caller is gone: "close" follows and says so
    if (cors !== undefined && this.#answerCors(cors, request, response)) return;
    if (this.#authenticator === undefined) {
      this.#read(head, request, response);
      return;
    }
    askAuthenticator(this.#authenticator, head.credentials(auth?.request_params ?? []), (verdict) => {
      if (!verdict.accepted) {
        this.#answer(request, response, this.#handler.reject(head, new BodyError("unauthenticated", verdict.reason)));
        return;
      }
      if (verdict.auth !== undefined) head.client = { ...head.client, auth: verdict.auth };
      this.#read(head, request, response);
    });
  }

  #read(head: HttpRequestHead, request: IncomingMessage, response: ServerResponse): void {
    const { compression_algorithms } = this.#settings;
    const name = compression_algorithms.length === 0 ? "" : (head.header("content-encoding") ?? "");
    const encoding = encodingOf(name);
    if (encoding === undefined || !(name === "identity" || allows(compression_algorithms, name))) {
      const problem = new BodyError("unsupported_encoding", `unsupported Content-Encoding: ${name}`);
      this.#answer(request, response, this.#handler.reject(head, problem));
      return;
    }
    const judged = this.#handler.judge(head);
    if (judged !== undefined) {
      this.#answer(request, response, judged);
      return;
    }
    const limits = { maxBytes: this.#maxBytes, budget: this.#surroundings.budget };
    readBody(request, encoding, limits, {
      failed: (problem) => this.#answer(request, response, this.#handler.reject(head, problem)),
      complete: (body) =>
        this.#handler.handle(head.withBody(body, response), (answer) => this.#answer(request, response, answer)),
    });
  }

  /** Adds CORS headers to the answer to come; true when the request was a preflight and is answered. */
  #answerCors(cors: CorsSettings, request: IncomingMessage, response: ServerResponse): boolean {
    if (cors.allowed_origins.length === 0) return false;
    const preflight = isPreflight(request);
    const added = preflight ? preflightHeaders(cors, request.headers) : corsHeaders(cors, request.headers);
    for (const [name, value] of Object.entries(added)) response.setHeader(name, value);
    if (preflight) this.#answer(request, response, { status: 204 });
    return preflight;
  }

  #answer(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
    if (response.headersSent || response.destroyed) return;
    const body = typeof answer.body === "string" ? Buffer.from(answer.body, "utf8") : answer.body;
    for (const [name, value] of Object.entries(this.#settings.response_headers)) response.setHeader(name, value);
    if (!request.complete) lingerOnClose(request, this.#surroundings.clock);
    if (!request.complete || this.#stopping !== undefined || !this.#settings.keep_alives_enabled) {
      response.setHeader("connection", "close");
    }
    const length = answer.status === 204 ? {} : { "content-length": body?.length ?? 0 };
    response.writeHead(answer.status, { ...answer.headers, ...length });
    response.end(body);
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  async #stop(graceMs: number): Promise<void> {
    this.#listening?.close();
    for (const server of this.#servers) server.closeIdleConnections();
    const { clock } = this.#surroundings;
    await new Promise<void>((resolve) => {
      const timer = clock.setTimer(resolve, graceMs);
      this.#allAnswered = () => {
        clock.clearTimer(timer);
        resolve();
      };
      if (this.#unanswered.size === 0) this.#allAnswered();
    });
    for (const server of this.#servers) server.closeIdleConnections();
    await this.#closeLingering();
  }

  /** Lets answers that are written but not flushed reach the kernel, then cuts what is left. */
  async #closeLingering(): Promise<void> {
    await new Promise<void>((resolve) => setImmediate(resolve));
    this.#listening?.destroyConnections();
  }
}

function allows(allowed: readonly string[], name: string): boolean {
  return allowed.length === 0 || name === "" || allowed.some((each) => each.toLowerCase() === name.toLowerCase());
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
