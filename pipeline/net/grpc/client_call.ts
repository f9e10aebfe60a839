import { messageOf } from "../../error_text.ts";
import { decompress, grpcEncodingOf } from "../compression.ts";
import { connectionLost, ErrorCode } from "../http2/errors.ts";
import { headerIn, MalformedError, responseStatusOf } from "../http2/fields.ts";
import type { HeaderFields } from "../http2/hpack.ts";
import type { StreamEvents } from "../http2/stream.ts";
import { decodeStatus, type RpcStatus, rpcCode } from "../status.ts";
import type { RpcReply } from "../transport.ts";
import type { Due } from "./deadlines.ts";
import { MessageReader } from "./message.ts";
import { percentDecoded } from "./wire.ts";

/** An answer larger than this is refused. */
export const maxAnswerBytes = 4 * 1024 * 1024;

/** How often a call that a server has not looked at is sent again at once. */
const maxRepeats = 3;

/** What a call needs of those that carry it. */
export interface CallOwner {
  /** Sends it on another connection: the server has not looked at it. */
  repeat(call: ClientCall): void;
  /** It is over. */
  done(call: ClientCall): void;
}

/** One call of a client, from its request to the one answer that `finish` gets. */
export class ClientCall implements StreamEvents, Due {
  /** Its request: header fields, and a message behind its prefix. */
  readonly block: Buffer;
  readonly parts: readonly Buffer[];
  readonly dueMs: number;
  readonly #owner: CallOwner;
  readonly #finish: (reply: RpcReply) => void;
  /** Takes it off the connection that carries it; undefined while none does. */
  cancel: (() => void) | undefined;
  #message = new MessageReader();
  #encoding = "identity";
  #isHeadRead = false;
  #trailers: readonly string[] | undefined;
  #repeats = 0;
  #isOver = false;

  constructor(
    block: Buffer,
    parts: readonly Buffer[],
    dueMs: number,
    owner: CallOwner,
    finish: (reply: RpcReply) => void,
  ) {
    this.block = block;
    this.parts = parts;
    this.dueMs = dueMs;
    this.#owner = owner;
    this.#finish = finish;
  }

