import type { SchedulerLike } from "rxjs";
import type { Board } from "./board.ts";
import type { ClientInfo, ConsumeError, Delivery } from "./delivery.ts";
import type { EncodedBody, Pdata, PdataOf, Signal } from "./pdata/index.ts";
import type { Tracer } from "./tracing.ts";
import type { ServiceView } from "./view.ts";

/** Time, as components see it: real in the daemon, simulated in tests. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
  /** Milliseconds of a clock that never goes back; only differences mean something. */
  monotonicMs(): number;
  /** Calls `run` once after `delayMs`. The handle goes to `clearTimer`; a timer left at shutdown fails tests. */
  setTimer(run: () => void, delayMs: number): Timer;
  clearTimer(timer: Timer): void;
}

/** An opaque timer handle. */
export type Timer = object;

/** Structured log lines: a sentence, values as fields. Never payloads, never headers. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** The process-wide account of bytes that are unanswered, queued or batched. */
export interface ByteBudget {
  readonly limitBytes: number;
  readonly usedBytes: number;
  /** Takes `bytes` when they fit and says whether they did: for data that enters. */
  tryTake(bytes: number): boolean;
  /** Takes `bytes` even past the limit: for data already inside that gets a second owner. */
  take(bytes: number): void;
  give(bytes: number): void;
}

/** The memory of this process against what it may use. */
export interface ProcessMemory {
  /** The cgroup's limit where there is one, else the machine's memory. */
  readonly limitBytes: number;
  /** What the process holds: JavaScript heap in use plus buffers outside of it. Costs some microseconds. */
  usedBytes(): number;
  /** Collects garbage now, blocking. */
  collect(): void;
}

/** How much of itself otelpipe measures: `service::telemetry::metrics::level`. */
export type TelemetryLevel = "none" | "basic" | "normal" | "detailed";

/** Own metrics of one component. Names and units as the Collector's (`otelcol_…`), labels of the component added. */
export interface Meter {
  counter(name: string, options: MetricOptions): Counter;
  /** A value that is read when somebody asks for it; undefined for none. Returns how to take it away again. */
  gauge(name: string, options: GaugeOptions, read: () => number | undefined, labels?: Labels): () => void;
  /** Undefined when so much detail is not measured: then nothing has to be found out for it either. */
  histogram(name: string, options: HistogramOptions): Histogram | undefined;
}

export interface Counter {
  add(value: number, labels?: Labels): void;
  /** The series of these labels, for what is counted often. It appears with its first value, zero included. */
  with(labels: Labels): { add(value: number): void };
}

export interface Histogram {
  record(value: number, labels?: Labels): void;
}

export interface MetricOptions {
  readonly description: string;
  readonly unit: string;
  /** The lowest level that measures it; `basic` unless said. */
  readonly level?: Exclude<TelemetryLevel, "none">;
  /** Whether its values are fractions. */
  readonly isDouble?: boolean;
}

export interface GaugeOptions extends MetricOptions {
  /** A total that only grows, or a part of a sum such as a size, instead of a value of its own. */
  readonly as?: "counter" | "updown";
}

export interface HistogramOptions extends MetricOptions {
  /** Upper bounds of the buckets, rising. */
  readonly bounds: readonly number[];
}

export type Labels = Readonly<Record<string, string>>;

export type Kind = "receiver" | "processor" | "exporter" | "connector" | "extension";

/** What every component gets from its surroundings; a component reaches for nothing else. */
export interface Host {
  readonly kind: Kind;
  /** The id as written by the user: `type` or `type/name`. */
  readonly id: string;
  readonly logger: Logger;
  readonly clock: Clock;
  /** The same time, for RxJS operators that want a scheduler. */
  readonly scheduler: SchedulerLike;
  /** A uniform number in [0, 1); seeded in tests. */
  random(): number;
  readonly meter: Meter;
  /** Measures requests on servers and clients, by their labels alone; undefined unless so much detail is measured. */
  readonly requests?: Meter | undefined;
  /** Starts own spans; undefined where none are recorded. */
  readonly tracer?: Tracer | undefined;
  readonly budget: ByteBudget;
  readonly memory: ProcessMemory;
  readonly board: Board;
  /** The feature gates that are on. */
  readonly gates: ReadonlySet<string>;
  readonly build: { readonly command: string; readonly version: string };
  /** The one value behind `key` for all instances of this component id, made on first use. */
  shared<T>(key: string, make: () => T): T;
  /** The running extension `id`, checked by `is`. @throws {Error} when it is missing or not of that kind. */
  extension<T>(id: string, is: (candidate: unknown) => candidate is T): T;
  /**
   * What only one component at a time can have, by a name for it such as a directory. It is opened for the first that asks,
   * and closed when the last one has released it. When the configuration changes, the component that takes the place of
   * another has it at once, as it is; `release` then leaves it open.
   * @throws {Error} when a component that goes on running has it.
   */
  exclusive<T>(name: string, options: ExclusiveOptions<T>): Promise<Exclusive<T>>;
  /**
   * Whether ports are shared with the other threads of `service::workers`; undefined where they are not. `probed`: the
   * first of them makes sure that nobody else has them.
   */
  readonly ports?: "shared" | "probed" | undefined;
  /** Reports a failure that the process cannot live with: it is logged, health fails, the service drains, exit code 1. */
  fatal(error: Error): void;
}

