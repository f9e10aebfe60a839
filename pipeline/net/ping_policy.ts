import type { ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import type { Clock } from "../host.ts";
import { ErrorCode } from "./http2/errors.ts";

/** The block `enforcement_policy`: how often clients may ping. */
export interface PingPolicy {
  /** Least time between pings in milliseconds; 0 means five minutes. */
  readonly min_time: number;
  readonly permit_without_stream: boolean;
}

export const standardPingPolicy: PingPolicy = { min_time: 0, permit_without_stream: false };

/** What a client is told that pings too often: it then pings less. */
export const tooManyPings = "too_many_pings";

/** Pings over the limit that are let pass. */
const mostStrikes = 2;
const standardMinTimeMs = 5 * 60_000;
/** Least time between pings of a client without calls that must not ping then. */
const idleMinTimeMs = 2 * 3_600_000;

/**
 * Counts pings that come too soon. An answer forgives all pings before it.
 * @see gRPC A8, server-side keepalive. Go: `handlePing` of `internal/transport/http2_server.go`.
 */
export class PingStrikes {
  readonly #policy: PingPolicy;
  readonly #clock: Clock;
  #strikes = 0;
  #isForgiven = false;
  #lastPingMs = Number.NEGATIVE_INFINITY;

  constructor(policy: PingPolicy, clock: Clock) {
    this.#policy = policy;
    this.#clock = clock;
  }

  forgive(): void {
    this.#isForgiven = true;
  }

  /** Whether the ping that has just come is one too many. */
  isTooMany(openStreams: number): boolean {
    const nowMs = this.#clock.monotonicMs();
    const sinceMs = nowMs - this.#lastPingMs;
    this.#lastPingMs = nowMs;
    if (this.#isForgiven) {
      this.#isForgiven = false;
      this.#strikes = 0;
      return false;
    }
    const { min_time, permit_without_stream } = this.#policy;
    const leastMs = openStreams === 0 && !permit_without_stream ? idleMinTimeMs : min_time || standardMinTimeMs;
    if (sinceMs < leastMs) this.#strikes++;
    return this.#strikes > mostStrikes;
  }
}

/** Ends the connection of a client that pings too often, with ENHANCE_YOUR_CALM. `ended` hears of it. */
export function limitPings(session: ServerHttp2Session, policy: PingPolicy, clock: Clock, ended: () => void): void {
  const strikes = new PingStrikes(policy, clock);
  let openStreams = 0;
  session.on("stream", (stream: ServerHttp2Stream) => {
    openStreams++;
    stream.once("close", () => {
      openStreams--;
      strikes.forgive();
    });
  });
  session.on("ping", () => {
    if (!strikes.isTooMany(openStreams) || session.destroyed || session.closed) return;
    session.goaway(ErrorCode.enhanceYourCalm, undefined, Buffer.from(tooManyPings));
    session.close();
    // What is written in this turn leaves in the next.
    setImmediate(() => setImmediate(() => session.destroy()));
    ended();
  });
}
