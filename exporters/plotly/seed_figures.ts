import { config, figureMeta, isoTime, type PlotlyFigure } from "./figure.ts";
import type { Summary } from "./summary.ts";
import { perBucket } from "./time_buckets.ts";

/** Widest marker of the token scatter, in pixels. */
const widestMarker = 30;

/** One of the four cells of the dashboard. */
interface Cell {
  readonly name: string;
  readonly title: string;
  readonly trace: (summary: Summary) => object;
  /** Traces of the figure on its own that have no place on the dashboard. */
  readonly more?: (summary: Summary) => readonly object[];
  readonly layout: object;
}

const cells: readonly Cell[] = [
  {
    name: "request_latency",
    title: "Request Latency Distribution",
    trace: latency,
    layout: { xaxis: { title: { text: "Latency (ms)" } }, yaxis: { title: { text: "Requests" } }, bargap: 0 },
  },
  {
    name: "tokens_over_time",
    title: "Token Usage Over Time",
    trace: totalTokens,
    layout: { xaxis: { type: "date" }, yaxis: { title: { text: "Tokens" } } },
  },
  {
    name: "input_against_output",
    title: "Tokens per Request (Input vs Output)",
    trace: inputAgainstOutput,
    layout: { xaxis: { title: { text: "Input tokens" } }, yaxis: { title: { text: "Output tokens" } } },
  },
  {
    name: "request_rate",
    title: "Request Rate Over Time",
    trace: runningTotal,
    more: (summary) => [requestRate(summary)],
    layout: {
      xaxis: { type: "date" },
      yaxis: { title: { text: "Requests" } },
      yaxis2: {
        title: { text: "Requests per second" },
        overlaying: "y",
        side: "right",
        tickmode: "auto",
        showgrid: false,
      },
    },
  },
];

/** A file's figure, drawn when asked. */
export interface FileFigure {
  readonly name: string;
  draw(summary: Summary): PlotlyFigure;
}

/** What the files hold: the four figures, each on its own, and the whole board. Colours and trace types are the notebook's. */
export const fileFigures: readonly FileFigure[] = [
  ...cells.map((cell) => ({ name: cell.name, draw: (summary: Summary) => cellFigure(cell, summary) })),
  { name: "dashboard", draw: seedDashboard },
];

function cellFigure({ name, title, trace, more, layout }: Cell, summary: Summary): PlotlyFigure {
  const meta = { figure: name, ...figureMeta(summary) };
  return {
    data: [trace(summary), ...(more?.(summary) ?? [])],
    layout: { title: { text: title }, showlegend: true, uirevision: name, ...layout, meta },
    config,
  };
}

/** Where Plotly's `make_subplots(rows=2, cols=2)` puts its cells when they have titles. */
const domains = [
  { x: [0, 0.45], y: [0.625, 1] },
  { x: [0.55, 1], y: [0.625, 1] },
  { x: [0, 0.45], y: [0, 0.375] },
  { x: [0.55, 1], y: [0, 0.375] },
] as const;

/** The whole board: the four traces in a 2 x 2 grid. */
function seedDashboard(summary: Summary): PlotlyFigure {
  const axes = domains.map(({ x, y }, place) => {
    const suffix = axisSuffix(place);
    return {
      [`xaxis${suffix}`]: { anchor: `y${suffix}`, domain: x },
      [`yaxis${suffix}`]: { anchor: `x${suffix}`, domain: y },
    };
  });
  return {
    data: cells.map(({ trace }, place) => ({
      ...trace(summary),
      xaxis: `x${axisSuffix(place)}`,
      yaxis: `y${axisSuffix(place)}`,
    })),
    layout: Object.assign(
      {
        title: { text: "LLM Observability Metrics Dashboard" },
        showlegend: true,
        height: 800,
        bargap: 0,
        uirevision: "dashboard",
        annotations: cells.map(({ title }, place) => cellTitle(title, place)),
        meta: { figure: "dashboard", ...figureMeta(summary) },
      },
      ...axes,
    ),
    config,
  };
}

function axisSuffix(place: number): string {
  return place === 0 ? "" : String(place + 1);
}

