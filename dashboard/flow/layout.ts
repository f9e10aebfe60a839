import { type FlowLink, type FlowModel, type FlowNode, type FlowPipeline, total } from "./model.ts";

export interface Box {
  readonly node: FlowNode;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  /** Pipelines that leave a receiver, each at its height; empty elsewhere. */
  readonly ports: readonly { readonly label: string; readonly y: number }[];
}

export interface Band {
  readonly link: FlowLink;
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** Stroke width in pixels. */
  readonly width: number;
  /** Whether its numbers are written: of equal bands out of one box only the first has them. */
  readonly labelled: boolean;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly boxes: readonly Box[];
  readonly bands: readonly Band[];
  /** Pixels per item per second. */
  readonly bandScale: number;
}

/** Pixel sizes of the texts, so that boxes are as wide as what they say. */
export interface Measure {
  box(node: FlowNode): number;
}

export const widestBand = 14;
export const thinnestBand = 1.5;
const edge = 11;
const rowHeight = 47;
const exporterPitch = 39;
/** Below a row, for the words that say what left. */
const roomForDrops = 12;
const boxHeight = 38;
const exporterHeight = 30;
/** Boxes as wide as their texts and gaps with room for numbers; else everything as narrow as can be read. */
const densities = [
  { widestBox: Number.POSITIVE_INFINITY, leastGap: 66, narrowestEnd: 190 },
  { widestBox: 112, leastGap: 46, narrowestEnd: 160 },
];
const mostComponents = 24;

/** Places everything for `width` pixels; undefined when it does not fit or would be unreadable: then it is a list. */
export function layoutFlow(model: FlowModel, width: number, measure: Measure): Layout | undefined {
  const components = new Set(model.pipelines.flatMap((pipeline) => pipeline.line));
  if (components.size + model.receivers.length + model.exporters.length > mostComponents) return undefined;
  for (const { widestBox, leastGap, narrowestEnd } of densities) {
    const limited = { box: (node: FlowNode) => Math.min(widestBox, measure.box(node)) };
    const right = Math.min(302, Math.max(narrowestEnd, width * 0.22 - (narrowestEnd < 190 ? 60 : 0)));
    const layout = layoutWith(model, width, limited, right, leastGap);
    if (layout !== undefined) return layout;
  }
  return undefined;
}

function layoutWith(
  model: FlowModel,
  width: number,
  measure: Measure,
  right: number,
  leastGap: number,
): Layout | undefined {
  const rows = rowsOf(model);
  const height = (rows.at(-1)?.bottom ?? rowHeight) + edge;
  const columns = columnsOf(model.pipelines);
  const left = Math.max(104, ...model.receivers.map((node) => measure.box(node)));
  const xs = columnPositions(columns, measure, edge + left, width - edge - right);
  if (xs.gap < leastGap) return undefined;
  const boxes = [
    ...receiverBoxes(model, rows, left, height),
    ...lineBoxes(rows, columns, xs.lefts, measure),
    ...exporterBoxes(rows, width - edge - right, right),
  ];
  const busiest = Math.max(0, ...model.pipelines.flatMap((pipeline) => pipeline.links.map((link) => link.rate)));
  const bandScale = busiest > 0 ? widestBand / busiest : 0;
  return { width, height, boxes, bandScale, bands: bandsOf(model, boxes, bandScale) };
}

interface Row {
  readonly pipeline: FlowPipeline;
  readonly middle: number;
  readonly bottom: number;
  /** Exporters that stand at this row: those no earlier pipeline has. */
  readonly exporters: readonly FlowNode[];
}

function rowsOf({ pipelines, exporters }: FlowModel): Row[] {
  const placed = new Set<FlowNode>();
  let top = edge;
  return pipelines.map((pipeline) => {
    const own = exporters.filter((node) => !placed.has(node) && pipeline.links.some((link) => link.to === node));
    for (const node of own) placed.add(node);
    const height = Math.max(rowHeight, own.length * exporterPitch);
    const row = { pipeline, middle: top + height / 2, bottom: top + height, exporters: own };
    const drops = [...pipeline.line, ...own].some((node) => total(node, (part) => part.dropped.length) > 0);
    top += height + (drops ? roomForDrops : 0);
    return row;
  });
}

