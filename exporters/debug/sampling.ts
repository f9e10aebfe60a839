import type { Clock } from "../../pipeline/host.ts";

const windowMs = 1000;
const counters = 4096;

/**
 * Lets through the first `initial` messages of a text in a second, then every `thereafter`th; 0 lets through no more.
 * Texts share a fixed number of counters by their hash, as in the Collector's logger, so memory is bounded.
 */
export function messageSampler(clock: Clock, initial: number, thereafter: number): (message: string) => boolean {
  if (thereafter === 1) return () => true;
  const counts = new Uint32Array(counters);
  const untilMs = new Float64Array(counters);
  return (message) => {
    const slot = hash(message) % counters;
    const nowMs = clock.monotonicMs();
    if (nowMs >= untilMs[slot]!) {
      untilMs[slot] = nowMs + windowMs;
      counts[slot] = 0;
    }
    const count = (counts[slot]! += 1);
    if (count <= initial) return true;
    return thereafter > 0 && (count - initial) % thereafter === 0;
  };
}

/** FNV-1a over the text. */
function hash(text: string): number {
  let state = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) state = Math.imul(state ^ text.charCodeAt(at), 0x01000193);
  return state >>> 0;
}
