import type { HeaderFields } from "./hpack.ts";

/** Who hears what comes on a stream. */
export interface StreamEvents {
  /** An answer's head, or trailers. A request's head is what the stream was opened with. */
  headers(fields: HeaderFields, isLast: boolean): void;
  /** Bytes that are valid during the call only. */
  data(bytes: Buffer, start: number, end: number): void;
  /** The peer has sent all. */
  end(): void;
  /** The stream has ended before its time, by the peer or with the connection; nothing follows. */
  aborted(code: number): void;
}

/** What still has to go out on a stream and waits for a window. */
export interface Pending {
  readonly parts: readonly Buffer[];
  part: number;
  offset: number;
  /** Bytes in all. */
  left: number;
  /** Sent behind it: trailers that end the stream, or nothing and DATA ends it. */
  readonly trailers: Buffer | undefined;
}

/** One stream of a connection. Its state belongs to the connection. */
export class Stream {
  readonly id: number;
  readonly events: StreamEvents;
  /** Bytes of DATA that the peer may still send. */
  receiveWindow: number;
  /** Bytes of DATA that may still be sent. */
  sendWindow: number;
  isRemoteClosed = false;
  isLocalClosed = false;
  pending: Pending | undefined;
  /** Bytes of DATA that `content-length` announced and that have not come; undefined when nothing was announced. */
  announcedBytes: number | undefined;

  constructor(id: number, events: StreamEvents, receiveWindow: number, sendWindow: number) {
    this.id = id;
    this.events = events;
    this.receiveWindow = receiveWindow;
    this.sendWindow = sendWindow;
  }
}
