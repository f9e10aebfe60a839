/**
 * Numbers as people read them, on the dashboard's page and in figures: digits that do not jump, thousands apart, a unit
 * that never leaves its number.
 */

/** Narrow no-break space: between thousands. */
const thin = "\u202f";

/** No-break space: between a number and its unit. */
export const gap = "\u00a0";

/** A count: exact to 999 999, spaced by thousands; then three or four digits and k, M, G. */
export function count(value: number): string {
  if (Math.abs(value) < 1e6) return spaced(Math.round(value));
  return scaled(value);
}

/** Items per second without its unit: exact to 9 999, then three digits and k, M. Under 10, one decimal where it says more. */
export function rate(value: number): string {
  if (value > 0 && value < 0.1) return "under 0.1";
  if (value < 10 && Math.abs(value - Math.round(value)) >= 0.05) return value.toFixed(1);
  if (value < 9_999.5) return spaced(Math.round(value));
  return scaled(value);
}

/** An axis tick: `10 k`, `2.5 M`, `400`. */
export function short(value: number): string {
  const size = Math.abs(value);
  if (size < 1000) return trimmed(value.toPrecision(3));
  const [divisor, unit] = scaleOf(size);
  return `${trimmed((value / divisor).toPrecision(3))}${gap}${unit}`;
}

/** Bytes by powers of 1 024, as memory limits are written in YAML. */
export function memory(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${gap}${units[unit]}`;
}

/** Bytes by powers of 1 000, as traffic is counted. */
export function traffic(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)}${gap}B`;
  const units = ["kB", "MB", "GB", "TB"];
  let value = bytes / 1000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value >= 99.95 ? Math.round(value) : value.toFixed(1)}${gap}${units[unit]}`;
}

/** A span of time given in milliseconds, from `0.3 µs` to `2 h 5 min`. */
export function timeSpan(milliseconds: number): string {
  if (milliseconds === 0) return `0${gap}ms`;
  if (milliseconds < 0.9995) {
    const microseconds = milliseconds * 1000;
    return `${microseconds < 9.95 ? trimmed(microseconds.toFixed(1)) : Math.round(microseconds)}${gap}µs`;
  }
  if (milliseconds < 9.95) return `${trimmed(milliseconds.toFixed(1))}${gap}ms`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)}${gap}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)}${gap}s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)}${gap}s`;
  return age(milliseconds);
}

/** A tick of a time axis given in milliseconds, exact: `3 µs`, `100 ms`, `30 s`, `1 000 s`. */
export function timeTick(milliseconds: number): string {
  if (milliseconds < 1) return `${trimmed((milliseconds * 1000).toPrecision(3))}${gap}µs`;
  if (milliseconds < 1000) return `${trimmed(milliseconds.toPrecision(3))}${gap}ms`;
  return `${spaced(milliseconds / 1000)}${gap}s`;
}

/** A rough span of time in words for sentences: `12 s`, `3 min 10 s`, `2 h 5 min`, `3 d 4 h`. */
export function age(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds}${gap}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 10) return joined(minutes, "min", seconds % 60, "s");
  if (minutes < 60) return `${minutes}${gap}min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return joined(hours, "h", minutes % 60, "min");
  return joined(Math.floor(hours / 24), "d", hours % 24, "h");
}

/** A share given in 0..1: never `0 %` for some, never `100 %` for not all. */
export function share(fraction: number): string {
  const percent = fraction * 100;
  if (percent <= 0) return `0${gap}%`;
  if (percent < 0.1) return `under 0.1${gap}%`;
  if (percent >= 100) return `100${gap}%`;
  if (percent > 99) return `${Math.min(99.9, Number(percent.toFixed(1)))}${gap}%`;
  return `${percent < 9.95 ? trimmed(percent.toFixed(1)) : Math.round(percent)}${gap}%`;
}

/** `02:14:37` in UTC. */
export function clock(unixMs: number): string {
  return new Date(unixMs).toISOString().slice(11, 19);
}

/** An id of 16 or 32 hex digits as `4bf92f35…0e4736`; a short one whole. */
export function shortId(id: string): string {
  return id.length <= 16 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`;
}

function spaced(integer: number): string {
  return String(integer).replace(/\B(?=(\d{3})+$)/g, thin);
}

function scaled(value: number): string {
  const [divisor, unit] = scaleOf(Math.abs(value));
  return `${(value / divisor).toPrecision(3)}${gap}${unit}`;
}

/** The unit for `size`, one higher where three digits would round up to a thousand. */
function scaleOf(size: number): [number, string] {
  if (size >= 999.5e6) return [1e9, "G"];
  if (size >= 999.5e3) return [1e6, "M"];
  return [1e3, "k"];
}

function trimmed(number: string): string {
  return number.includes(".") ? number.replace(/\.?0+$/, "") : number;
}

function joined(first: number, firstUnit: string, second: number, secondUnit: string): string {
  const head = `${first}${gap}${firstUnit}`;
  return second === 0 ? head : `${head}${gap}${second}${gap}${secondUnit}`;
}
