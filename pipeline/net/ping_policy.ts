import { constants, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Clock } from "../host.ts";

/** The block `enforcement_policy`: how often clients may ping. */
export interface PingPolicy {
  /** Least time between pings in milliseconds; 0 means five minutes. */
  readonly min_time: number;
  readonly permit_without_stream: boolean;
}

/** Pings over the limit that are let pass. */
const mostStrikes = 2;
const standardMinTimeMs = 5 * 60_000;
/** Least time between pings of a client without calls that must not ping then. */
const idleMinTimeMs = 2 * 3_600_000;

/**
 * Ends the connection of a client that pings too often, with ENHANCE_YOUR_CALM and `too_many_pings`, which tells gRPC
 * clients to ping less. `ended` hears of it. An answer forgives all pings before it.
 * @see gRPC A8, server-side keepalive. Go: `handlePing` of `internal/transport/http2_server.go`.
 */
export function limitPings(session: ServerHttp2Session, policy: PingPolicy, clock: Clock, ended: () => void): void {
  const minTimeMs = policy.min_time || standardMinTimeMs;
  let openStreams = 0;
  let strikes = 0;
  let isForgiven = false;
  let lastPingMs = Number.NEGATIVE_INFINITY;
  session.on("stream", (stream: ServerHttp2Stream) => {
    openStreams++;
    stream.once("close", () => {
      openStreams--;
      isForgiven = true;
    });
  });
  session.on("ping", () => {
    const nowMs = clock.monotonicMs();
    const sinceMs = nowMs - lastPingMs;
    lastPingMs = nowMs;
    if (isForgiven) {
      isForgiven = false;
      strikes = 0;
      return;
    }
    if (sinceMs < (openStreams === 0 && !policy.permit_without_stream ? idleMinTimeMs : minTimeMs)) strikes++;
    if (strikes <= mostStrikes || session.destroyed || session.closed) return;
    session.goaway(constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from("too_many_pings"));
    session.close();
    // What is written in this turn leaves in the next.
    setImmediate(() => setImmediate(() => session.destroy()));
    ended();
  });
}
