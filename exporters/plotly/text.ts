const narrowSpace = "\u202f";

/** Longest text from telemetry in a figure, in characters. */
const longestText = 80;

/**
 * Text from telemetry, safe for a Plotly name, tick or hover text: Plotly reads a small HTML there, so its signs become
 * entities; control and direction characters show as escapes; what is too long is cut in the middle.
 */
export function escapeText(text: string): string {
  return cutMiddle(text, longestText)
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, (sign) => `\\u{${(sign.codePointAt(0) ?? 0).toString(16)}}`);
}

function cutMiddle(text: string, longest: number): string {
  const signs = text.length > longest ? [...text.slice(0, longest), ...text.slice(-longest)] : [...text];
  if (text.length <= longest || signs.length <= longest) return text;
  const head = Math.ceil((longest - 1) / 2);
  return `${signs.slice(0, head).join("")}…${signs.slice(head + 1 - longest).join("")}`;
}

/** A count: exact to 999 999 with thousands apart, then three or four digits and M, G. */
export function countText(count: number): string {
  if (count < 1000) return String(Math.round(count));
  if (count >= 1e9) return `${digits(count / 1e9)}${narrowSpace}G`;
  if (count >= 1e6) return `${digits(count / 1e6)}${narrowSpace}M`;
  return groupThousands(String(Math.round(count)));
}

/** A tick of a count axis: 20 k, 7.5 M. */
export function tickText(count: number): string {
  for (const [size, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ] as const) {
    if (count >= size) return `${trimZeros(count / size)}${narrowSpace}${unit}`;
  }
  return trimZeros(count);
}

/** A rate per second: exact to 9 999, then three digits and k, M. */
export function rateText(rate: number): string {
  if (rate >= 1e6) return `${digits(rate / 1e6)}${narrowSpace}M/s`;
  if (rate >= 1e4) return `${digits(rate / 1e3)}${narrowSpace}k/s`;
  const text = rate >= 100 ? groupThousands(String(Math.round(rate))) : String(Number(rate.toPrecision(3)));
  return `${text}${narrowSpace}/s`;
}

/** A time span in the largest unit that keeps it readable: 0.3 µs, 312 ms, 4.19 s, 41.8 s, 3 min 10 s. */
export function durationText(milliseconds: number): string {
  if (milliseconds < 1) return `${trimZeros(Number((milliseconds * 1000).toPrecision(3)))}${narrowSpace}µs`;
  if (milliseconds < 999.5) return `${Math.round(milliseconds)}${narrowSpace}ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 9.995) return `${seconds.toFixed(2)}${narrowSpace}s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)}${narrowSpace}s`;
  const whole = Math.round(seconds);
  return `${groupThousands(String(Math.floor(whole / 60)))}${narrowSpace}min ${whole % 60}${narrowSpace}s`;
}

/** A tick of a latency axis: 100 ms, 1 s, 10 min. */
export function durationTickText(milliseconds: number): string {
  if (milliseconds < 1) return `${trimZeros(milliseconds * 1000)}${narrowSpace}µs`;
  if (milliseconds < 1000) return `${trimZeros(milliseconds)}${narrowSpace}ms`;
  return `${groupThousands(trimZeros(milliseconds / 1000))}${narrowSpace}s`;
}

function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function trimZeros(value: number): string {
  return String(Number(value.toPrecision(6)));
}

function groupThousands(whole: string): string {
  const parts: string[] = [];
  let rest = whole;
  for (; rest.length > 3; rest = rest.slice(0, -3)) parts.unshift(rest.slice(-3));
  return parts.length === 0 ? whole : [rest, ...parts].join(narrowSpace);
}
