import type { FigureDocument } from "../api.ts";

/** Colours of the present theme, as figures need them. */
export interface Palette {
  readonly series: readonly string[];
  readonly error: string;
  readonly control: string;
  readonly text2: string;
  readonly text3: string;
  readonly line: string;
  readonly grid: string;
  readonly raised: string;
  /** Behind the figures. */
  readonly panel: string;
  /** Viridis, cut where it would vanish on the panel. */
  readonly scale: readonly (readonly [number, string])[];
  /** The first series as an area under its line. */
  readonly area: string;
}

type Part = Readonly<Record<string, unknown>>;

/** A figure in the page's look: its data untouched, its colours by role, its texts made harmless. */
export function dressed({ data, layout }: FigureDocument, palette: Palette): { data: Part[]; layout: Part } {
  return {
    data: data.map((trace, index) => dressedTrace(trace, index, palette)),
    layout: dressedLayout(layout, palette),
  };
}

/** What the page asks of Plotly itself: no mode bar, nothing that leaves this machine. */
export const plotlyConfig = {
  responsive: true,
  displayModeBar: false,
  displaylogo: false,
  showSendToCloud: false,
  plotlyServerURL: "",
  doubleClick: false,
} as const;

function dressedTrace(trace: Part, index: number, palette: Palette): Part {
  const role = roleOf(trace);
  const color = colorOf(role, index, palette);
  const marker = asPart(trace["marker"]);
  const line = asPart(trace["line"]);
  const base = {
    ...trace,
    name: harmless(trace["name"]),
    ...texts(trace, "text", "hovertext", "x", "y"),
    ...(trace["hovertemplate"] !== undefined && { hovertemplate: template(trace["hovertemplate"]) }),
  };
  if (trace["type"] === "scatter" && String(trace["mode"] ?? "").includes("markers")) {
    return { ...base, marker: scatterMarker(marker, role, color, palette) };
  }
  if (trace["type"] === "scatter") {
    const fill = trace["fill"] === undefined ? {} : { fillcolor: palette.area };
    return { ...base, ...fill, line: { width: 1.5, ...line, color } };
  }
  return { ...base, marker: { ...marker, color, line: { width: touches(trace) ? 1 : 0, color: palette.panel } } };
}

/** Bars as wide as they are apart: a line in the panel's colour parts them. */
function touches({ x, width }: Part): boolean {
  if (!Array.isArray(x) || typeof width !== "number") return false;
  const [first, second] = x as unknown[];
  return typeof first === "number" && typeof second === "number" && second - first < width * 1.02;
}

function scatterMarker(marker: Part, role: string, color: string, palette: Palette): Part {
  if (role === "failed") return { ...marker, line: { color: palette.error, width: 1.2 } };
  if (!isList(marker["color"])) return { ...marker, color };
  return { ...marker, colorscale: palette.scale, showscale: false, line: { width: 0 } };
}

export function roleOf(trace: Part): string {
  const { role } = asPart(trace["meta"]) as { role?: unknown };
  return typeof role === "string" ? role : "";
}

/** A role's colour: failed is red, a total is grey, the rest are series in order. */
export function colorOf(role: string, index: number, palette: Palette): string {
  if (role === "failed") return palette.error;
  if (role === "running_total") return palette.text3;
  const numbered = /^series_(\d+)$/.exec(role);
  const place = numbered === null ? (places.get(role) ?? index) : Number(numbered[1]) - 1;
  return palette.series[place] ?? palette.control;
}

const places = new Map([
  ["ok", 0],
  ["input_tokens", 0],
  ["output_tokens", 1],
  ["rate", 0],
]);

function dressedLayout(layout: Part, palette: Palette): Part {
  const axes = Object.fromEntries(
    Object.entries(layout)
      .filter(([key]) => /^[xy]axis\d*$/.test(key))
      .map(([key, axis]) => [key, dressedAxis(key, asPart(axis), palette)]),
  );
  const notes = asList(layout["annotations"]);
  if (notes.length > 0) axes["yaxis"] = withHeadroom(axes["yaxis"]);
  return {
    ...layout,
    ...axes,
    title: undefined,
    autosize: true,
    dragmode: false,
    font: { family: "Inter, system-ui, sans-serif", size: 11, color: palette.text2 },
    hoverlabel: {
      bgcolor: palette.raised,
      bordercolor: palette.line,
      font: { family: '"JetBrains Mono", monospace', size: 11, color: palette.text2 },
    },
    shapes: asList(layout["shapes"]).map((shape) => ({
      ...shape,
      line: { ...asPart(shape["line"]), color: palette.text2 },
    })),
    annotations: notes.map((note) => ({
      ...note,
      text: harmless(note["text"]),
      xshift: 2,
      font: { size: 11, color: palette.text2 },
    })),
    showlegend: false,
  };
}

/** Room above the highest bar, where the labels of marks stand. */
function withHeadroom(axis: Part = {}): Part {
  const [from, to] = Array.isArray(axis["range"]) ? (axis["range"] as unknown[]) : [];
  return typeof from === "number" && typeof to === "number" ? { ...axis, range: [from, to * 1.1] } : axis;
}

function dressedAxis(key: string, axis: Part, palette: Palette): Part {
  const isX = key.startsWith("x");
  return {
    ...axis,
    ...texts(axis, "ticktext"),
    title: undefined,
    fixedrange: true,
    color: palette.text3,
    tickfont: { size: 11, color: palette.text3 },
    tickangle: 0,
    linecolor: palette.line,
    gridcolor: palette.grid,
    zeroline: false,
    ...(isX && { showline: true, linewidth: 1 }),
  };
}

/** Of the small HTML Plotly reads, only line breaks stay: a `<` from telemetry is shown as one. */
export function harmless(text: unknown): unknown {
  return typeof text === "string" ? text.replace(/<(?!br\s*\/?>)/gi, "&lt;") : text;
}

/** A hover template is the exporter's own words; it keeps the one tag it needs. */
function template(text: unknown): unknown {
  return typeof text === "string" ? text.replace(/<(?!br\s*\/?>|\/?extra>)/gi, "&lt;") : text;
}

function texts(part: Part, ...keys: readonly string[]): Part {
  return Object.fromEntries(
    keys
      .filter((key) => part[key] !== undefined)
      .map((key) => [key, Array.isArray(part[key]) ? part[key].map(harmless) : harmless(part[key])]),
  );
}

function isList(value: unknown): boolean {
  return Array.isArray(value) || (typeof value === "object" && value !== null && "bdata" in value);
}

export function asPart(value: unknown): Part {
  return typeof value === "object" && value !== null ? (value as Part) : {};
}

export function asList(value: unknown): Part[] {
  return Array.isArray(value) ? value.map(asPart) : [];
}
