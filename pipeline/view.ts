import type { Kind } from "./host.ts";
import type { Signal } from "./pdata/index.ts";

/** A read-only picture of the running service, for the dashboard, health checks and own metrics. */
export interface ServiceView {
  readonly command: string;
  readonly version: string;
  /** Where the configuration came from, as given on the command line. */
  readonly configSources: readonly string[];
  readonly startedUnixMs: number;
  state(): "starting" | "running" | "draining" | "stopped" | "failed";
  /**
   * Called on every change of state, again with `running` when the configuration has changed, and at once with the present
   * one. Returns how to stop listening.
   */
  onState(listener: (state: ReturnType<ServiceView["state"]>) => void): () => void;
  /** The pipelines of the configuration, in its order. */
  pipelines(): readonly PipelineView[];
  /** Ids of the extensions that run, in the order in which they were started. */
  extensions(): readonly string[];
  /** The Collector's feature gates, and which of them are on. */
  featureGates(): Promise<readonly FeatureGateView[]>;
  /** The last own spans; undefined where none are recorded. */
  ownSpans(): OwnSpansView | undefined;
  nodes(): readonly NodeView[];
  edges(): readonly EdgeView[];
  process(): ProcessView;
  /**
   * Reads the configuration again from where it came from and makes it the running one, as far as it differs. Undefined
   * where it came from nowhere.
   */
  readonly reload: (() => Promise<ReloadVerdict>) | undefined;
  /** What came of the latest `reload`, whoever asked for it. */
  lastReload(): ReloadVerdict | undefined;
}

/** What came of an attempt to change the running configuration. */
export interface ReloadVerdict {
  /** `unchanged`: nothing runs otherwise than before. `refused`: everything runs as before. */
  readonly outcome: "applied" | "unchanged" | "refused";
  /** For people, a sentence. */
  readonly text: string;
  readonly unixMs: number;
  /** Component instances by their key, that of their node or `extension:<id>`. */
  readonly added: readonly string[];
  readonly rebuilt: readonly string[];
  readonly removed: readonly string[];
  /** How many go on as they are. */
  readonly kept: number;
  /** Why it was refused. */
  readonly problems: readonly ReloadProblem[];
}

export interface ReloadProblem {
  /** `file:line:column`; absent for what is not about one place, such as a port in use. */
  readonly place?: string;
  /** Of the setting: `receivers::otlp::protocols`. */
  readonly path?: string;
  readonly message: string;
  readonly hint?: string;
}

/** A component instance in the graph, with its books. */
export interface NodeView {
  /** Unique in the graph: `receiver:otlp`, `processor:traces/jaeger:batch`, `exporter:traces:plotly`. */
  readonly key: string;
  readonly kind: Exclude<Kind, "extension">;
  readonly id: string;
  readonly pipelineId?: string;
  readonly books: Books;
  /** Whether the configuration has no such component any more; its books still count. */
  readonly isRemoved: boolean;
  /** Whether it gathers data from several deliveries, as `batch` does, instead of passing each on. */
  readonly holdsData?: boolean;
  /** Facts worth a line in the component's box, live: `{ label: "queue", text: "0 %" }`. */
  facts(): readonly { readonly label: string; readonly text: string }[];
}

/** in = out + dropped + refused + held; items. */
export interface Books {
  readonly in: number;
  readonly out: number;
  readonly refused: number;
  readonly held: number;
  /** What has gone out, also what was refused there and taken back from `out`: it never falls. */
  readonly passed: number;
  readonly dropped: ReadonlyMap<string, number>;
}

/** A band in the picture: what went from one node to the next in one pipeline. */
export interface EdgeView {
  readonly from: string;
  readonly to: string;
  readonly pipelineId: string;
  readonly signal: Signal;
  /** Items since the start. */
  readonly items: number;
}

export interface ProcessView {
  readonly rssBytes: number;
  readonly memoryLimitBytes: number;
  readonly budgetUsedBytes: number;
  readonly budgetLimitBytes: number;
  /** 99th percentile of the event loop's delay over the last seconds, milliseconds. */
  readonly loopLagMs: number;
  /** Cores busy over the last second. */
  readonly cpuCores: number;
}

/** A pipeline as configured: ids of components. */
export interface PipelineView {
  /** `signal` or `signal/name`. */
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
}

/** Own spans by name, and of each name by how long they took: under 10 µs, 100 µs and so on to 100 s, and longer. */
export interface OwnSpansView {
  summaries(): readonly {
    readonly name: string;
    readonly running: number;
    /** How many took so long, without those that failed. */
    readonly latencies: readonly number[];
    readonly errors: number;
  }[];
  /** The last of a name that failed, or that are in a latency bucket. */
  spans(name: string, which: "failed" | number): readonly OwnSpanView[];
}

export interface OwnSpanView {
  readonly startUnixMs: number;
  readonly durationMs: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly events: readonly { readonly name: string; readonly afterMs: number }[];
  readonly error: string | undefined;
}

export interface FeatureGateView {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly stage: string;
  readonly description: string;
  /** The release that had it first, and the one that has it last. */
  readonly from: string;
  readonly to?: string;
}
