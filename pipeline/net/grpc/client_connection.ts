import { connect, type Socket } from "node:net";
import { type SecureContext, type TLSSocket, connect as tlsConnect } from "node:tls";
import type { Clock, Timer } from "../../host.ts";
import { Http2Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import { tooManyPings } from "../ping_policy.ts";
import { readSocket } from "../socket.ts";
import { type ClientCall, maxAnswerBytes } from "./client_call.ts";

/** Where a connection goes to. */
export type Address = { readonly host: string; readonly port: number } | { readonly path: string };

/** How connections of a client are made and kept. */
export interface Dialling {
  readonly clock: Clock;
  /** Undefined in clear text. */
  readonly context: SecureContext | undefined;
  /** The name that the server's certificate has to have; undefined for the address that is dialled. */
  readonly serverName: string | undefined;
  readonly verify: boolean;
  readonly keepalive:
    | { readonly timeMs: number; readonly timeoutMs: number; readonly withoutCalls: boolean }
    | undefined;
}

/** What a connection's owner hears. */
export interface ClientConnectionEvents {
  ready(): void;
  /** It takes no more calls; those it has may still be answered. */
  retired(): void;
  /** It is gone. `problem` is why it could not be made, or was lost. */
  closed(problem: string): void;
}

/** How long a connection may take until the server has introduced itself. */
const connectTimeoutMs = 20_000;

/** A whole answer, so that nothing has to be granted for it. */
const streamWindowBytes = maxAnswerBytes + 64 * 1024;

const maxFrameBytes = 1024 * 1024;

/** One connection of a client. */
export class ClientConnection {
  readonly #socket: Socket;
  readonly #http2: Http2Connection;
  readonly #clock: Clock;
  readonly #events: ClientConnectionEvents;
  readonly #dialling: Dialling;
  #state: "connecting" | "ready" | "retired" | "closed" = "connecting";
  #problem = "the server closed the connection";
  #connectTimer: Timer | undefined;
  #pingTimer: Timer | undefined;
  #isHeard = false;

  constructor(address: Address, dialling: Dialling, events: ClientConnectionEvents) {
    this.#clock = dialling.clock;
    this.#events = events;
    this.#dialling = dialling;
    this.#socket = dial(address, dialling);
    this.#http2 = new Http2Connection(
      this.#socket,
      {
        role: "client",
        maxConcurrentStreams: 0,
        streamWindowBytes,
        maxFrameBytes,
        nowMs: () => this.#clock.monotonicMs(),
      },
      {
        open: () => undefined,
        opened: () => {},
        closed: () => this.#streamEnded(),
        settings: () => this.#settled(),
        ping: () => {},
        pong: () => {},
        goaway: (lastStreamId, code, text) => this.#sentAway(lastStreamId, code, text),
        failed: (error) => {
          this.#problem = error.message;
          this.#http2.flush();
          this.#socket.destroySoon();
        },
      },
    );
    this.#connectTimer = this.#clock.setTimer(() => this.#destroy("it took too long"), connectTimeoutMs);
    this.#socket.setNoDelay(true);
    this.#socket.once("error", (error: NodeJS.ErrnoException) => void (this.#problem = problemOf(error)));
    this.#socket.once("close", () => this.#ended());
    const begin = () => readSocket(this.#socket, (bytes, start, end) => this.#read(bytes, start, end));
    if (dialling.context === undefined) this.#socket.once("connect", begin);
    else {
      this.#socket.once("secureConnect", () => {
        if ((this.#socket as TLSSocket).alpnProtocol === "h2") begin();
        else this.#destroy("the server does not speak HTTP/2 over TLS");
      });
    }
  }

  get isReady(): boolean {
    return this.#state === "ready";
  }

  /** Whether it takes calls, now or once it is ready. */
  get isInUse(): boolean {
    return this.#state === "ready" || this.#state === "connecting";
  }

  /** Whether one more call can be sent now. */
  get isFree(): boolean {
    return this.#state === "ready" && this.#http2.freeStreams > 0;
  }

  get unsentBytes(): number {
    return this.#http2.unsentBytes;
  }

  /** Sends a call. To be called while `isFree`. */
  send(call: ClientCall): void {
    const stream = this.#http2.request(call.block, call);
    call.cancel = () => this.#http2.reset(stream, ErrorCode.cancel);
    this.#http2.send(stream, call.parts, undefined);
    if (this.#http2.isSpent) this.retire();
  }

  #read(bytes: Buffer, start: number, end: number): void {
    this.#isHeard = true;
    this.#http2.read(bytes, start, end);
  }

  #settled(): void {
    if (this.#state !== "connecting") {
      this.#events.ready(); // there may be room for more calls
      return;
    }
    this.#state = "ready";
    if (this.#connectTimer !== undefined) this.#clock.clearTimer(this.#connectTimer);
    this.#connectTimer = undefined;
    this.#listen();
    this.#events.ready();
  }

  /** Pings when nothing has come for a while, and gives up when nothing comes of that. */
  #listen(): void {
    const { keepalive } = this.#dialling;
    if (keepalive === undefined) return;
    this.#isHeard = false;
    this.#pingTimer = this.#clock.setTimer(() => {
      if (this.#isHeard || (!keepalive.withoutCalls && this.#http2.openStreams === 0)) {
        this.#listen();
        return;
      }
      this.#http2.ping();
      this.#pingTimer = this.#clock.setTimer(() => {
        if (this.#isHeard) this.#listen();
        else this.#destroy("the server does not answer pings");
      }, keepalive.timeoutMs);
    }, keepalive.timeMs);
  }

  /** The server goes away; what it has not looked at is sent elsewhere. */
  #sentAway(lastStreamId: number, code: number, text: string): void {
    if (code === ErrorCode.enhanceYourCalm) {
      this.#problem = text === tooManyPings ? "the server finds that it is pinged too often" : `the server: ${text}`;
    }
    this.retire();
    this.#http2.abortAbove(lastStreamId, ErrorCode.refusedStream);
  }

  /** Takes no more calls, and closes when those it has are over. */
  retire(): void {
    if (this.#state === "retired" || this.#state === "closed") return;
    this.#state = "retired";
    this.#events.retired();
    this.#closeWhenDone();
  }

  #streamEnded(): void {
    // There is room for one more call, or this was the last.
    if (this.#state === "ready") this.#events.ready();
    else this.#closeWhenDone();
  }

  #closeWhenDone(): void {
    if (this.#state !== "retired" || this.#http2.openStreams > 0) return;
    this.#http2.flush();
    this.#socket.destroySoon();
  }

  #destroy(problem: string): void {
    this.#problem = problem;
    this.#socket.destroy();
  }

  /** Cuts the connection. */
  destroy(): void {
    this.#destroy("the client is closed");
  }

  #ended(): void {
    this.#state = "closed";
    for (const timer of [this.#connectTimer, this.#pingTimer]) if (timer !== undefined) this.#clock.clearTimer(timer);
    this.#http2.abort();
    this.#events.closed(this.#problem);
  }
}

function dial(address: Address, { context, serverName, verify }: Dialling): Socket {
  if (context === undefined) return connect(address);
  return tlsConnect({
    ...address,
    secureContext: context,
    ALPNProtocols: ["h2"],
    rejectUnauthorized: verify,
    ...(serverName !== undefined && { servername: serverName }),
  });
}

const reasons = new Map<string | undefined, string>([
  ["ECONNREFUSED", "connection refused"],
  ["ECONNRESET", "connection reset by peer"],
  ["ENOENT", "no such socket"],
  ["ETIMEDOUT", "connection timed out"],
  ["EHOSTUNREACH", "no route to host"],
  ["ENETUNREACH", "network is unreachable"],
  ["EPIPE", "broken pipe"],
]);

function problemOf(error: NodeJS.ErrnoException): string {
  return reasons.get(error.code) ?? error.message;
}