export interface ExclusiveOptions<T> {
  /** Makes it. `ending` is what other components have that are being replaced. */
  open(ending: readonly unknown[]): Promise<T>;
  close(thing: T): Promise<void>;
}

export interface Exclusive<T> {
  readonly thing: T;
  /** Safe to call twice. */
  release(): Promise<void>;
}

/** What moves data also keeps books: in = out + dropped + refused + held, per component. */
export interface BookedHost extends Host {
  readonly signal: Signal;
  /** Counts `items` that leave here for good without being delivered, by a documented reason such as `sampled_out`. */
  drop(items: number, reason: string): void;
  /**
   * Refuses a delivery: counts its items as refused and nacks it. The sender knows, so it is not a loss. Of one that was
   * split, `goneItems` had left already, sent on or dropped: those are not counted as refused as well.
   */
  refuse(delivery: Delivery, error: ConsumeError, goneItems?: number): void;
}

/** A processor's books count what its operator takes and emits by themselves. */
export interface ProcessorHost extends BookedHost {
  readonly pipelineId: string;
  /**
   * Whether an exporter behind it keeps on disk what it has acked. A processor that holds data answers its senders then,
   * not before: nothing that was answered for is in memory only.
   */
  readonly isDurableBehind: boolean;
}

export interface ExporterHost extends BookedHost {
  /** Labels of where it sends to, such as `server.address`: they stand on what is counted as sent and failed. */
  destination(labels: Labels): void;
  /** Measures a batch that an exporter which batches is about to send. */
  sending(data: Pdata): void;
  /** Counts items that were thrown away as asked: the exporter's `out`, sent to nobody. */
  discarded(items: number): void;
  /** Counts items a destination has taken: the exporter's `out`. */
  sent(items: number): void;
  /** Counts items that an earlier run of otelpipe left here: they came in then. */
  restored(items: number): void;
  /** Counts items whose sending failed for good, with the reason, as dropped. */
  failed(items: number, reason: string): void;
  /** Measures items of an attempt that failed for good, whoever hears of it: `send_failed`. The books do not change. */
  notSent(items: number, error: ConsumeError): void;
}

/** Where a receiver or a connector puts data: all pipelines that list it, as one. */
export interface Outlet<T extends Pdata = Pdata> {
  /**
   * Offers a batch. Admission, books and fan-out happen behind it. `answer` is called exactly once, maybe before
   * `offer` returns: without an error when the batch was taken, with one when it was not.
   */
  offer(data: T, caller: Caller, answer: (error?: ConsumeError) => void): void;
}

/** Who offers a batch: a request, or a delivery that is passed on. */
export interface Caller {
  readonly client: ClientInfo;
  readonly signal?: AbortSignal;
  /** The batch of a delivery that is passed on: while it is unanswered, its bytes stand in the budget already. */
  readonly data?: Pdata;
  mayWait?(): void;
}

export type Outlets = { readonly [S in Signal]?: Outlet<PdataOf[S]> };

/** How a request's body is written. `strict_json` is OTLP/JSON by the letter: camelCase names only, enums as integers. */
export type BodyEncoding = "protobuf" | "json" | "strict_json";

/** Reads the bodies of requests; what takes long, out of the way of everybody else. */
export interface BodyReader {
  /**
   * The batch of a body, at once when it is short. `caller.signal` ends the waiting for a long one. A batch of protobuf
   * keeps `encoded`, the body as it came, for whoever sends it on unchanged.
   *
   * @throws {WireError} when it is no request of that signal; a promise rejects with it, or with a retryable ConsumeError
   */
  read<S extends Signal>(
    signal: S,
    encoding: BodyEncoding,
    body: Buffer,
    caller: Caller,
    encoded?: EncodedBody,
  ): PdataOf[S] | Promise<PdataOf[S]>;
}

export interface ReceiverHost extends Host {
  readonly bodies: BodyReader;
  /**
   * One outlet per signal that occurs in a pipeline listing this receiver. They come and go when the configuration changes
   * while the receiver runs: to be looked up for each batch.
   */
  readonly outlets: Outlets;
  /** Counts a request, or a line of a file, that was refused before it became a batch: malformed, too large. Items unknown. */
  malformed(signal: Signal, transport: "grpc" | "http" | "file", reason: string): void;
}

export interface ConnectorHost extends BookedHost {
  readonly outlets: Outlets;
  sent(items: number): void;
}

export interface ExtensionHost extends Host {
  readonly service: ServiceView;
}
