import type { Http2Error } from "./errors.ts";
import type { RequestFields } from "./fields.ts";
import type { Stream, StreamEvents } from "./stream.ts";

export interface Http2Options {
  readonly role: "server" | "client";
  readonly maxConcurrentStreams: number;
  /** DATA that the peer may send on a stream before it is granted more. */
  readonly streamWindowBytes: number;
  readonly maxFrameBytes: number;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs: () => number;
}

/** What the owner of a connection hears. */
export interface ConnectionEvents {
  /** A request's head has come. A server's only. Undefined refuses it: it may be repeated. */
  open(id: number, request: RequestFields): StreamEvents | undefined;
  /** A stream that `open` took is there: what is answered goes to it. */
  opened(stream: Stream): void;
  /** A stream is over. */
  closed(stream: Stream): void;
  /** The peer's settings have come, for the first time or again. */
  settings(): void;
  ping(): void;
  pong(): void;
  goaway(lastStreamId: number, code: number, text: string): void;
  /** The connection cannot go on; what was sent about it leaves, then it should be closed. */
  failed(error: Http2Error): void;
}
