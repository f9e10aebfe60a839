import { short, timeTick } from "../../pipeline/number_text.ts";
import { isoTime } from "./figure.ts";

/** What all figures of the page share; colours of text and grid are the page's own, by theme. */
export const pageLayout = {
  font: { family: "Inter, system-ui, sans-serif", size: 11 },
  paper_bgcolor: "rgba(0,0,0,0)",
  plot_bgcolor: "rgba(0,0,0,0)",
  margin: { l: 48, r: 14, t: 10, b: 26 },
  showlegend: false,
} as const;

const xAxis = { showgrid: false, zeroline: false, showline: true, fixedrange: false } as const;
const yAxis = { showgrid: true, zeroline: false } as const;

/** The window, explicit, so that figures line up and nothing jumps. */
export function timeAxis(fromUnixMs: number, toUnixMs: number): object {
  const tickformat = toUnixMs - fromUnixMs < 5 * 60_000 ? "%H:%M:%S" : "%H:%M";
  return { ...xAxis, type: "date", range: [isoTime(fromUnixMs), isoTime(toUnixMs)], nticks: 4, tickformat };
}

/** From 0 to a little over `highest`, with about five ticks in words of our own, `leastStep` apart or more. */
export function countAxis(highest: number, leastStep = 1): object {
  const step = Math.max(leastStep, tickStep(highest / 5));
  const ticks = Array.from({ length: Math.floor(highest / step) + 1 }, (_, tick) => tick * step);
  return { ...yAxis, range: [0, Math.max(highest * 1.05, step)], tickvals: ticks, ticktext: ticks.map(short) };
}

function tickStep(width: number): number {
  if (!(width > 0)) return 1;
  const decade = 10 ** Math.floor(Math.log10(width));
  return decade * ([1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10].find((step) => step * decade >= width) ?? 10);
}

/** A latency axis in decimal logarithms of milliseconds, with ticks at 1, 3, 10, 30..., or 1, 10, 100 where it is long. */
export function logDurationAxis(from: number, to: number): object {
  const tickvals: number[] = [];
  const ticktext: string[] = [];
  const steps = to - from > 3.5 ? [1] : [1, 3];
  for (let decade = Math.floor(from); decade <= Math.ceil(to); decade++) {
    for (const step of steps) {
      const value = step * 10 ** decade;
      if (Math.log10(value) < from || Math.log10(value) > to) continue;
      tickvals.push(Math.log10(value));
      ticktext.push(timeTick(value));
    }
  }
  return { ...xAxis, range: [from, to], tickvals, ticktext };
}

/** Where a count stands on a logarithmic axis that has a place for 0. */
export function logPlace(count: number): number {
  return Math.log10(count + 1);
}

/** An axis of `logPlace`s up to that of `highest`, with ticks at 0, 10, 100... or 0, 30, 100, 300 when there is room. */
export function logCountAxis(highest: number, axis: "x" | "y"): object {
  const top = Math.max(logPlace(highest), 1) * 1.03;
  const steps = axis === "x" && top < 3.5 ? [1, 3] : [1];
  const counts = [0];
  for (let decade = 1; decade <= top; decade++) counts.push(...steps.map((step) => step * 10 ** decade));
  const shown = counts.filter((count) => logPlace(count) <= top);
  const common = axis === "x" ? xAxis : yAxis;
  return { ...common, range: [-0.05, top], tickvals: shown.map(logPlace), ticktext: shown.map(short) };
}
