const unitNs: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };

/**
 * The milliseconds of a Go duration string (`1h2m3.5s`, `200ms`, `0`), or undefined when `text` is not one.
 * @see Go `time.ParseDuration`.
 */
export function parseDuration(text: string): number | undefined {
  if (text === "0" || text === "+0" || text === "-0") return 0;
  const sign = text.startsWith("-") ? -1 : 1;
  let rest = text.replace(/^[-+]/, "");
  if (rest === "") return undefined;
  let totalNs = 0;
  while (rest !== "") {
    const part = /^(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/.exec(rest);
    if (part === null) return undefined;
    totalNs += Number(part[1]) * (unitNs[part[2] ?? ""] ?? Number.NaN);
    rest = rest.slice(part[0].length);
  }
  return (sign * totalNs) / 1e6;
}

/**
 * The Go duration string of `milliseconds`: `1h2m3.5s`, `200ms`, `0s`, down to whole nanoseconds.
 * @see Go `time.Duration.String`.
 */
export function formatDuration(milliseconds: number): string {
  const ns = Math.round(Math.abs(milliseconds) * 1e6);
  const sign = milliseconds < 0 ? "-" : "";
  if (ns === 0) return "0s";
  if (ns < 1e3) return `${sign}${ns}ns`;
  if (ns < 1e6) return `${sign}${ns / 1e3}µs`;
  if (ns < 1e9) return `${sign}${ns / 1e6}ms`;
  const hours = Math.floor(ns / 3600e9);
  const minutes = Math.floor((ns % 3600e9) / 60e9);
  const seconds = (ns % 60e9) / 1e9;
  if (hours > 0) return `${sign}${hours}h${minutes}m${seconds}s`;
  return minutes > 0 ? `${sign}${minutes}m${seconds}s` : `${sign}${seconds}s`;
}
