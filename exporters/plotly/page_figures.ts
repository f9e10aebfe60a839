import { count, gap, rate, timeSpan } from "../../pipeline/number_text.ts";
import { countAxis, logCountAxis, logDurationAxis, logPlace, pageLayout, timeAxis } from "./axes.ts";
import { config, figureMeta, isoTime, type PlotlyFigure } from "./figure.ts";
import { binStart, binsPerDecade } from "./latency_bins.ts";
import { totalsOverTime } from "./seed_figures.ts";
import type { Summary } from "./summary.ts";
import { escapeText } from "./text.ts";
import { bucketStarts, perBucket } from "./time_buckets.ts";

/** A figure of the page: what it is called, and how it is drawn from a summary. */
export interface PageFigure {
  readonly name: string;
  readonly title: string;
  draw(summary: Summary): PlotlyFigure;
}

/**
 * The four figures as the dashboard shows them: the same requests as in the files, in bars per time and on logarithmic
 * axes. `meta.role` of a trace or shape tells the page which of its colours to use; those given here are defaults.
 */
export const pageFigures: readonly PageFigure[] = [
  { name: "request_latency", title: "Request latency", draw: requestLatency },
  { name: "tokens_over_time", title: "Tokens over time", draw: tokensOverTime },
  { name: "input_against_output", title: "Input against output", draw: inputAgainstOutput },
  { name: "request_rate", title: "Request rate", draw: requestRate },
];

const colours = { series: "#6BA8FF", second: "#FED835", failed: "#F44336", control: "#7F8994" };

/** Latency bars in a decade. */
const barsPerDecade = 10;
const binsPerBar = binsPerDecade / barsPerDecade;

function figure(name: string, summary: Summary, data: readonly object[], layout: object): PlotlyFigure {
  const meta = { figure: name, ...figureMeta(summary) };
  return { data, layout: { ...pageLayout, uirevision: name, ...layout, meta }, config };
}

function requestLatency(summary: Summary): PlotlyFigure {
  const { okBins, failedBins } = summary;
  const used = (bin: number) => okBins[bin]! + failedBins[bin]! > 0;
  const bins = Array.from(okBins.keys()).filter(used);
  const first = Math.floor((bins[0] ?? 5 * binsPerDecade) / binsPerBar);
  const last = Math.floor((bins.at(-1) ?? 8 * binsPerDecade - 1) / binsPerBar);
  const bars = Array.from({ length: last - first + 1 }, (_, place) => first + place);
  const ok = bars.map((bar) => sumOf(okBins, bar * binsPerBar, binsPerBar));
  const failed = bars.map((bar) => sumOf(failedBins, bar * binsPerBar, binsPerBar));
  const starts = bars.map((bar) => binStart(bar * binsPerBar));
  const ranges = starts.map((start) => `${timeSpan(10 ** start)} to ${timeSpan(10 ** (start + 1 / barsPerDecade))}`);
  const bar = {
    type: "bar",
    x: starts,
    width: 1 / barsPerDecade,
    offset: 0,
    textposition: "none",
    hovertemplate: "%{text}<extra></extra>",
  };
  const marks = [
    { at: summary.p50Ms, label: "p50" },
    { at: summary.p95Ms, label: "p95" },
  ];
  return figure(
    "request_latency",
    summary,
    [
      {
        ...bar,
        name: "Succeeded",
        y: ok,
        text: ok.map((items, place) => `${ranges[place]}: ${count(items)}`),
        marker: { color: colours.series },
        meta: { role: "ok" },
      },
      {
        ...bar,
        name: "Failed",
        y: failed,
        text: failed.map((items) => `${count(items)} failed`),
        marker: { color: colours.failed },
        meta: { role: "failed" },
      },
    ],
    {
      barmode: "stack",
      bargap: 0.12,
      hovermode: "x unified",
      xaxis: logDurationAxis(binStart(first * binsPerBar), binStart((last + 1) * binsPerBar)),
      yaxis: countAxis(Math.max(0, ...ok.map((count, place) => count + failed[place]!))),
      shapes: marks.flatMap(({ at }) => (at === undefined ? [] : [markLine(at)])),
      annotations: marks.flatMap(({ at, label }) => (at === undefined ? [] : [markLabel(at, label)])),
    },
  );
}

