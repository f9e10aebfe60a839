import type { GraphEdge, GraphNode, SpanDetail, SpanField } from "../../pipeline/board.ts";
import type { NodeView, ProcessView, ServiceView } from "../../pipeline/view.ts";

export type { GraphEdge, GraphNode, SpanDetail, SpanField };

/** What `/api/state` answers and `/api/stream` sends once a second: everything that is live, small enough to resend. */
export interface Tick {
  readonly unixMs: number;
  readonly startedUnixMs: number;
  readonly command: string;
  readonly version: string;
  readonly configSources: readonly string[];
  readonly state: ReturnType<ServiceView["state"]>;
  readonly sentence: Sentence;
  readonly nodes: readonly NodeState[];
  readonly edges: readonly EdgeState[];
  readonly books: BooksRow;
  readonly process: ProcessView;
  readonly figures: readonly FigureState[];
  readonly graph: GraphState | undefined;
}

/** A run of words; `code` marks an identifier, set in mono. */
export interface Run {
  readonly text: string;
  readonly code?: true;
}

export type Level = "ok" | "warning" | "error" | "unknown";

/** The line every page starts with. */
export interface Sentence {
  readonly level: Level;
  /** Changes only with the meaning, not with digits: what a screen reader is told about. */
  readonly meaning: string;
  readonly headline: readonly Run[];
  readonly detail: readonly Run[];
  /** The key of the component it is about. */
  readonly node?: string;
}

export interface DropState {
  readonly reason: string;
  readonly items: number;
  readonly rate: number;
  /** Whether items were lost, or left by a setting of the user's. */
  readonly lost: boolean;
}

export interface NodeState {
  readonly key: string;
  readonly kind: NodeView["kind"];
  readonly id: string;
  readonly pipelineId: string | undefined;
  readonly in: number;
  readonly out: number;
  readonly refused: number;
  readonly held: number;
  readonly inRate: number;
  readonly outRate: number;
  readonly refusedRate: number;
  readonly dropped: readonly DropState[];
  readonly facts: readonly { readonly label: string; readonly text: string }[];
}

export interface EdgeState {
  readonly from: string;
  readonly to: string;
  readonly pipelineId: string;
  readonly signal: string;
  readonly items: number;
  readonly rate: number;
}

/** The service's books in one row, since the start. */
export interface BooksRow {
  readonly received: number;
  readonly delivered: number;
  readonly refused: number;
  readonly held: number;
  readonly dropped: readonly DropState[];
  readonly lost: number;
  /** Components whose in is not out + dropped + refused + held; empty when the books balance. */
  readonly unbalanced: readonly { readonly key: string; readonly difference: number }[];
}

export interface FigureState {
  readonly component: string;
  readonly name: string;
  readonly title: string;
  readonly version: number;
  /** How far back it looks, when it can look at a part of that as well. */
  readonly windowMs: number | undefined;
}

export interface GraphState {
  readonly component: string;
  readonly version: number;
  readonly viewerUrl: string | undefined;
}

/** What `/api/graph/:component` answers. */
export interface GraphSnapshot {
  readonly version: number;
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly traceCount: number;
  readonly spanCount: number;
}

/** One attribute of a span: its own, its resource's, or those of its event of that number. */
export interface FieldPlace {
  readonly key: string;
  readonly of: "span" | "resource" | number;
}

/** What the reveal of one masked attribute answers. */
export interface Revealed {
  readonly key: string;
  readonly text: string;
}