  headers(fields: HeaderFields, isLast: boolean): void {
    if (this.#isOver) return;
    if (this.#isHeadRead) {
      this.#trailers = fields.list;
      if (!isLast) this.#failStream(rpcCode.internal, "the answer has trailers that are not its end");
      return;
    }
    const status = responseStatusOf(fields);
    if (status instanceof MalformedError) {
      this.#failStream(rpcCode.internal, `a malformed answer: ${status.message}`);
      return;
    }
    if (status >= 100 && status < 200 && !isLast) return; // not yet the answer
    this.#isHeadRead = true;
    if (isLast) this.#trailers = fields.list;
    // What is no gRPC, such as a proxy's page of HTML, is not read.
    const type = headerIn(fields.list, "content-type");
    if (status !== 200 || (!isLast && type?.startsWith("application/grpc") !== true)) {
      if (isLast && headerIn(fields.list, "grpc-status") !== undefined) return;
      this.#failStream(codeOfHttp(status), httpProblem(status, type));
      return;
    }
    this.#encoding = headerIn(fields.list, "grpc-encoding") ?? "identity";
  }

  data(bytes: Buffer, start: number, end: number): void {
    if (this.#isOver) return;
    const message = this.#message;
    const at = message.length < 0 ? message.takePrefix(bytes, start, end) : start;
    if (message.length < 0) return;
    if (message.length > maxAnswerBytes) {
      const sizes = `(${message.length} vs. ${maxAnswerBytes})`;
      this.#failStream(rpcCode.resourceExhausted, `received message larger than max ${sizes}`);
      return;
    }
    message.take(bytes, at, end);
    if (message.isExceeded) this.#failStream(rpcCode.internal, "an answer with more than one message");
  }

  end(): void {
    if (this.#isOver) return;
    const trailers = this.#trailers;
    const code = trailers === undefined ? undefined : headerIn(trailers, "grpc-status");
    if (trailers === undefined || code === undefined || !/^\d{1,3}$/.test(code)) {
      this.fail(rpcCode.internal, "the answer ended without a grpc-status");
      return;
    }
    if (code !== "0") {
      this.#settle({ status: statusIn(trailers, Number(code)), body: noBytes });
      return;
    }
    const message = this.#message;
    if (!message.isEmpty && !message.isComplete) {
      this.fail(rpcCode.internal, "the answer is cut short");
      return;
    }
    if (message.isCompressed && !message.isEmpty) void this.#decompress(message.body);
    else this.#settle({ status: undefined, body: message.body });
  }

  async #decompress(body: Buffer): Promise<void> {
    const encoding = grpcEncodingOf(this.#encoding);
    if (encoding === undefined || encoding === "identity") {
      this.fail(rpcCode.internal, `cannot read the answer: an answer in ${this.#encoding}`);
      return;
    }
    try {
      const inflated = await decompress(encoding, body, { maxBytes: maxAnswerBytes, reserve: () => true });
      this.#settle({ status: undefined, body: inflated });
    } catch (error) {
      this.fail(rpcCode.internal, `cannot read the answer: ${messageOf(error)}`);
    }
  }

  aborted(code: number): void {
    this.cancel = undefined;
    if (this.#isOver) return;
    if (code === ErrorCode.refusedStream && this.#repeats < maxRepeats) {
      this.#repeats += 1;
      this.#message = new MessageReader();
      this.#isHeadRead = false;
      this.#owner.repeat(this);
      return;
    }
    if (code === connectionLost) this.fail(rpcCode.unavailable, "the connection was lost");
    else this.fail(codeOfReset(code), `the server reset the stream with code ${code}`);
  }

  /** Its deadline has passed. */
  expire(): void {
    this.#failStream(rpcCode.deadlineExceeded, "context deadline exceeded");
  }

  abort(): void {
    this.#failStream(rpcCode.cancelled, "context canceled");
  }

  #failStream(code: number, message: string): void {
    if (this.#isOver) return;
    this.fail(code, message);
    this.cancel?.();
    this.cancel = undefined;
  }

  fail(code: number, message: string): void {
    this.#settle({ status: { code, message }, body: noBytes });
  }

  #settle(reply: RpcReply): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.done(this);
    this.#finish(reply);
  }
}

const noBytes = Buffer.alloc(0);

function statusIn(trailers: readonly string[], code: number): RpcStatus {
  const message = percentDecoded(headerIn(trailers, "grpc-message") ?? "");
  const details = headerIn(trailers, "grpc-status-details-bin");
  const delay = details === undefined ? undefined : decodeStatus(Buffer.from(details, "base64"))?.retryDelayMs;
  return { code, message, ...(delay !== undefined && { retryDelayMs: delay }) };
}

/** @see gRPC, http-grpc-status-mapping.md */
function codeOfHttp(status: number): number {
  switch (status) {
    case 400:
      return rpcCode.internal;
    case 401:
      return rpcCode.unauthenticated;
    case 403:
      return rpcCode.permissionDenied;
    case 404:
      return rpcCode.unimplemented;
    case 429:
    case 502:
    case 503:
    case 504:
      return rpcCode.unavailable;
    default:
      return rpcCode.unknown;
  }
}

function httpProblem(status: number, type: string | undefined): string {
  if (status !== 200) return `unexpected HTTP status code received from server: ${status}`;
  return `unexpected content-type ${JSON.stringify(type ?? "")} received from server`;
}

/** @see gRPC over HTTP2, "Errors" */
function codeOfReset(code: number): number {
  if (code === ErrorCode.refusedStream) return rpcCode.unavailable;
  if (code === ErrorCode.cancel) return rpcCode.cancelled;
  return code === ErrorCode.enhanceYourCalm ? rpcCode.resourceExhausted : rpcCode.internal;
}