function markLine(milliseconds: number): object {
  const x = Math.log10(Math.max(1e-3, milliseconds));
  const line = { color: colours.control, width: 1, dash: "dot" };
  return { type: "line", xref: "x", yref: "paper", x0: x, x1: x, y0: 0, y1: 1, line };
}

function markLabel(milliseconds: number, text: string): object {
  const x = Math.log10(Math.max(1e-3, milliseconds));
  return { text, x, y: 1, xref: "x", yref: "paper", xanchor: "left", yanchor: "top", showarrow: false };
}

function tokensOverTime(summary: Summary): PlotlyFigure {
  const { buckets } = summary;
  const input = perBucket(buckets.inputTokens);
  const output = perBucket(buckets.outputTokens);
  const bars = (name: string, role: string, counts: Float64Array, color: string) => ({
    ...timeBars(summary),
    name,
    y: [...counts],
    text: Array.from(counts, (items) => `${count(items)} ${role === "input_tokens" ? "in" : "out"}`),
    marker: { color },
    meta: { role },
  });
  return figure(
    "tokens_over_time",
    summary,
    [
      bars("Input tokens", "input_tokens", input, colours.series),
      bars("Output tokens", "output_tokens", output, colours.second),
    ],
    {
      barmode: "stack",
      bargap: 0.22,
      hovermode: "x unified",
      xaxis: timeAxis(buckets.fromUnixMs, buckets.toUnixMs),
      yaxis: countAxis(Math.max(0, ...input.map((count, bucket) => count + output[bucket]!))),
    },
  );
}

/** One bar per time bucket, as wide as it. */
function timeBars({ buckets }: Summary) {
  const x = bucketStarts(buckets).map(isoTime);
  return {
    type: "bar",
    x,
    width: buckets.bucketMs * 0.78,
    offset: 0,
    textposition: "none",
    hovertemplate: "%{text}<extra></extra>",
  };
}

function inputAgainstOutput(summary: Summary): PlotlyFigure {
  const { sample, maxMs } = summary;
  const rows = Array.from(sample.failed.keys());
  const largest = Math.max(1, maxMs);
  const modelText = modelTexts(summary);
  const points = (name: string, role: string, shown: readonly number[], marker: object) => ({
    type: "scatter",
    mode: "markers",
    cliponaxis: false,
    name,
    x: shown.map((row) => rounded(logPlace(sample.inputTokens[row]!))),
    y: shown.map((row) => rounded(logPlace(sample.outputTokens[row]!))),
    text: shown.map((row) => requestText(summary, row, modelText)),
    hovertemplate: "%{text}<extra></extra>",
    marker: {
      size: shown.map((row) => Math.round(sample.durationMs[row]!)),
      sizemode: "area",
      sizeref: (2 * largest) / 18 ** 2,
      sizemin: 2,
      ...marker,
    },
    meta: { role },
  });
  const ok = rows.filter((row) => sample.failed[row] === 0);
  const failed = rows.filter((row) => sample.failed[row] === 1);
  const colour = {
    color: ok.map((row) => rounded(Math.log10(Math.max(1e-3, sample.durationMs[row]!)))),
    colorscale: "Viridis",
    showscale: false,
    opacity: 0.85,
  };
  return figure(
    "input_against_output",
    summary,
    [
      points("Succeeded", "latency_scale", ok, colour),
      points("Failed", "failed", failed, { color: "rgba(0,0,0,0)", line: { color: colours.failed, width: 1.5 } }),
    ],
    {
      hovermode: "closest",
      xaxis: logCountAxis(
        sample.inputTokens.reduce((most, count) => Math.max(most, count), 0),
        "x",
      ),
      yaxis: logCountAxis(
        sample.outputTokens.reduce((most, count) => Math.max(most, count), 0),
        "y",
      ),
    },
  );
}

