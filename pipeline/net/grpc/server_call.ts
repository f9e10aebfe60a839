import type { ClientInfo } from "../../delivery.ts";
import type { EncodedBody } from "../../pdata/index.ts";
import { askAuthenticator, refusalOf, type ServerAuthenticator } from "../auth.ts";
import { grpcEncodingOf } from "../compression.ts";
import { inflate } from "../http_body.ts";
import type { Http2Connection } from "../http2/connection.ts";
import { ErrorCode } from "../http2/errors.ts";
import { headerIn } from "../http2/fields.ts";
import type { Stream, StreamEvents } from "../http2/stream.ts";
import { valuesIn } from "../raw_headers.ts";
import { watchRpcServer } from "../request_watch.ts";
import { Reservation } from "../reservation.ts";
import { type RpcStatus, rpcCode } from "../status.ts";
import type { Problem, RequestHandler, RpcAnswer, ServerSurroundings, TransportRequest } from "../transport.ts";
import { MessageReader } from "./message.ts";
import {
  answerHead,
  compressionStatus,
  httpStatusOnly,
  messagePrefix,
  okAnswer,
  okAnswerIdPlaces,
  okTrailers,
  prefixBytes,
  trailersOnly,
} from "./wire.ts";

/** What is the same for all calls of a server. */
export interface CallContext {
  readonly surroundings: ServerSurroundings;
  readonly handler: RequestHandler<RpcAnswer>;
  readonly authenticator: ServerAuthenticator | undefined;
  readonly maxBytes: number;
  readonly address: string;
}

/** What a call's header fields say; calls with the same fields share it. */
export interface CallHead {
  readonly path: string;
  readonly headers: readonly string[];
  readonly encoding: string;
  /** Milliseconds until the caller gives up; infinite without a deadline. */
  readonly timeoutMs: number;
  readonly client: ClientInfo;
  /** What such calls are answered, when that is known from the head alone. */
  readonly refusal: RpcStatus | undefined;
}

/** A message that is not complete after this time ends its call. */
const messageTimeoutMs = 300_000;

/** One call: what it reads, whom it asks, and the one answer it gives. */
export class ServerCall implements StreamEvents, TransportRequest {
  readonly method = "POST";
  client: ClientInfo;
  encoded: EncodedBody | undefined;
  body: Buffer = noBytes;
  /** When it has to be looked at, by the clock that never goes back: its deadline, or that of its message. */
  readonly dueMs: number;
  readonly #head: CallHead;
  readonly #context: CallContext;
  readonly #connection: Http2Connection;
  readonly #reservation: Reservation;
  readonly #message = new MessageReader();
  readonly #deadlineMs: number;
  #stream: Stream | undefined;
  #isAuthenticated = true;
  #isRead = false;
  #isAnswered = false;
  #aborter: AbortController | undefined;
  #isAborted = false;
  #watched: ReturnType<typeof watchRpcServer>;

