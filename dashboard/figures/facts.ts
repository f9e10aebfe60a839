import { count, gap, rate, share, short, timeSpan } from "../../pipeline/number_text.ts";
import type { FigureDocument } from "../api.ts";
import { el, telemetry } from "../dom.ts";
import { asPart, colorOf, type Palette, roleOf } from "./look.ts";

/** What stands in the head of a figure's panel: what it shows, and the numbers a reader looks for first. */
export interface Facts {
  readonly sub: string;
  readonly stats: readonly HTMLElement[];
  /** How much is drawn of what there is, when it is not all. */
  readonly note: string | undefined;
  /** One sentence for those who do not see the picture. */
  readonly summary: string;
  readonly isEmpty: boolean;
}

interface Meta {
  readonly figure?: string;
  readonly bucket_ms?: number;
  readonly requests?: number;
  readonly failed?: number;
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly latency?: { readonly p50_ms: number | null; readonly p95_ms: number | null };
  readonly drawn?: number;
  readonly thinned?: boolean;
}

/** @param isPast the figure ends before now. */
export function factsOf(figure: FigureDocument, palette: Palette, isPast: boolean): Facts {
  const meta = asPart(figure.layout["meta"]) as Meta;
  const facts = known.get(meta.figure ?? "")?.(figure, meta, palette, isPast);
  return { note: undefined, isEmpty: meta.requests === 0, ...(facts ?? series(figure, palette)) };
}

type Reader = (
  figure: FigureDocument,
  meta: Meta,
  palette: Palette,
  isPast: boolean,
) => Omit<Facts, "isEmpty" | "note"> & { note?: string | undefined };

const known = new Map<string, Reader>([
  ["request_latency", latency],
  ["tokens_over_time", tokens],
  ["input_against_output", scatter],
  ["request_rate", requestRate],
]);

function latency(_: FigureDocument, { requests = 0, failed = 0, latency: spread }: Meta) {
  const p50 = spread?.p50_ms ?? undefined;
  const p95 = spread?.p95_ms ?? undefined;
  const failedShare = requests === 0 ? undefined : share(failed / requests);
  return {
    sub: "log scale",
    stats: [
      ...(p50 === undefined ? [] : [stat("p50", timeSpan(p50))]),
      ...(p95 === undefined ? [] : [stat("p95", timeSpan(p95))]),
      ...(failedShare === undefined
        ? []
        : [el("span", { class: failed > 0 ? "failed" : undefined }, `${failedShare} failed`)]),
    ],
    summary: `Request latency of ${count(requests)} requests: half within ${spanOr(p50)}, 95 % within ${spanOr(p95)}, ${failedShare ?? "none"} failed.`,
  };
}

function tokens(_: FigureDocument, { bucket_ms = 0, input_tokens = 0, output_tokens = 0 }: Meta, palette: Palette) {
  return {
    sub: `per ${timeSpan(bucket_ms).replace(/\.0+(?=\D)/, "")}`,
    stats: [
      swatch(palette.series[0], "in", short(input_tokens)),
      swatch(palette.series[1], "out", short(output_tokens)),
    ],
    summary: `${count(input_tokens)} input tokens and ${count(output_tokens)} output tokens over time.`,
  };
}

function scatter({ data }: FigureDocument, { requests = 0, drawn = 0, thinned = false }: Meta, palette: Palette) {
  const colors = asPart(data.find((trace) => roleOf(trace) === "latency_scale")?.["marker"])["color"];
  const logs = Array.isArray(colors) ? (colors as number[]) : [];
  const note = thinned ? `${count(drawn)} of ${count(requests)} drawn, errors kept first` : undefined;
  return {
    sub: "tokens",
    stats: logs.length === 0 ? [] : [scaleBar(lowest(logs), highest(logs), palette)],
    note,
    summary: `Input tokens against output tokens of ${note ?? `${count(requests)} requests`}, coloured by latency.`,
  };
}

function requestRate({ data }: FigureDocument, { requests = 0, failed = 0 }: Meta, _: Palette, isPast: boolean) {
  const rates = data.find((trace) => roleOf(trace) === "rate")?.["y"];
  const now = Array.isArray(rates) && !isPast ? (rates.at(-1) as number | undefined) : undefined;
  return {
    sub: "per second, and running total",
    stats: [...(now === undefined ? [] : [stat("now", `${rate(now)}${gap}/s`)]), stat("total", count(requests))],
    summary: `Requests per second over time${now === undefined ? "" : `, now ${rate(now)}`}; ${count(requests)} in all, ${count(failed)} failed.`,
  };
}

/** A figure the page does not know by name: its lines' names with their colours. */
function series({ data }: FigureDocument, palette: Palette) {
  const named = data.filter((trace) => typeof trace["name"] === "string" && trace["name"] !== "");
  return {
    sub: "",
    stats: named
      .slice(0, 4)
      .map((trace) => swatch(colorOf(roleOf(trace), data.indexOf(trace), palette), unescaped(String(trace["name"])))),
    summary: `${named.length} lines: ${named.map((trace) => unescaped(String(trace["name"]))).join(", ")}.`,
  };
}

/** Names come escaped for Plotly; as plain text they are what they were. */
export function unescaped(text: string): string {
  return text.replace(/&(lt|gt|amp);/g, (_, name: string) => ({ lt: "<", gt: ">" })[name] ?? "&");
}

function stat(label: string, value: string): HTMLElement {
  return el("span", {}, `${label} `, el("b", {}, value));
}

function swatch(color: string | undefined, label: string, value?: string): HTMLElement {
  const mark = el("span", { class: "swatch", "aria-hidden": "true" });
  mark.style.background = color ?? "";
  return el("span", {}, mark, telemetry(label, 28), ...(value === undefined ? [] : [" ", el("b", {}, value)]));
}

function scaleBar(lowest: number, highest: number, palette: Palette): HTMLElement {
  const bar = el("span", { class: "scale", "aria-hidden": "true" });
  bar.style.background = `linear-gradient(90deg, ${palette.scale.map(([, color]) => color).join(", ")})`;
  return el("span", {}, "latency ", timeSpan(10 ** lowest), bar, timeSpan(10 ** highest));
}

function spanOr(milliseconds: number | undefined): string {
  return milliseconds === undefined ? "an unknown time" : timeSpan(milliseconds);
}

function lowest(values: readonly number[]): number {
  return values.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
}

function highest(values: readonly number[]): number {
  return values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
}
