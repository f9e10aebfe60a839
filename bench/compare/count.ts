import type { Signal } from "./payloads.ts";

/** The field numbers that lead from a request to its items, one set for each level. */
const paths: Readonly<Record<Signal, readonly (readonly number[])[]>> = {
  traces: [[1], [2], [2]],
  logs: [[1], [2], [2]],
  // Metric: gauge, sum, histogram, exponential_histogram, summary.
  metrics: [[1], [2], [2], [5, 7, 9, 10, 11], [1]],
};

/** How many spans, log records or data points an OTLP request holds. */
export function countItems(signal: Signal, request: Uint8Array): number {
  return count(request, 0, request.length, paths[signal], 0);
}

function count(bytes: Uint8Array, start: number, end: number, path: readonly (readonly number[])[], level: number) {
  const wanted = path[level] ?? [];
  const last = level === path.length - 1;
  let found = 0;
  let at = start;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++] ?? 0;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < end) {
    const tag = varint();
    const wire = tag & 7;
    if (wire === 0) varint();
    else if (wire === 1) at += 8;
    else if (wire === 5) at += 4;
    else if (wire === 2) {
      const length = varint();
      if (wanted.includes(tag >>> 3)) found += last ? 1 : count(bytes, at, at + length, path, level + 1);
      at += length;
    } else throw new Error(`wire type ${wire} in what the daemon sent`);
  }
  return found;
}
