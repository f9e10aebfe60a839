import { z } from "zod";

export { z };

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
 * A duration setting: a Go duration string, or a bare number of nanoseconds as in the Collector. Its output is
 * milliseconds. Write the default as `.prefault("200ms")`, which keeps it readable in the schema.
 */
export function duration() {
  return z
    .union([z.string(), z.number()])
    .transform((value, context) => {
      const milliseconds = typeof value === "number" ? value / 1e6 : parseDuration(value);
      if (milliseconds === undefined) {
        context.addIssue({ code: "custom", message: `invalid duration ${JSON.stringify(value)}: use a form such as 200ms, 1m30s` });
        return z.NEVER;
      }
      return milliseconds;
    });
}
