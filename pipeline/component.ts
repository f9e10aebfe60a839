import type { OperatorFunction } from "rxjs";
import type { ExtensionRole, z } from "./config/schema.ts";
import type { Delivery } from "./delivery.ts";
import type { ConnectorHost, ExporterHost, ExtensionHost, ProcessorHost, ReceiverHost } from "./host.ts";
import type { Pdata, PdataOf, Signal } from "./pdata/index.ts";

export type Stability = "development" | "alpha" | "beta" | "stable" | "deprecated" | "unmaintained";

/** An RxJS operator over deliveries. It answers or passes on every delivery it takes, and flushes on `complete`. */
export type Operator<T extends Pdata> = OperatorFunction<Delivery<T>, Delivery<T>>;

interface Described<C extends z.ZodType> {
  /** As in YAML: `probabilistic_sampler`. */
  readonly type: string;
  /** Older names that still work, each with one deprecation line. */
  readonly aliases?: readonly string[];
  /** One sentence for the reference and `components`. */
  readonly summary: string;
  /** Settings, with defaults and descriptions on each field. */
  readonly config: C;
  /** Configs that a test validates. `yaml` is the component's entry: `batch: { timeout: 1s }`. */
  readonly examples: readonly { readonly title: string; readonly yaml: string }[];
  /**
   * Whether each thread of `service::workers` may have an instance of its own: what one does needs nothing that another
   * knows, and has nothing that only one can have. Left out it has one instance, in the main thread. The settings of such
   * a component are plain data, which can be sent to a thread.
   */
  readonly perWorker?: boolean | ((config: z.output<C>) => boolean);
}

type PerSignal<F extends { [S in Signal]: unknown }> = { readonly [S in Signal]?: F[S] };

export type SignalStability = { readonly [S in Signal]?: Stability };

/** Started before data flows, stopped after. Both are safe to call twice. */
export interface Lifecycle {
  start?(): Promise<void>;
  stop?(): Promise<void>;
}

/** Stops taking first (`stop` waits for requests in flight), then the pipelines drain. */
export interface Receiver extends Lifecycle {}

export interface Exporter<T extends Pdata = Pdata> extends Lifecycle {
  /** Whether it keeps on disk what it has acked: processors that hold data may then wait with their own answer. */
  readonly isDurable?: boolean;
  /** Takes a delivery and owes it an answer. */
  consume(delivery: Delivery<T>): void;
  /** Shutdown has begun: data still comes, but what waits for a next attempt gets it now. `deadlineMs` as for `drain`. */
  hurry?(deadlineMs: number): void;
  /**
   * Sends what is held, until `deadlineMs` of `host.clock.monotonicMs()`; resolves when empty or out of time. `forGood`
   * says that the configuration has no such exporter any more: then also what is on disk for the next start.
   */
  drain?(deadlineMs: number, options?: { readonly forGood: boolean }): Promise<void>;
  /** Live facts for people: `{ label: "queue", text: "0 %" }`. */
  facts?(): readonly { readonly label: string; readonly text: string }[];
}

export interface Connector<T extends Pdata = Pdata> extends Exporter<T> {}

export interface ReceiverDefinition<C extends z.ZodType = z.ZodType> extends Described<C> {
  readonly kind: "receiver";
  readonly stability: SignalStability;
  /** One instance per id, for all its signals: those of `host.outlets`. */
  readonly create: (config: z.output<C>, host: ReceiverHost) => Receiver;
}

export interface ProcessorDefinition<C extends z.ZodType = z.ZodType>
  extends Described<C>,
    PerSignal<{ [S in Signal]: (config: z.output<C>, host: ProcessorHost) => Operator<PdataOf[S]> }> {
  readonly kind: "processor";
  readonly stability: SignalStability;
  /** Whether it gathers data from several deliveries: the Collector counts no incoming and outgoing items of those. */
  readonly holdsData?: boolean;
}

export interface ExporterDefinition<C extends z.ZodType = z.ZodType>
  extends Described<C>,
    PerSignal<{ [S in Signal]: (config: z.output<C>, host: ExporterHost) => Exporter<PdataOf[S]> }> {
  readonly kind: "exporter";
  readonly stability: SignalStability;
}

/** Signal pairs a connector joins, as `traces_to_metrics`. */
export type SignalPair = `${Signal}_to_${Signal}`;

export interface ConnectorDefinition<C extends z.ZodType = z.ZodType> extends Described<C> {
  readonly kind: "connector";
  readonly stability: { readonly [P in SignalPair]?: Stability };
  /** One instance per pair and id. `host.signal` is what it takes, `host.outlets` has the signal it gives. */
  readonly create: (config: z.output<C>, host: ConnectorHost) => Connector;
}

export interface ExtensionDefinition<C extends z.ZodType = z.ZodType> extends Described<C> {
  readonly kind: "extension";
  readonly stability: Stability;
  /** What settings of other components may name it as. A configuration that names it as something else is refused. */
  readonly roles?: (config: z.output<C>) => readonly ExtensionRole[];
  readonly create: (config: z.output<C>, host: ExtensionHost) => Lifecycle;
}

type Without<D extends { kind: string }> = Omit<D, "kind">;

export function receiver<C extends z.ZodType>(definition: Without<ReceiverDefinition<C>>): ReceiverDefinition<C> {
  return { kind: "receiver", ...definition };
}

export function processor<C extends z.ZodType>(definition: Without<ProcessorDefinition<C>>): ProcessorDefinition<C> {
  return { kind: "processor", ...definition };
}

export function exporter<C extends z.ZodType>(definition: Without<ExporterDefinition<C>>): ExporterDefinition<C> {
  return { kind: "exporter", ...definition };
}

export function connector<C extends z.ZodType>(definition: Without<ConnectorDefinition<C>>): ConnectorDefinition<C> {
  return { kind: "connector", ...definition };
}

export function extension<C extends z.ZodType>(definition: Without<ExtensionDefinition<C>>): ExtensionDefinition<C> {
  return { kind: "extension", ...definition };
}
