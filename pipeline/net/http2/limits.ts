import { Allowance } from "./allowance.ts";
import { ErrorCode, Http2Error } from "./errors.ts";
import type { Outbox } from "./outbox.ts";

/** Frames that serve no request, in a row and per second; streams that end before their time, likewise. */
const idleFrames = { most: 10_000, perSecond: 100 };
const resets = { most: 1000, perSecond: 33 };

/** What an answer is worth in frames that serve no request: clients send pings and windows beside their requests. */
const framesPerAnswer = 20;

/** A client that does not read what it is sent is cut off when that much waits for it. */
const maxUnsentBytes = 1024 * 1024;

/** Keeps a peer from making work that serves nobody. Each throws an `Http2Error` when it is too much. */
export class PeerLimits {
  readonly #idleFrames: Allowance;
  readonly #resets: Allowance;
  readonly #out: Outbox;
  readonly #mustRead: boolean;

  /** `mustRead` for clients of ours, whose answers are small; to a server large requests may wait. */
  constructor(out: Outbox, mustRead: boolean, nowMs: () => number) {
    this.#out = out;
    this.#mustRead = mustRead;
    this.#idleFrames = new Allowance(idleFrames.most, idleFrames.perSecond, nowMs);
    this.#resets = new Allowance(resets.most, resets.perSecond, nowMs);
  }

  /** A frame has come that serves no request. */
  idleFrame(): void {
    if (!this.#idleFrames.take()) throw tooMany("frames that serve no request");
  }

  /** A frame with padding has come, which was granted again. */
  padded(): void {
    this.idleFrame();
    this.wrote();
  }

  /** A stream has ended before its time, by the peer or for what it did. */
  reset(): void {
    if (!this.#resets.take()) throw tooMany("streams that were reset");
  }

  /** A request has come in whole. */
  served(): void {
    this.#idleFrames.give(framesPerAnswer);
  }

  /** Something was written because of the peer. */
  wrote(): void {
    if (this.#mustRead && this.#out.unsentBytes > maxUnsentBytes) throw tooMany("answers that are not read");
  }
}

function tooMany(what: string): Http2Error {
  return new Http2Error(ErrorCode.enhanceYourCalm, `too many ${what}`);
}
