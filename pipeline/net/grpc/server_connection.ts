import type { Socket } from "node:net";
import type { ClientInfo } from "../../delivery.ts";
import type { Timer } from "../../host.ts";
import { Http2Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import { headerIn, type RequestFields } from "../http2/fields.ts";
import { maxStreamId } from "../http2/frames.ts";
import type { Stream } from "../http2/stream.ts";
import { formatHostPort } from "../listener.ts";
import { PingStrikes, standardPingPolicy, tooManyPings } from "../ping_policy.ts";
import { distinctHeaders } from "../raw_headers.ts";
import type { GrpcServerSettings } from "../settings.ts";
import { type RpcStatus, rpcCode } from "../status.ts";
import { Deadlines } from "./deadlines.ts";
import { type CallContext, type CallHead, ServerCall } from "./server_call.ts";
import { ServerKeepalive } from "./server_keepalive.ts";
import { parseTimeout, unknownMethod } from "./wire.ts";

/** A connection that has not spoken HTTP/2 after this time is cut. */
const prefaceTimeoutMs = 20_000;

/** How long a client that was told to go has to answer, and to read what is still sent: then it is cut. */
const farewellMs = 5_000;

/** Calls that a client may have open when no setting says so: more are a way to use up memory. */
const maxOpenCalls = 10_000;

/** Room for a message of the usual size before anything is granted, and what one read takes. */
const streamWindowBytes = 1024 * 1024;

export interface ServerContext extends CallContext {
  readonly settings: GrpcServerSettings;
  readonly paths: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
}

/** The calls of one client's connection. */
export class ServerConnection {
  readonly #socket: Socket;
  readonly #context: ServerContext;
  readonly #http2: Http2Connection;
  readonly #keepalive: ServerKeepalive;
  readonly #strikes: PingStrikes;
  readonly #client: ClientInfo;
  readonly #calls: Deadlines<ServerCall>;
  #opening: ServerCall | undefined;
  #isGrpc = true;
  #lastRequest: RequestFields | undefined;
  #lastHead: CallHead | undefined;
  #prefaceTimer: Timer | undefined;
  /** `told`: it knows to make no new calls; `refusing`: those it makes are not looked at. */
  #farewell: "none" | "told" | "refusing" = "none";
  #farewellTimer: Timer | undefined;
  #endTimer: Timer | undefined;

  constructor(socket: Socket, context: ServerContext) {
    this.#socket = socket;
    this.#context = context;
    const { settings, surroundings } = context;
    const { clock } = surroundings;
    this.#client = { address: formatHostPort(socket.remoteAddress, socket.remotePort), transport: "grpc" };
    this.#calls = new Deadlines(clock);
    this.#strikes = new PingStrikes(settings.keepalive?.enforcement_policy ?? standardPingPolicy, clock);
    const options = {
      role: "server",
      maxConcurrentStreams: settings.max_concurrent_streams || Number.POSITIVE_INFINITY,
      streamWindowBytes,
      maxFrameBytes: streamWindowBytes,
      nowMs: () => clock.monotonicMs(),
    } as const;
    this.#http2 = new Http2Connection(socket, options, {
      open: (_id, request) => this.#open(request),
      opened: (stream) => this.#opened(stream),
      closed: (stream) => this.#closed(stream),
      settings: () => this.#introduced(),
      ping: () => this.#pinged(),
      pong: () => this.#refuseNew(),
      goaway: () => this.#retireQuietly(),
      failed: () => this.#endSocket(),
    });
    this.#prefaceTimer = clock.setTimer(() => void socket.destroy(), prefaceTimeoutMs);
    const aging = {
      ping: () => this.#http2.ping(),
      retire: (reason: string) => this.retire(reason),
      close: () => void socket.destroy(),
    };
    this.#keepalive = new ServerKeepalive(settings.keepalive?.server_parameters, clock, aging, Math.random);
    socket.once("close", () => this.#ended());
    socket.on("error", () => {}); // "close" follows
  }

  /** Takes what has come; the bytes may be used for something else afterwards. */
  read(bytes: Buffer, start: number, end: number): void {
    this.#keepalive.heard();
    this.#http2.read(bytes, start, end);
  }

  #introduced(): void {
    if (this.#prefaceTimer === undefined) return;
    this.#context.surroundings.clock.clearTimer(this.#prefaceTimer);
    this.#prefaceTimer = undefined;
  }

  #open(request: RequestFields): ServerCall | undefined {
    if (this.#farewell === "refusing" || this.#calls.size >= maxOpenCalls) return undefined;
    if (request !== this.#lastRequest) {
      this.#lastRequest = request;
      this.#lastHead = this.#headOf(request);
      this.#isGrpc = headerIn(request.headers, "content-type")?.startsWith("application/grpc") === true;
    }
    const nowMs = this.#context.surroundings.clock.monotonicMs();
    this.#opening = new ServerCall(this.#lastHead as CallHead, this.#context, this.#http2, nowMs);
    return this.#opening;
  }

  #headOf({ path, authority, headers }: RequestFields): CallHead {
    const encoding = headerIn(headers, "grpc-encoding") ?? "identity";
    const timeout = headerIn(headers, "grpc-timeout");
    const timeoutMs = timeout === undefined ? Number.POSITIVE_INFINITY : parseTimeout(timeout);
    const client = this.#clientOf(authority, headers);
    return { path, headers, encoding, timeoutMs, client, refusal: this.#refusalOf(path, timeoutMs) };
  }

  #refusalOf(path: string, timeoutMs: number): RpcStatus | undefined {
    const { paths, services } = this.#context;
    if (!paths.has(path)) return unknownMethod(path, services);
    return Number.isNaN(timeoutMs) ? { code: rpcCode.internal, message: "malformed grpc-timeout" } : undefined;
  }

  #clientOf(authority: string, headers: readonly string[]): ClientInfo {
    if (!this.#context.settings.include_metadata) return this.#client;
    const metadata = distinctHeaders([":authority", authority, ...headers]);
    for (const name of metadata.keys()) if (name.startsWith("grpc-")) metadata.delete(name);
    return { ...this.#client, metadata };
  }

  #opened(stream: Stream): void {
    const call = this.#opening as ServerCall;
    if (this.#calls.size === 0) this.#keepalive.busy();
    this.#calls.add(call);
    if (this.#isGrpc) call.begin(stream);
    else call.answerHttp(stream, 415);
  }

  #closed(stream: Stream): void {
    this.#calls.delete(stream.events as ServerCall);
    this.#strikes.forgive();
    if (this.#calls.size > 0) return;
    this.#keepalive.idle();
    if (this.#farewell === "refusing") this.#endSocket();
  }

  #pinged(): void {
    if (!this.#strikes.isTooMany(this.#calls.size)) return;
    this.#http2.goaway(this.#http2.lastPeerId, ErrorCode.enhanceYourCalm, tooManyPings);
    this.#endSocket();
    this.#context.surroundings.logger.warn(
      {},
      "A client pings more often than keepalive::enforcement_policy allows: its connection is closed.",
    );
  }

  /**
   * Ends the connection once its calls are answered. A client that is told so twice loses none: first that there will be
   * an end, then, when it has surely heard of that, which calls are still looked at.
   */
  retire(reason: string): void {
    if (this.#farewell !== "none") return;
    if (!this.#http2.isSettled) {
      this.#socket.destroy();
      return;
    }
    this.#farewell = "told";
    this.#http2.goaway(maxStreamId, ErrorCode.none, reason);
    this.#http2.ping();
    this.#farewellTimer = this.#context.surroundings.clock.setTimer(() => this.#refuseNew(), farewellMs);
  }

  #refuseNew(): void {
    if (this.#farewell !== "told") return;
    this.#farewell = "refusing";
    this.#http2.goaway(this.#http2.lastPeerId, ErrorCode.none, "");
    if (this.#calls.size === 0) this.#endSocket();
  }

  /** The client goes by itself. */
  #retireQuietly(): void {
    if (this.#farewell === "none") this.#farewell = "refusing";
    if (this.#calls.size === 0) this.#endSocket();
  }

  #endSocket(): void {
    this.#http2.flush();
    this.#socket.destroySoon();
    this.#endTimer ??= this.#context.surroundings.clock.setTimer(() => void this.#socket.destroy(), farewellMs);
  }

  #ended(): void {
    const { clock } = this.#context.surroundings;
    this.#keepalive.stop();
    this.#calls.stop();
    for (const timer of [this.#prefaceTimer, this.#farewellTimer, this.#endTimer]) {
      if (timer !== undefined) clock.clearTimer(timer);
    }
    this.#http2.abort();
  }
}
