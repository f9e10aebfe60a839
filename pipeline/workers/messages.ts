import type { TelemetryConfig } from "../config/telemetry.ts";
import type { Plan } from "../graph/plan.ts";
import type { LogLevel } from "../telemetry/logger.ts";
import type { Sample } from "../telemetry/meter.ts";
import type { FinishedSpan } from "../telemetry/tracing/tracing.ts";
import type { EdgeView, NodeView } from "../view.ts";
import type { CallerGone, Passage, PassageAnswer, PassageNote } from "./gates.ts";
import type { WorkerConfig } from "./worker_config.ts";

/** What a worker is started with. */
export interface WorkerStart {
  readonly index: number;
  readonly version: string;
  readonly gates: ReadonlySet<string>;
  readonly config: WorkerConfig;
  readonly telemetry: TelemetryConfig;
  readonly logLevel: LogLevel;
  /** Whether own spans are recorded. */
  readonly isTraced: boolean;
  /** Whether it makes sure that nobody else has the ports. */
  readonly probes: boolean;
  readonly account: SharedArrayBuffer;
  readonly budgetBytes: number;
  readonly memoryLimitBytes: number;
}

/** What a worker can be asked to do. Each is answered by `done`. */
export interface WorkerCalls {
  /** Builds and starts what a configuration adds. */
  prepare(config: WorkerConfig, graceMs: number): Promise<Plan>;
  /** Leads data that way; `left` resolves when nothing goes the former way any more. */
  commit(graceMs: number): Promise<void>;
  left(): Promise<void>;
  abandon(graceMs: number): Promise<void>;
  /** Delivers what is held and stops everything. */
  stop(graceMs: number): Promise<{ readonly unanswered: number; readonly faults: number }>;
  /** Says how things stand, by `figures`, now. */
  refresh(): Promise<void>;
}

export interface Call {
  readonly kind: "call";
  readonly number: number;
  readonly method: keyof WorkerCalls;
  readonly args: readonly unknown[];
}

export interface Answers {
  readonly kind: "answers";
  readonly answers: readonly PassageAnswer[];
}

export type ToWorker = Call | Answers | PassageNote | { readonly kind: "log_level"; readonly level: LogLevel };

/** How things stand in a worker. */
export interface Figures {
  readonly kind: "figures";
  readonly nodes: readonly (Omit<NodeView, "facts"> & { readonly facts: ReturnType<NodeView["facts"]> })[];
  readonly edges: readonly EdgeView[];
  readonly samples: readonly Sample[];
  readonly loopLagMs: number;
}

/** A line for the log. */
export interface LogLine {
  readonly kind: "log";
  readonly level: "debug" | "info" | "warn" | "error";
  readonly component: Readonly<Record<string, string>>;
  readonly fields: object;
  readonly message: string;
}

export type FromWorker =
  | Passage
  | CallerGone
  | Figures
  | LogLine
  /** Of own spans that are recorded there. */
  | { readonly kind: "span_started"; readonly name: string }
  | { readonly kind: "span_ended"; readonly span: FinishedSpan }
  | { readonly kind: "ready" }
  /** It could not start, or a component reports what the process cannot live with. */
  | { readonly kind: "fatal"; readonly error: Error }
  | { readonly kind: "done"; readonly number: number; readonly value?: unknown; readonly error?: Error };