/** The column of each processor and connector: lines spread evenly, up to the last column or to what they feed. */
function columnsOf(pipelines: readonly FlowPipeline[]): Map<FlowNode, number> {
  const feeds = (feeder: FlowPipeline, fed: FlowPipeline) =>
    feeder.links.some((link) => link.to.kind === "connector" && fed.line.includes(link.to));
  const starts = new Map<FlowPipeline, number>();
  const startOf = (pipeline: FlowPipeline, seen: readonly FlowPipeline[] = []): number => {
    const known = starts.get(pipeline);
    if (known !== undefined || seen.includes(pipeline)) return known ?? 0;
    const feeders = pipelines.filter((other) => feeds(other, pipeline));
    const start = Math.max(0, ...feeders.map((feeder) => startOf(feeder, [...seen, pipeline]) + feeder.line.length));
    starts.set(pipeline, start);
    return start;
  };
  const last = Math.max(0, ...pipelines.map((pipeline) => startOf(pipeline) + pipeline.line.length));
  const columns = new Map<FlowNode, number>();
  for (const pipeline of pipelines) {
    const start = startOf(pipeline);
    const end = Math.min(last, ...pipelines.filter((fed) => feeds(pipeline, fed)).map((fed) => startOf(fed)));
    pipeline.line.forEach((node, index) => {
      if (columns.has(node)) return;
      columns.set(node, start + Math.round(((index + 1) * (end - start)) / pipeline.line.length) - 1);
    });
  }
  return columns;
}

/** The left edge of each column, with equal gaps. */
function columnPositions(columns: ReadonlyMap<FlowNode, number>, measure: Measure, from: number, to: number) {
  const count = Math.max(-1, ...columns.values()) + 1;
  const widths = Array.from({ length: count }, (_, column) =>
    Math.max(0, ...[...columns].filter(([, at]) => at === column).map(([node]) => measure.box(node))),
  );
  const gap = (to - from - widths.reduce((sum, width) => sum + width, 0)) / (count + 1);
  let x = from;
  const lefts = widths.map((width) => {
    const left = x + gap;
    x = left + width;
    return left;
  });
  return { lefts, gap };
}

function receiverBoxes({ receivers }: FlowModel, rows: readonly Row[], width: number, height: number): Box[] {
  const feeds = (node: FlowNode, row: Row) => row.pipeline.links.some((link) => link.from === node);
  const ports = receivers.map((node) => rows.filter((row) => feeds(node, row)));
  if (receivers.length === 1 && receivers[0] !== undefined) {
    const at = (ports[0] ?? []).map((row) => ({ label: row.pipeline.id, y: row.middle }));
    const last = at.at(-1)?.y ?? height / 2;
    const bottom = Math.min(height - edge, last + Math.max(20, boxHeight / 2));
    const top = Math.max(edge - 2, (at[0]?.y ?? height / 2) - 30);
    return [{ node: receivers[0], x: edge, y: top, width, height: bottom - top, ports: at }];
  }
  const weights = ports.map((own) => 1 + Math.max(1, own.length));
  const share = (height - 2 * edge) / weights.reduce((sum, weight) => sum + weight, 0);
  let top = edge;
  return receivers.map((node, index) => {
    const own = ports[index] ?? [];
    const tall = share * (weights[index] ?? 2) - 8;
    const step = tall / (own.length + 1);
    const box = {
      node,
      x: edge,
      y: top,
      width,
      height: tall,
      ports: own.map((row, port) => ({ label: own.length > 1 ? row.pipeline.id : "", y: top + step * (port + 1) })),
    };
    top += tall + 8;
    return box;
  });
}

function lineBoxes(
  rows: readonly Row[],
  columns: ReadonlyMap<FlowNode, number>,
  xs: readonly number[],
  measure: Measure,
) {
  const placed = new Set<FlowNode>();
  return rows.flatMap(({ pipeline, middle }) =>
    pipeline.line.flatMap((node): Box[] => {
      if (placed.has(node)) return [];
      placed.add(node);
      const x = xs[columns.get(node) ?? 0] ?? 0;
      return [{ node, x, y: middle - boxHeight / 2, width: measure.box(node), height: boxHeight, ports: [] }];
    }),
  );
}

function exporterBoxes(rows: readonly Row[], x: number, width: number): Box[] {
  return rows.flatMap((row) =>
    row.exporters.map((node, index): Box => {
      const middle = row.middle + (index - (row.exporters.length - 1) / 2) * exporterPitch;
      return { node, x, y: middle - exporterHeight / 2, width, height: exporterHeight, ports: [] };
    }),
  );
}

function bandsOf({ pipelines }: FlowModel, boxes: readonly Box[], scale: number): Band[] {
  const boxOf = new Map(boxes.map((box) => [box.node, box]));
  return pipelines.flatMap((pipeline) => {
    const seen = new Map<FlowNode, number>();
    return pipeline.links.flatMap((link): Band[] => {
      const from = boxOf.get(link.from);
      const to = boxOf.get(link.to);
      if (from === undefined || to === undefined) return [];
      const before = seen.get(link.from);
      seen.set(link.from, link.rate);
      return [
        {
          link,
          x1: from.x + from.width,
          y1: from.ports.find(({ label }) => label === pipeline.id)?.y ?? from.ports[0]?.y ?? from.y + from.height / 2,
          x2: to.x,
          y2: to.y + to.height / 2,
          width: Math.max(thinnestBand, link.rate * scale),
          labelled: before === undefined || Math.abs(before - link.rate) > 0.02 * before,
        },
      ];
    });
  });
}
