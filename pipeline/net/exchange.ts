import type { IncomingHttpHeaders } from "node:http";
import type { Clock } from "../host.ts";

/** One request and the answer to it, whatever version of HTTP carries them. */
export interface Exchange {
  /** Of HTTP. */
  readonly version: "1.1" | "2";
  readonly method: string;
  /** The path with its query. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** All values of each header, names in lower case; `host` is always among them. */
  readonly allHeaders: ReadonlyMap<string, readonly string[]>;
  /** `host:port` of the other side; the empty string for a Unix socket. */
  readonly peer: string;
  /** Gives the body to `taker`. */
  takeBody(taker: BodyTaker): void;
  /** Whether an answer was given, or cannot be given any more. */
  readonly isOver: boolean;
  /**
   * Sends the answer. A body that is still coming is read and thrown away for a moment, so that its sender gets to read
   * the answer. `isLast` closes the connection behind it.
   */
  answer(
    status: number,
    headers: Readonly<Record<string, string>>,
    body: Buffer | undefined,
    options: AnswerOptions,
  ): void;
  /** Calls `run` once the exchange is over, and whether its answer was delivered. */
  onClose(run: (delivered: boolean) => void): void;
}

/** Takes the body of a request. */
export interface BodyTaker {
  /** Told how many bytes have come in all; false gives up what comes and has come. */
  arrived(bytes: number): boolean;
  /** The whole body, which is the taker's from now on. */
  complete(body: Buffer): void;
  /** The caller has gone away before the end. */
  gone(): void;
}

export interface AnswerOptions {
  readonly isLast: boolean;
  readonly clock: Clock;
}
