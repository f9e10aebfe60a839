/** Bins of a latency histogram are equal in the logarithm: 320 a decade, each 0.72 % wide, from 1 µs to 27 hours. */
export const binsPerDecade = 320;
const lowestDecade = -3;
const decades = 11;
export const binCount = binsPerDecade * decades;

/** The bin of a duration; what lies outside the range goes to the first or last bin. */
export function latencyBin(milliseconds: number): number {
  if (!(milliseconds > 0)) return 0;
  const bin = Math.floor((Math.log10(milliseconds) - lowestDecade) * binsPerDecade);
  return Math.min(binCount - 1, Math.max(0, bin));
}

/** The decimal logarithm of the milliseconds where a bin begins. */
export function binStart(bin: number): number {
  return bin / binsPerDecade + lowestDecade;
}

/** The quantile `q` of a histogram of `total` durations, interpolated within its bin: at most 0.72 % off. */
export function binnedQuantile(bins: Uint32Array, total: number, q: number): number {
  const place = (total - 1) * q;
  let below = 0;
  for (let bin = 0; bin < bins.length; bin++) {
    const count = bins[bin]!;
    if (below + count > place) return 10 ** binStart(bin + (place - below + 0.5) / count);
    below += count;
  }
  return 10 ** binStart(bins.length);
}
