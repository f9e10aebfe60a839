import type { Http2Session, IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { ClientInfo } from "../delivery.ts";
import type { Timer } from "../host.ts";
import { askAuthenticator, refusalOf, type ServerAuthenticator } from "./auth.ts";
import { formatHostPort } from "./listener.ts";
import { distinctHeaders, valuesIn } from "./raw_headers.ts";
import { Reservation } from "./reservation.ts";
import { encodeStatus, type RpcStatus } from "./status.ts";
import type { Problem, RequestHead, ServerSurroundings } from "./transport.ts";

/** A message that is not complete after this time ends its call. */
const messageTimeoutMs = 300_000;

export interface CallLimits extends ServerSurroundings {
  readonly maxBytes: number;
  readonly includeMetadata: boolean;
}

/**
 * One call while its message is on the way. It reads the five bytes before the message, which say whether and how long it
 * is, and judges that length before the rest is read; the bytes themselves are `@grpc/grpc-js`'s business.
 */
export class IncomingCall implements RequestHead {
  readonly method = "POST";
  readonly path: string;
  client: ClientInfo;
  /** Set while an authenticator has not said whether the caller may. */
  whenAuthenticated: Promise<void> | undefined;
  readonly encoding: string;
  readonly reservation: Reservation;
  readonly #headers: IncomingHttpHeaders;
  readonly #rawHeaders: readonly string[];
  readonly #stream: ServerHttp2Stream;
  readonly #limits: CallLimits;
  readonly #refused: (problem: Problem) => RpcStatus;
  readonly #prefix = Buffer.alloc(5);
  readonly #timer: Timer;
  #received = 0;
  #closed = false;
  #judged = false;

  constructor(
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
    limits: CallLimits,
    refused: (call: IncomingCall, problem: Problem) => RpcStatus,
  ) {
    this.path = String(headers[":path"]);
    this.encoding = String(headers["grpc-encoding"] ?? "identity");
    this.client = clientOf(stream.session, limits.includeMetadata ? rawHeaders : undefined);
    this.reservation = new Reservation(limits.budget);
    this.#headers = headers;
    this.#rawHeaders = rawHeaders;
    this.#stream = stream;
    this.#limits = limits;
    this.#refused = (problem) => refused(this, problem);
    this.#timer = limits.clock.setTimer(() => stream.close(constants.NGHTTP2_CANCEL), messageTimeoutMs);
    stream.on("data", (part: Buffer) => this.#read(part));
    stream.once("close", () => this.settle());
  }

  header(name: string): string | undefined {
    const value = this.#headers[name];
    return Array.isArray(value) ? value[0] : value;
  }

  /** Ends the call unless `authenticator` accepts its caller; until then `whenAuthenticated` is set. */
  authenticate(authenticator: ServerAuthenticator): void {
    const asked = new Promise<void>((resolve) => {
      const source = { values: (name: string) => valuesIn(this.#rawHeaders, name.toLowerCase()) };
      askAuthenticator(authenticator, source, (verdict) => {
        if (!verdict.accepted) this.refuse(refusalOf(verdict));
        else if (verdict.auth !== undefined) this.client = { ...this.client, auth: verdict.auth };
        this.#judged = true;
        resolve();
      });
    });
    if (!this.#judged) this.whenAuthenticated = asked;
  }

  /** Whether the message says that it is compressed. */
  get isCompressed(): boolean {
    return this.#prefix[0] === 1;
  }

  /** Whether the caller was told already that the message is not taken. */
  get isClosed(): boolean {
    return this.#closed;
  }

  #read(part: Buffer): void {
    const before = this.#received;
    this.#received += part.length;
    if (this.#closed) return;
    if (before < 5) {
      part.copy(this.#prefix, before);
      if (this.#received >= 5) this.#admit(this.#prefix.readUInt32BE(1));
    }
    if (!this.#closed && !this.reservation.arrived(this.#received - 5)) this.#refuseBusy();
  }

  #admit(length: number): void {
    const { maxBytes } = this.#limits;
    if (length > maxBytes) {
      this.refuse({ kind: "too_large", message: `Received message larger than max (${length} vs ${maxBytes})` });
    } else if (!this.reservation.fits(length)) {
      this.#refuseBusy();
    }
  }

  #refuseBusy(): void {
    this.refuse({ kind: "busy", message: "memory for requests is used up" });
  }

  /** Ends the call for a reason of the transport. */
  refuse(problem: Problem): void {
    if (!this.#closed) this.end(this.#refused(problem));
  }

  /** Ends the call with a status, whatever of its message is still to come. */
  end(status: RpcStatus): void {
    this.settle();
    if (this.#stream.destroyed || this.#stream.closed || this.#stream.headersSent) return;
    this.#stream.respond(trailersOnly(status), { endStream: true });
    closeAfterAnswer(this.#stream);
  }

  /** The message is complete: its deadline is met. */
  complete(): void {
    this.#limits.clock.clearTimer(this.#timer);
  }

  /** Gives back what was reserved: the call is over or its message has another owner. */
  settle(): void {
    this.#closed = true;
    this.complete();
    this.reservation.release();
  }
}

/**
 * Closes a stream that was just answered. In the same turn, Node 26 would send the reset in place of the answer, so it
 * waits for the next; until then the library, which asks for `closed`, must not answer as well.
 */
function closeAfterAnswer(stream: ServerHttp2Stream): void {
  Object.defineProperty(stream, "closed", { value: true, configurable: true });
  setImmediate(() => {
    Reflect.deleteProperty(stream, "closed");
    if (!stream.destroyed) stream.close(constants.NGHTTP2_NO_ERROR);
  });
}

/** The headers that answer a call with a status alone. */
function trailersOnly(status: RpcStatus): Record<string, string | number> {
  const details =
    status.retryDelayMs === undefined ? {} : { "grpc-status-details-bin": encodeStatus(status).toString("base64") };
  return {
    ":status": 200,
    "content-type": "application/grpc+proto",
    "grpc-status": status.code,
    "grpc-message": encodeURI(status.message),
    ...details,
  };
}

const addresses = new WeakMap<Http2Session, string>();

function clientOf(session: Http2Session | undefined, rawHeaders: readonly string[] | undefined): ClientInfo {
  const address = addressOf(session);
  if (rawHeaders === undefined) return { address, transport: "grpc" };
  const metadata = distinctHeaders(rawHeaders);
  for (const name of metadata.keys()) {
    if (name.startsWith("grpc-")) metadata.delete(name);
  }
  return { address, transport: "grpc", metadata };
}

/** The peer of a connection; asked of the socket once. */
function addressOf(session: Http2Session | undefined): string {
  if (session === undefined) return "";
  const known = addresses.get(session);
  if (known !== undefined) return known;
  const address = session.destroyed ? "" : formatHostPort(session.socket.remoteAddress, session.socket.remotePort);
  addresses.set(session, address);
  return address;
}