function cellTitle(title: string, place: number): object {
  const { x, y } = domains[place] ?? domains[0];
  return {
    text: title,
    x: (x[0] + x[1]) / 2,
    y: y[1],
    xref: "paper",
    yref: "paper",
    xanchor: "center",
    yanchor: "bottom",
    showarrow: false,
    font: { size: 16 },
  };
}

/** Every duration, binned by Plotly; bars of our own when there are too many. */
function latency({ sample, bars }: Summary): object {
  const look = { name: "Latency (ms)", marker: { color: "blue" }, opacity: 0.7, meta: { role: "latency" } };
  if (bars === undefined) return { type: "histogram", x: [...sample.durationMs], ...look };
  const x = Array.from(bars.counts, (_, bar) => bar * bars.widthMs);
  return { type: "bar", x, y: [...bars.counts], width: bars.widthMs, offset: 0, ...look };
}

function totalTokens({ sample }: Summary): object {
  return {
    type: "scatter",
    mode: "lines+markers",
    name: "Total Tokens",
    x: Array.from(sample.startUnixMs, isoTime),
    y: Array.from(sample.inputTokens, (input, row) => input + sample.outputTokens[row]!),
    line: { color: "green" },
    meta: { role: "total_tokens" },
  };
}

function inputAgainstOutput({ sample, maxMs }: Summary): object {
  const { durationMs, inputTokens, outputTokens } = sample;
  return {
    type: "scatter",
    mode: "markers",
    name: "Tokens",
    x: [...inputTokens],
    y: [...outputTokens],
    marker: {
      size: Array.from(durationMs, (duration) => duration / 10),
      sizemode: "area",
      sizeref: maxMs > 0 ? (2 * maxMs) / 10 / widestMarker ** 2 : 1,
      sizemin: 3,
      color: [...durationMs],
      colorscale: "Viridis",
      showscale: true,
      colorbar: { title: { text: "Latency (ms)" }, x: 1.15 },
    },
    text: Array.from(
      durationMs,
      (duration, row) => `Latency: ${duration.toFixed(1)}ms<br>In: ${inputTokens[row]}<br>Out: ${outputTokens[row]}`,
    ),
    hovertemplate: "%{text}<extra></extra>",
    meta: { role: "input_against_output" },
  };
}

/** The count of requests so far: at every request, or at regular times when there are too many; exact where drawn. */
function runningTotal(summary: Summary): object {
  const { sample, thinned } = summary;
  const points = thinned
    ? totalsOverTime(summary)
    : { x: Array.from(sample.startUnixMs, isoTime), y: Array.from(sample.startUnixMs, (_, row) => row + 1) };
  return {
    type: "scatter",
    mode: "lines",
    name: "Cumulative Requests",
    ...points,
    line: { color: "red" },
    meta: { role: "running_total" },
  };
}

/** The running total at the ends of time steps, the last one at the end of the window. */
export function totalsOverTime({ buckets, maxPoints, requests }: Summary): {
  readonly x: string[];
  readonly y: number[];
} {
  const { fromUnixMs, toUnixMs, stepMs } = buckets;
  const steps = Math.floor((toUnixMs - fromUnixMs) / stepMs);
  const everyNth = Math.ceil((steps + 1) / maxPoints);
  const x: string[] = [];
  const y: number[] = [];
  let total = 0;
  for (let step = 0; step < steps; step++) {
    total += buckets.requests[step]!;
    if ((step + 1) % everyNth !== 0) continue;
    x.push(isoTime(fromUnixMs + (step + 1) * stepMs));
    y.push(total);
  }
  return { x: [...x, isoTime(toUnixMs)], y: [...y, requests] };
}

function requestRate({ buckets }: Summary): object {
  const { fromUnixMs, bucketMs } = buckets;
  const rates = Array.from(perBucket(buckets.requests), (count) => (count * 1000) / bucketMs);
  return {
    type: "scatter",
    mode: "lines",
    name: "Requests per Second",
    x: rates.map((_, bucket) => isoTime(fromUnixMs + bucket * bucketMs)),
    y: rates,
    line: { color: "blue", shape: "hv" },
    yaxis: "y2",
    meta: { role: "request_rate" },
  };
}