function requestText({ sample }: Summary, row: number, modelText: (model: number) => string): string {
  const tokens = `${count(sample.inputTokens[row]!)} in, ${count(sample.outputTokens[row]!)} out`;
  const outcome = `${timeSpan(sample.durationMs[row]!)}${sample.failed[row] === 1 ? ", failed" : ""}`;
  return `${modelText(sample.model[row]!)}<br>${tokens}<br>${outcome}`;
}

/** Names of models, escaped once each. */
function modelTexts({ modelName }: Summary): (model: number) => string {
  const texts = new Map<number, string>();
  return (model) => {
    const known = texts.get(model);
    if (known !== undefined) return known;
    const name = modelName(model);
    const text = name === "" ? "model not reported" : escapeText(name);
    texts.set(model, text);
    return text;
  };
}

/** Places on a screen need no more than three digits. */
function rounded(place: number): number {
  return Math.round(place * 1000) / 1000;
}

function requestRate(summary: Summary): PlotlyFigure {
  const { buckets } = summary;
  const requests = perSecond(summary, buckets.requests);
  const failed = perSecond(summary, buckets.failed);
  const x = bucketStarts(buckets).map(isoTime);
  const totals = totalsOverTime(summary);
  return figure(
    "request_rate",
    summary,
    [
      {
        type: "scatter",
        mode: "lines",
        name: "Requests per second",
        x: [...x, isoTime(buckets.toUnixMs)],
        y: [...requests, requests.at(-1) ?? 0],
        line: { shape: "hv", width: 1.5, color: colours.series },
        fill: "tozeroy",
        text: [...requests, requests.at(-1) ?? 0].map(rateText),
        hovertemplate: "%{text}<extra></extra>",
        meta: { role: "rate" },
      },
      {
        ...timeBars(summary),
        name: "Failed per second",
        y: failed,
        text: failed.map((perSecond) => `${rateText(perSecond)} failed`),
        marker: { color: colours.failed },
        meta: { role: "failed" },
      },
      {
        type: "scatter",
        mode: "lines",
        name: "Running total",
        ...totals,
        yaxis: "y2",
        line: { dash: "dot", width: 1.5, color: colours.control },
        text: totals.y.map((total) => `${count(total)} in all`),
        hovertemplate: "%{text}<extra></extra>",
        meta: { role: "running_total" },
      },
    ],
    {
      margin: { ...pageLayout.margin, r: 56 },
      hovermode: "x unified",
      xaxis: timeAxis(buckets.fromUnixMs, buckets.toUnixMs),
      yaxis: countAxis(Math.max(0, ...requests), 0.01),
      yaxis2: { ...countAxis(summary.requests), overlaying: "y", side: "right", tickmode: "array", showgrid: false },
    },
  );
}

/** Rates by bucket; the unfinished one by the part of it that has passed, at least a second. */
function perSecond({ buckets }: Summary, steps: Float64Array): readonly number[] {
  const counts = perBucket(steps);
  const { fromUnixMs, toUnixMs, bucketMs } = buckets;
  return Array.from(counts, (count, bucket) => {
    const passedMs = Math.min(bucketMs, Math.max(1000, toUnixMs - fromUnixMs - bucket * bucketMs));
    return (count * 1000) / passedMs;
  });
}

function sumOf(bins: Uint32Array, from: number, length: number): number {
  return bins.subarray(from, from + length).reduce((sum, count) => sum + count, 0);
}

function rateText(perSecond: number): string {
  return `${rate(perSecond)}${gap}/s`;
}
