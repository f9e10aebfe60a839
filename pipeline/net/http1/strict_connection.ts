import type { Socket } from "node:net";
import type { Clock, Timer } from "../../host.ts";
import { formatHostPort } from "../listener.ts";
import type { AnswerWriter } from "./answer_bytes.ts";
import { type ExchangeConnection, StrictExchange } from "./strict_exchange.ts";
import { HeadFinder } from "./strict_head.ts";

export interface StrictLimits {
  /** From a request's first byte to the end of its head. */
  readonly headMs: number;
  /** From a request's first byte to its last. */
  readonly requestMs: number;
  /** How long a connection without requests is kept; 0 is for ever. */
  readonly idleMs: number;
  /** How long a connection with a request may be silent; 0 is for ever. */
  readonly silentMs: number;
}

/** What all connections of a server share. */
export interface StrictContext {
  readonly clock: Clock;
  readonly limits: StrictLimits;
  readonly writer: AnswerWriter;
  take(exchange: StrictExchange): void;
}

/** Requests of one connection that may be unanswered; more are not read. */
const mostUnanswered = 32;

/** How long a connection that is refused in the middle of a body may go on sending, so that it can read why. */
const lingerMs = 2_000;

/** How long a last answer may take to leave. */
const closingMs = 60_000;

/** Kept connections live that much longer than their clients are told, so that a request on the way finds them. */
const idleGraceMs = 1_000;

const timedOut = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/**
 * The server's side of a connection whose requests are of the strict form. Before the first one that is not, none of whose
 * bytes it has judged, it hands the connection over for good.
 */
export class StrictConnection implements ExchangeConnection {
  readonly peer: string;
  readonly #socket: Socket;
  readonly #context: StrictContext;
  readonly #other: (socket: Socket) => void;
  readonly #heads = new HeadFinder();
  readonly #unanswered: StrictExchange[] = [];
  readonly #output: Buffer[] = [];
  /** `leaving`: to be handed over once all is answered. `ending`: what comes is thrown away. */
  #phase: "open" | "leaving" | "left" | "ending" = "open";
  #held: Buffer | undefined;
  #incoming: StrictExchange | undefined;
  #isWorking = false;
  #isPaused = false;
  #hasServed = false;
  #isCut = false;
  /** When the request that is coming began, or the last one was answered. */
  #sinceMs: number;
  #activeMs: number;
  #timer: Timer | undefined;
  #timerAtMs = Number.POSITIVE_INFINITY;