  constructor(head: CallHead, context: CallContext, connection: Http2Connection, nowMs: number) {
    this.#head = head;
    this.#context = context;
    this.#connection = connection;
    this.#reservation = new Reservation(context.surroundings.budget);
    this.client = head.client;
    this.#deadlineMs = nowMs + head.timeoutMs;
    this.dueMs = Math.min(this.#deadlineMs, nowMs + messageTimeoutMs);
  }

  get path(): string {
    return this.#head.path;
  }

  header(name: string): string | undefined {
    return headerIn(this.#head.headers, name);
  }

  get signal(): AbortSignal {
    if (this.#aborter === undefined) {
      this.#aborter = new AbortController();
      if (this.#isAborted) this.#aborter.abort();
    }
    return this.#aborter.signal;
  }

  /** Whether an answer was given or nobody waits for one. */
  get isOver(): boolean {
    return this.#isAnswered || this.#isAborted;
  }

  /** Judges the call by its head, before any of its message is kept. */
  begin(stream: Stream): void {
    this.#stream = stream;
    const { handler, authenticator } = this.#context;
    const { refusal } = this.#head;
    const judged = handler.judge(this);
    if (judged !== undefined) this.answer(judged);
    else if (refusal !== undefined) this.#end(refusal);
    else if (authenticator !== undefined) this.#authenticate(authenticator);
  }

  #authenticate(authenticator: ServerAuthenticator): void {
    this.#isAuthenticated = false;
    const source = { values: (name: string) => valuesIn(this.#head.headers, name.toLowerCase()) };
    askAuthenticator(authenticator, source, (verdict) => {
      if (this.isOver) return;
      if (!verdict.accepted) {
        this.#refuse(refusalOf(verdict));
        return;
      }
      if (verdict.auth !== undefined) this.client = { ...this.client, auth: verdict.auth };
      this.#isAuthenticated = true;
      if (this.#isRead) this.#open();
    });
  }

  headers(): void {} // trailers of a request mean nothing

  data(bytes: Buffer, start: number, end: number): void {
    if (this.isOver) return;
    const message = this.#message;
    let at = start;
    if (message.length < 0) {
      at = message.takePrefix(bytes, start, end);
      if (message.length < 0) return;
      if (!this.#admit()) return;
    }
    if (at === end) return;
    message.take(bytes, at, end);
    if (message.isExceeded) this.#refuseMessage("more than one message");
    else if (!this.#reservation.arrived(message.read)) this.#refuseBusy();
  }

  /** Judges the length that a message announces, before the rest of it comes. */
  #admit(): boolean {
    const { length, isValid } = this.#message;
    const { maxBytes } = this.#context;
    if (!isValid) this.#end({ code: rpcCode.internal, message: "a message whose compressed flag is neither 0 nor 1" });
    else if (length > maxBytes) {
      this.#refuse({ kind: "too_large", message: `Received message larger than max (${length} vs ${maxBytes})` });
    } else if (!this.#reservation.fits(length)) this.#refuseBusy();
    if (this.isOver) return false;
    const stream = this.#stream;
    const missing = length + prefixBytes;
    if (stream !== undefined && missing > stream.receiveWindow) {
      this.#connection.grant(stream, missing - stream.receiveWindow);
    }
    return true;
  }

  end(): void {
    if (this.isOver) return;
    if (this.#message.isEmpty) {
      this.#refuseMessage("no message");
      return;
    }
    if (!this.#message.isComplete) {
      this.#end({ code: rpcCode.internal, message: "a message that is cut short" });
      return;
    }
    this.#isRead = true;
    if (this.#isAuthenticated) this.#open();
  }

  #open(): void {
    const { surroundings, maxBytes, address, handler } = this.#context;
    this.#watched = watchRpcServer(surroundings, this, address);
    if (this.#watched?.span !== undefined) this.client = { ...this.client, trace: this.#watched.span };
    if (!this.#message.isCompressed) {
      this.#give(this.#message.body);
      return;
    }
    const encoding = grpcEncodingOf(this.#head.encoding);
    if (encoding === undefined || encoding === "identity") {
      const status = compressionStatus(this.#head.encoding);
      handler.reject(this, { kind: "unsupported_encoding", message: status.message });
      this.#end(status);
      return;
    }
    inflate(encoding, this.#message.body, maxBytes, this.#reservation, {
      failed: (problem) => this.isOver || this.#refuse(problem),
      complete: (body, encoded) => this.isOver || this.#give(body, encoded),
    });
  }

  #give(body: Buffer, encoded?: EncodedBody): void {
    this.body = body;
    this.encoded = encoded;
    this.#reservation.release();
    this.#context.handler.handle(this, this.#take);
  }

  readonly #take = (answer: RpcAnswer): void => this.answer(answer);

  #refuseBusy(): void {
    this.#refuse({ kind: "busy", message: "memory for requests is used up" });
  }

  #refuseMessage(what: string): void {
    this.#end({ code: rpcCode.unimplemented, message: `a unary call has one message, this one has ${what}` });
  }

  /** Answers for a reason of the transport. */
  #refuse(problem: Problem): void {
    this.answer(this.#context.handler.reject(this, problem));
  }

  #end(status: RpcStatus): void {
    this.answer({ status });
  }

  /** Gives the answer; those after the first are ignored. */
  answer(answer: RpcAnswer): void {
    if (this.#isAnswered) return;
    this.#isAnswered = true;
    this.#reservation.release();
    this.#watched?.end(answer.status);
    const stream = this.#stream;
    if (stream === undefined || this.#isAborted) return;
    const connection = this.#connection;
    if (answer.status !== undefined) connection.headers(stream, trailersOnly(answer.status), true);
    else this.#sendBody(stream, answer.body);
    if (!stream.isRemoteClosed) connection.reset(stream, ErrorCode.none);
  }

  #sendBody(stream: Stream, body: Buffer): void {
    const connection = this.#connection;
    if (body.length === 0 && connection.sendMade(stream, okAnswer, okAnswerIdPlaces, prefixBytes)) return;
    connection.headers(stream, answerHead, false);
    connection.send(stream, [messagePrefix(body.length, false), body], okTrailers);
  }

  /** Answers what is no gRPC as HTTP does. */
  answerHttp(stream: Stream, status: number): void {
    this.#isAnswered = true;
    this.#connection.headers(stream, httpStatusOnly(status), true);
    if (!stream.isRemoteClosed) this.#connection.reset(stream, ErrorCode.none);
  }

  /** What has to happen at `dueMs`. */
  expire(nowMs: number): void {
    if (this.#isAborted) return;
    if (this.#isAnswered) {
      // Its client opens no window for the answer.
      if (this.#stream !== undefined) this.#connection.reset(this.#stream, ErrorCode.cancel);
    } else if (nowMs >= this.#deadlineMs) {
      this.#end({ code: rpcCode.deadlineExceeded, message: "the deadline has passed" });
      this.#abort();
    } else if (!this.#isRead && this.#stream !== undefined) {
      this.#connection.reset(this.#stream, ErrorCode.cancel);
      this.aborted();
    }
  }

  aborted(): void {
    this.#reservation.release();
    if (!this.isOver) this.#watched?.end({ code: rpcCode.cancelled, message: "the caller has gone" });
    this.#abort();
  }

  #abort(): void {
    this.#isAborted = true;
    this.#aborter?.abort();
  }
}

const noBytes = Buffer.alloc(0);
