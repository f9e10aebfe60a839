import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import {
  type ChannelOptions,
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from "@grpc/grpc-js";
import { untilDeadline } from "../deadline.ts";
import type { EncodedBody } from "../pdata/index.ts";
import { type ServerAuthenticator, serverAuthenticator } from "./auth.ts";
import { acceptedOverGrpc, grpcEncodingOf } from "./compression.ts";
import { compressionStatus } from "./grpc/wire.ts";
import { type CallLimits, IncomingCall } from "./grpc_call.ts";
import { inflate } from "./http_body.ts";
import { type Listening, listen } from "./listener.ts";
import { limitPings, standardPingPolicy } from "./ping_policy.ts";
import { watchRpcServer } from "./request_watch.ts";
import type { GrpcServerSettings } from "./settings.ts";
import { encodeStatus, type RpcStatus, rpcCode } from "./status.ts";
import { keepCertificatesFresh, tlsServerOptions } from "./tls.ts";
import type { RequestHandler, RpcAnswer, ServerSurroundings, TransportRequest, TransportServer } from "./transport.ts";

/** Windows of 64 KiB, the protocol's default, stall large requests once per round trip. */
const streamWindowBytes = 1024 * 1024;
const connectionWindowBytes = 16 * 1024 * 1024;

/** A connection that has not spoken HTTP/2 after this time is cut. */
const prefaceTimeoutMs = 20_000;

/** Carries the number of a call from the HTTP/2 stream to its handler; a client's own header of that name is replaced. */
const callHeader = "otelpipe-call";

const acceptEncoding = new Metadata();
acceptEncoding.set("grpc-accept-encoding", acceptedOverGrpc);

/**
 * Unary gRPC on `@grpc/grpc-js`, with messages as raw bytes.
 *
 * Connections are accepted here and handed to the library. It neither shows how long a message will be nor reads zstd,
 * inflates through a stream per message, and keeps to itself what it refuses. So the HTTP/2 streams are listened to before
 * it hears of them: the length is reserved in the budget, and messages are decompressed here. That needs one private field
 * of the library, `http2Servers`; a test fails when it goes.
 */
export class GrpcJsServer implements TransportServer {
  readonly #settings: GrpcServerSettings;
  readonly #surroundings: ServerSurroundings;
  readonly #handler: RequestHandler<RpcAnswer>;
  readonly #limits: CallLimits;
  readonly #server: Server;
  readonly #paths: ReadonlySet<string>;
  readonly #calls = new Map<string, IncomingCall>();
  readonly #sessions = new Set<ServerHttp2Session>();
  #allClosed: () => void = () => {};
  #nextCall = 0;
  #authenticator: ServerAuthenticator | undefined;
  #listening: Listening | undefined;
  #stopping: Promise<void> | undefined;

  constructor(
    settings: GrpcServerSettings,
    services: readonly ServiceDefinition[],
    handler: RequestHandler<RpcAnswer>,
    surroundings: ServerSurroundings,
  ) {
    this.#settings = settings;
    this.#surroundings = surroundings;
    this.#handler = handler;
    const maxBytes = (settings.max_recv_msg_size_mib || 4) * 1024 * 1024;
    this.#limits = { ...surroundings, maxBytes, includeMetadata: settings.include_metadata };
    this.#server = new Server(channelOptions(settings, maxBytes));
    const methods = services.flatMap((service) => Object.values(service));
    this.#paths = new Set(methods.map((method) => method.path));
    const implementation = (call: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>) =>
      this.#take(call, callback);
    for (const service of services) {
      this.#server.addService(service, Object.fromEntries(Object.keys(service).map((name) => [name, implementation])));
    }
  }

  get addresses(): readonly string[] {
    return this.#listening?.addresses ?? [];
  }

  async start(): Promise<void> {
    const { auth, tls } = this.#settings;
    this.#authenticator = serverAuthenticator(auth, this.#surroundings);
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    for (const inner of http2ServersOf(this.#server)) this.#watch(inner);
    const accept = (socket: Socket) => {
      socket.setNoDelay(true);
      socket.on("error", () => {}); // the session hears of it too
      injector.injectConnection(socket);
    };
    const make = (): NetServer => {
      if (tls === undefined) return createServer(accept);
      const server = createTlsServer(tlsServerOptions(tls, ["h2"]), (socket) => {
        if (socket.alpnProtocol === "h2") accept(socket);
        else socket.destroy();
      });
      server.on("tlsClientError", (_error, socket) => void socket.destroy());
      keepCertificatesFresh(server, tls, this.#surroundings);
      return server;
    };
    this.#listening = await listen(this.#settings, make, this.#surroundings);
  }

  #watch(server: Http2Server): void {
    const { clock } = this.#surroundings;
    server.on("session", (session: ServerHttp2Session) => {
      session.settings({ initialWindowSize: streamWindowBytes, maxFrameSize: streamWindowBytes });
      session.setLocalWindowSize(connectionWindowBytes);
      const timer = clock.setTimer(() => void session.destroy(), prefaceTimeoutMs);
      session.once("remoteSettings", () => clock.clearTimer(timer));
      this.#limitPings(session);
      this.#sessions.add(session);
      session.once("close", () => {
        clock.clearTimer(timer);
        this.#sessions.delete(session);
        if (this.#sessions.size === 0) this.#allClosed();
      });
    });
    server.on("sessionError", () => {}); // a peer that breaks the protocol has lost its connection already
    const taken = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, rawHeaders: string[]) => {
      const isGrpc = headers["content-type"]?.startsWith("application/grpc") === true; // else the library says 415
      if (isGrpc && this.#paths.has(String(headers[":path"]))) this.#follow(stream, headers, rawHeaders);
    };
    server.prependListener("stream", taken);
  }

  #limitPings(session: ServerHttp2Session): void {
    const { clock, logger } = this.#surroundings;
    const policy = this.#settings.keepalive?.enforcement_policy ?? standardPingPolicy;
    limitPings(session, policy, clock, () => {
      logger.warn({}, "A client pings more often than keepalive::enforcement_policy allows: its connection is closed.");
    });
  }

  #follow(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, rawHeaders: readonly string[]): void {
    const id = String(this.#nextCall++);
    const call = new IncomingCall(stream, { ...headers }, rawHeaders, this.#limits, (refused, problem) =>
      statusOf(this.#handler.reject(refused, problem)),
    );
    delete headers["grpc-encoding"]; // the library then passes the message on as it is
    headers[callHeader] = id;
    this.#calls.set(id, call);
    stream.once("close", () => this.#calls.delete(id));
    const judged = this.#handler.judge(call);
    if (judged?.status !== undefined) call.end(judged.status);
    else if (this.#authenticator !== undefined) call.authenticate(this.#authenticator);
  }

  #take(unary: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
    const call = this.#calls.get(String(unary.metadata.get(callHeader)[0]));
    if (call === undefined || call.isClosed) return;
    call.complete();
    if (call.whenAuthenticated === undefined) this.#open(call, unary, callback);
    else void call.whenAuthenticated.then(() => call.isClosed || this.#open(call, unary, callback));
  }

  #open(call: IncomingCall, unary: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>): void {
    const watched = watchRpcServer(this.#surroundings, call, this.addresses[0] ?? "");
    if (watched?.span !== undefined) call.client = { ...call.client, trace: watched.span };
    const answer = once((answered: RpcAnswer) => {
      watched?.end(answered.status);
      respond(unary, callback, answered);
    });
    const give = (body: Buffer, encoded?: EncodedBody) => {
      call.settle();
      this.#handler.handle(new GrpcRequest(call, body, encoded, unary), answer);
    };
    if (!call.isCompressed) {
      give(unary.request);
      return;
    }
    const encoding = grpcEncodingOf(call.encoding);
    if (encoding === undefined || encoding === "identity") {
      const problem = { kind: "unsupported_encoding", message: compressionStatus(call.encoding).message } as const;
      this.#handler.reject(call, problem);
      answer({ status: compressionStatus(call.encoding) });
      return;
    }
    inflate(encoding, unary.request, this.#limits.maxBytes, call.reservation, {
      // A closed call is one whose caller has gone meanwhile.
      failed: (problem) => call.isClosed || answer(this.#handler.reject(call, problem)),
      complete: (body, encoded) => call.isClosed || give(body, encoded),
    });
  }

  stop(graceMs: number): Promise<void> {
    this.#stopping ??= this.#stop(graceMs);
    return this.#stopping;
  }

  /** The library's own `tryShutdown` takes a closing connection for a closed one, so connections are waited for here. */
  async #stop(graceMs: number): Promise<void> {
    const { clock } = this.#surroundings;
    this.#listening?.close();
    for (const session of this.#sessions) session.close();
    const allClosed = new Promise<void>((resolve) => {
      this.#allClosed = resolve;
      if (this.#sessions.size === 0) resolve();
    });
    await untilDeadline(clock, clock.monotonicMs() + graceMs, allClosed);
    this.#server.forceShutdown();
    this.#listening?.destroyConnections();
  }
}

class GrpcRequest implements TransportRequest {
  readonly method = "POST";
  readonly body: Buffer;
  readonly encoded: EncodedBody | undefined;
  readonly #call: IncomingCall;
  readonly #unary: ServerUnaryCall<Buffer, Buffer>;
  #aborter: AbortController | undefined;

  constructor(
    call: IncomingCall,
    body: Buffer,
    encoded: EncodedBody | undefined,
    unary: ServerUnaryCall<Buffer, Buffer>,
  ) {
    this.#call = call;
    this.body = body;
    this.encoded = encoded;
    this.#unary = unary;
  }

  get path() {
    return this.#call.path;
  }

  get client() {
    return this.#call.client;
  }

  get signal(): AbortSignal {
    if (this.#aborter !== undefined) return this.#aborter.signal;
    const aborter = new AbortController();
    this.#aborter = aborter;
    if (this.#unary.cancelled) aborter.abort();
    this.#unary.on("cancelled", () => aborter.abort());
    return aborter.signal;
  }

  header(name: string): string | undefined {
    return this.#call.header(name);
  }
}

function respond(unary: ServerUnaryCall<Buffer, Buffer>, callback: sendUnaryData<Buffer>, answer: RpcAnswer): void {
  if (answer.status === undefined) {
    unary.sendMetadata(acceptEncoding);
    callback(null, answer.body);
    return;
  }
  const metadata = new Metadata();
  if (answer.status.retryDelayMs !== undefined) metadata.set("grpc-status-details-bin", encodeStatus(answer.status));
  callback({ code: answer.status.code, details: answer.status.message, metadata });
}

function statusOf(answer: RpcAnswer): RpcStatus {
  return answer.status ?? { code: rpcCode.internal, message: "refused" };
}

function once<T>(call: (value: T) => void): (value: T) => void {
  let called = false;
  return (value) => {
    if (called) return;
    called = true;
    call(value);
  };
}

function http2ServersOf(server: Server): Http2Server[] {
  const { http2Servers } = server as unknown as { http2Servers?: ReadonlyMap<Http2Server, unknown> };
  if (http2Servers === undefined) throw new Error("this version of @grpc/grpc-js does not show its HTTP/2 servers");
  return [...http2Servers.keys()];
}

function channelOptions(settings: GrpcServerSettings, maxBytes: number): ChannelOptions {
  const { max_concurrent_streams, keepalive } = settings;
  const parameters = keepalive?.server_parameters;
  const positive = (name: string, value: number | undefined) =>
    value !== undefined && value > 0 ? { [name]: value } : {};
  return {
    "grpc.max_receive_message_length": maxBytes,
    "grpc.max_send_message_length": -1,
    "grpc.enable_channelz": 0,
    ...positive("grpc.max_concurrent_streams", max_concurrent_streams),
    ...positive("grpc.max_connection_idle_ms", parameters?.max_connection_idle),
    ...positive("grpc.max_connection_age_ms", parameters?.max_connection_age),
    ...positive("grpc.max_connection_age_grace_ms", parameters?.max_connection_age_grace),
    "grpc.keepalive_time_ms": parameters?.time || 7_200_000,
    "grpc.keepalive_timeout_ms": parameters?.timeout || 20_000,
  };
}