  /** `other` gets the socket when it is handed over. */
  constructor(socket: Socket, context: StrictContext, other: (socket: Socket) => void) {
    this.#socket = socket;
    this.#context = context;
    this.#other = other;
    this.peer = formatHostPort(socket.remoteAddress, socket.remotePort);
    this.#sinceMs = context.clock.monotonicMs();
    this.#activeMs = this.#sinceMs;
    socket.on("error", ignore);
    socket.on("drain", this.#settle);
    socket.on("end", this.#ended);
    socket.on("close", this.#closed);
    this.#arm();
  }

  /** Whether it has nothing to do, but had. */
  get isIdle(): boolean {
    const isQuiet = this.#unanswered.length === 0 && this.#held === undefined;
    return this.#phase === "open" && this.#hasServed && isQuiet;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Takes bytes that are valid during the call. False: the socket is to stop reading. */
  read(bytes: Buffer, start: number, end: number): boolean {
    if (this.#phase === "left") return this.#socket.push(Buffer.from(bytes.subarray(start, end)));
    if (this.#phase === "ending") return true;
    this.#activeMs = this.#context.clock.monotonicMs();
    const held = this.#held;
    if (held === undefined) {
      if (this.#unanswered.length === 0) this.#sinceMs = this.#activeMs;
      this.#work(bytes, start, end);
    } else {
      const all = Buffer.concat([held, bytes.subarray(start, end)]);
      this.#work(all, 0, all.length);
    }
    this.#settle();
    return true;
  }

  #work(bytes: Buffer, start: number, end: number): void {
    this.#isWorking = true;
    const at = this.#consume(bytes, start, end);
    this.#isWorking = false;
    this.#held = at < end && this.#phase !== "ending" ? Buffer.from(bytes.subarray(at, end)) : undefined;
  }

  #consume(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end && this.#phase === "open" && !this.#isStuck) {
      if (this.#incoming !== undefined) {
        at = this.#incoming.receive(bytes, at, end);
        if (this.#incoming.isBodyComplete) this.#incoming = undefined;
        continue;
      }
      const found = this.#heads.find(bytes, at, end);
      if (found === "partial") break;
      if (found === "other") {
        this.#phase = "leaving";
        break;
      }
      at = found.end;
      if (this.#unanswered.length > 0) this.#sinceMs = this.#activeMs;
      const exchange = new StrictExchange(found.head, this, end - at);
      this.#unanswered.push(exchange);
      if (found.head.contentLength > 0) this.#incoming = exchange;
      this.#context.take(exchange);
    }
    return at;
  }

  /** Whether no more can be taken for now. */
  get #isStuck(): boolean {
    if (this.#incoming !== undefined) return !this.#incoming.isWanted;
    return this.#unanswered.length >= mostUnanswered || this.#socket.writableNeedDrain;
  }

  wanted(): void {
    if (!this.#isWorking) this.#settle();
  }

  answered(): void {
    let first = this.#unanswered[0];
    while (first?.answerGiven !== undefined && this.#phase !== "ending") {
      const { status, headers, body, isLast, isCut } = first.answerGiven;
      this.#unanswered.shift();
      this.#output.push(this.#context.writer.bytes(status, headers, body, isLast));
      this.#hasServed = true;
      if (isLast) this.#phase = "ending";
      this.#isCut = isCut;
      first.close(true);
      first = this.#unanswered[0];
    }
    if (this.#isWorking) return;
    this.#activeMs = this.#context.clock.monotonicMs();
    if (this.#incoming === undefined && this.#held === undefined) this.#sinceMs = this.#activeMs;
    this.#settle();
  }

  /** Sends what there is to send, and does what has become possible or necessary. */
  readonly #settle = (): void => {
    if (this.#isWorking) return;
    this.#send();
    if (this.#phase === "ending") {
      this.#end();
      return;
    }
    if (this.#phase === "leaving" && this.#unanswered.length === 0) {
      this.#leave();
      return;
    }
    const mustPause = this.#phase === "leaving" || this.#isStuck;
    if (mustPause && !this.#isPaused) {
      this.#isPaused = true;
      this.#socket.pause();
    } else if (!mustPause && this.#isPaused) {
      this.#isPaused = false;
      const held = this.#held;
      if (held !== undefined) this.#work(held, 0, held.length);
      this.#settle();
      if (!this.#isPaused && this.#phase === "open") this.#socket.resume();
      return;
    }
    this.#arm();
  };

  #send(): void {
    const { length } = this.#output;
    if (length === 0) return;
    this.#socket.write(length === 1 ? (this.#output[0] as Buffer) : Buffer.concat(this.#output));
    this.#output.length = 0;
  }

  #end(): void {
    if (this.#socket.writableEnded) return;
    this.#held = undefined;
    this.#disarm();
    const { clock } = this.#context;
    this.#timer = clock.setTimer(() => this.destroy(), this.#isCut ? lingerMs : closingMs);
    if (!this.#isCut) {
      this.#socket.destroySoon();
      return;
    }
    // Bytes unread at `close` would make the kernel reset the connection, and the answer on its way with it.
    this.#socket.end();
    this.#socket.resume();
  }

  #leave(): void {
    const socket = this.#socket;
    const held = this.#held;
    this.#phase = "left";
    this.#held = undefined;
    this.#disarm();
    socket.off("error", ignore);
    socket.off("drain", this.#settle);
    socket.off("end", this.#ended);
    socket.off("close", this.#closed);
    socket.removeAllListeners("data"); // where the socket is read by that event, it was for this connection
    if (this.#isPaused) socket.resume();
    if (held !== undefined) socket.unshift(held);
    this.#other(socket);
  }

  /** As `node:http`: whoever has said all gets no answer any more. */
  readonly #ended = (): void => {
    this.#phase = "ending";
    this.#end();
  };

  readonly #closed = (): void => {
    this.#disarm();
    this.#phase = "ending";
    this.#held = undefined;
    this.#incoming = undefined;
    for (const exchange of this.#unanswered.splice(0)) exchange.close(false);
  };

  /** Has the timer go off at the deadline or before: it looks again then. */
  #arm(): void {
    const deadlineMs = this.#deadlineMs();
    if (deadlineMs >= this.#timerAtMs || deadlineMs === Number.POSITIVE_INFINITY) return;
    this.#disarm();
    this.#timerAtMs = deadlineMs;
    const { clock } = this.#context;
    const expire = () => {
      this.#timerAtMs = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      if (clock.monotonicMs() >= this.#deadlineMs()) this.#expire();
      else this.#arm();
    };
    this.#timer = clock.setTimer(expire, Math.max(0, Math.ceil(deadlineMs - clock.monotonicMs())));
  }

  #disarm(): void {
    if (this.#timer !== undefined) this.#context.clock.clearTimer(this.#timer);
    this.#timer = undefined;
    this.#timerAtMs = Number.POSITIVE_INFINITY;
  }

  #deadlineMs(): number {
    const { headMs, requestMs, idleMs, silentMs } = this.#context.limits;
    const never = Number.POSITIVE_INFINITY;
    if (this.isIdle) return idleMs > 0 ? this.#sinceMs + idleMs + idleGraceMs : never;
    const silent = silentMs > 0 ? this.#activeMs + silentMs : never;
    return Math.min(silent, this.#isComing ? this.#sinceMs + (this.#incoming ? requestMs : headMs) : never);
  }

  /** Whether the rest of a request is waited for. */
  get #isComing(): boolean {
    if (this.#phase !== "open" || this.#isPaused) return false;
    return this.#incoming !== undefined || this.#unanswered.length === 0;
  }

  #expire(): void {
    const { clock, limits } = this.#context;
    const isSilent = limits.silentMs > 0 && clock.monotonicMs() >= this.#activeMs + limits.silentMs;
    const isNext = this.#unanswered.every((each) => each === this.#incoming);
    if (isNext && !isSilent && !this.isIdle) this.#socket.write(timedOut);
    this.destroy();
  }
}

function ignore(): void {}
