import type { ClientInfo } from "../delivery.ts";
import type { Host, Logger } from "../host.ts";
import type { EncodedBody } from "../pdata/index.ts";
import type { ClientAuthenticator } from "./auth.ts";
import type { RpcStatus } from "./status.ts";

/**
 * What receivers and exporters see of the network. Receivers and exporters know only these interfaces; which library or
 * frame reader lies behind them is decided where a server or a client is made.
 */

/** What a server needs of its surroundings: a host has it all. */
export type ServerSurroundings = Pick<
  Host,
  "clock" | "budget" | "logger" | "extension" | "exclusive" | "tracer" | "requests" | "gates"
>;

/** What a client needs of its surroundings. */
export interface ClientSurroundings extends Pick<Host, "clock" | "requests"> {
  readonly gates?: Host["gates"];
  readonly logger?: Logger;
  /** What names this program to servers. */
  readonly userAgent: string;
  /** Adds credentials to every request. */
  readonly authenticator?: ClientAuthenticator | undefined;
}

/** A request as far as it is known before its body. */
export interface RequestHead {
  /** `POST`; always `POST` for gRPC. */
  readonly method: string;
  /** HTTP: the path without its query. gRPC: `/package.Service/Method`. */
  readonly path: string;
  /** HTTP: what follows the path's question mark. */
  readonly query?: string;
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
  readonly client: ClientInfo;
}

/** A whole request. */
export interface TransportRequest extends RequestHead {
  /** The body, decompressed. It belongs to the receiver. */
  readonly body: Buffer;
  /** The body as it came, where it was compressed and may be sent on like that. It belongs to the receiver, too. */
  readonly encoded?: EncodedBody | undefined;
  /** Aborted when the caller has gone away or its deadline has passed. Made when first asked for. */
  readonly signal: AbortSignal;
}

/** Why the transport itself cannot give a request to its handler. */
export interface Problem {
  readonly kind: "unsupported_encoding" | "too_large" | "broken" | "busy" | "unauthenticated";
  readonly message: string;
  /** The gRPC status an authenticator wants told, where it is not UNAUTHENTICATED. */
  readonly grpcStatus?: number;
}

/** Why a body could not be read: what `Problem` says, thrown. */
export class BodyError extends Error implements Problem {
  override readonly name = "BodyError";
  readonly kind: Problem["kind"];

  constructor(kind: Problem["kind"], message: string) {
    super(message);
    this.kind = kind;
  }
}

/** Answers requests. `A` is the answer of the transport: `RpcAnswer` or `HttpAnswer`. */
export interface RequestHandler<A> {
  /** Judges a request by its head. An answer refuses it before its body is read. */
  judge(head: RequestHead): A | undefined;
  /** The answer to a request whose body could not be had. */
  reject(head: RequestHead, problem: Problem): A;
  /** Takes a request and owes it one answer, maybe before it returns. Answers after the first are ignored. */
  handle(request: TransportRequest, answer: (answer: A) => void): void;
}

/** The answer to a unary gRPC call: a message, or a status other than OK. */
export type RpcAnswer = { readonly body: Buffer; readonly status?: undefined } | { readonly status: RpcStatus };

export interface HttpAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface TransportServer {
  /** Binds and takes requests. @throws {Error} in one line, naming the endpoint, when it cannot be bound. */
  start(): Promise<void>;
  /** Where it listens, with real ports: `127.0.0.1:4317`, `[::1]:4317`, `/run/otlp.sock`. Empty before `start`. */
  readonly addresses: readonly string[];
  /** Accepts nothing new, lets what is in flight be answered for `graceMs`, then closes. Safe to call twice. */
  stop(graceMs: number): Promise<void>;
}

export interface RpcSendOptions {
  /** Who sent the data, for authenticators. */
  readonly client?: ClientInfo | undefined;
  /** Sent to the server as its deadline; enforced here as well. Absent or 0: none. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** The same message as it came: sent in place of it where it has the client's own coding. */
  readonly encoded?: EncodedBody | undefined;
}

/** What a server answered. `status` is absent on OK. */
export interface RpcReply {
  readonly status: RpcStatus | undefined;
  readonly body: Buffer;
}

export interface RpcClient {
  /** Calls `path` with one message. Never rejects: what goes wrong on the way is a status such as UNAVAILABLE. */
  send(path: string, body: Buffer, options: RpcSendOptions): Promise<RpcReply>;
  close(): void;
}

export interface HttpSendOptions {
  /** Who sent the data, for authenticators. */
  readonly client?: ClientInfo | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** The same body as it came: sent in place of it where it has the client's own coding. */
  readonly encoded?: EncodedBody | undefined;
}

export interface HttpReply {
  readonly status: number;
  header(name: string): string | undefined;
  /** The body, cut off at the client's limit. */
  readonly body: Buffer;
}

export interface HttpClient {
  /** Posts a body. @throws {Error} when there is no complete HTTP answer. */
  send(url: URL, body: Buffer, options: HttpSendOptions): Promise<HttpReply>;
  close(): void;
}
