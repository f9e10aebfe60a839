import type { Column } from "./frame/columns.ts";

/**
 * Where components put what others show: aggregated tables, figures, trace graphs. Published under the component's id;
 * read by whoever names that id in its config, and by the dashboard.
 */
export interface Board {
  /**
   * Shows `source` until it is withdrawn by what this returns, which is safe to call twice. The latest of an id is shown:
   * while one component takes the place of another there are two.
   */
  publish<K extends keyof Publications>(kind: K, componentId: string, source: Publications[K]): () => void;
  find<K extends keyof Publications>(kind: K, componentId: string): Publications[K] | undefined;
  all<K extends keyof Publications>(kind: K): ReadonlyMap<string, Publications[K]>;
}

export interface Publications {
  tables: TableSource;
  figures: FigureSource;
  graph: GraphSource;
}

/** One closed window of an aggregation. */
export interface TableWindow {
  readonly startUnixMs: number;
  readonly endUnixMs: number;
  readonly rowCount: number;
  /** In the order of the config: the group columns, then the aggregates. */
  readonly columns: readonly Column[];
}

export interface TableSource {
  /** Which engine computed it, for people: `cpu`. */
  readonly engine: string;
  /** The latest closed windows, oldest first; bounded. */
  windows(): readonly TableWindow[];
  /** Called with each window when it closes. Returns how to stop. */
  onWindow(listener: (window: TableWindow) => void): () => void;
  /** Facts worth a line in the component's box, live: `{ label: "late spans", text: "0" }`. */
  facts?(): readonly { readonly label: string; readonly text: string }[];
}

/** A part of the time that figures look back on. */
export interface TimeRange {
  readonly rangeMs: number;
  /** Where it ends; absent for now. */
  readonly endUnixMs?: number;
}

/** A Plotly figure, always the latest. */
export interface Figure {
  readonly name: string;
  readonly title: string;
  /** Rises with every change. */
  readonly version: number;
  /** The figure as Plotly JSON (`{ data, layout, config? }`), UTF-8. */
  json(): Buffer;
  /** How far back it looks, when it can look at a part of that as well. */
  readonly windowMs?: number;
  /** The figure of a part of its time, computed anew and exact; as `json`. */
  jsonOf(range: TimeRange): Promise<Buffer>;
}

export interface FigureSource {
  figures(): readonly Figure[];
}

export interface GraphNode {
  readonly id: string;
  readonly traceId: string;
  readonly label: string;
  readonly status: "OK" | "ERROR" | "UNSET";
  readonly durationMs: number;
  readonly startUnixMs: number;
  readonly service: string;
  readonly model?: string;
  /** Diameter as the seed draws it. */
  readonly size: number;
  /** Only named as a parent so far: stands in for a span that has not been received, so that no edge dangles. */
  readonly missing?: true;
}

export interface GraphEdge {
  readonly source: string;
  readonly target: string;
}

export interface SpanDetail {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: string;
  readonly status: "OK" | "ERROR" | "UNSET";
  readonly statusMessage: string;
  readonly startUnixMs: number;
  readonly durationMs: number;
  readonly attributes: readonly SpanField[];
  readonly resource: readonly SpanField[];
  readonly events: readonly {
    readonly name: string;
    readonly offsetMs: number;
    readonly attributes: readonly SpanField[];
  }[];
}

/** A value ready to be shown; prompts are masked: `text` is absent until it is asked for by `reveal`. */
export interface SpanField {
  readonly key: string;
  readonly type: string;
  readonly text?: string;
  readonly masked?: { readonly sizeBytes: number; readonly digest: string };
}

export interface GraphShown {
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly traceCount: number;
  readonly spanCount: number;
}

export interface GraphSource {
  /** Rises with every change. */
  readonly version: number;
  readonly viewerUrl: string | undefined;
  /** The graph as it is now; made in steps when it is large. */
  snapshot(): Promise<GraphShown>;
  /** All that is kept of a span; with `reveal`, the text of that one masked attribute as well. */
  span(traceId: string, spanId: string, reveal?: string): SpanDetail | undefined;
}
