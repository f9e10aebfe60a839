import { type Observable, Subject, type Subscription } from "rxjs";
import type { Operator } from "../component.ts";
import { untilDeadline } from "../deadline.ts";
import type { Delivery } from "../delivery.ts";
import type { Clock, Histogram } from "../host.ts";
import type { Pdata } from "../pdata/index.ts";
import type { TraceSpan } from "../tracing.ts";
import type { Inlet } from "./fan_out.ts";
import { nowhere } from "./intake.ts";
import type { GraphNode } from "./node.ts";
import type { Tenure } from "./tenure.ts";

export interface ProcessorParts {
  readonly node: GraphNode;
  readonly tenure: Tenure;
  readonly operator: Operator<Pdata>;
  /** Whether its host was told that an exporter behind it keeps on disk what it has acked. */
  readonly isDurableBehind: boolean;
  readonly clock: Clock;
  /** Takes how long it worked on each delivery, in seconds, where that is measured. */
  readonly duration?: Histogram | undefined;
  /** An RxJS error in the stream: a bug, since refusals travel as answers. */
  readonly onBroken: (error: unknown) => void;
}

/** One running processor of a pipeline: a stream through its operator, to whatever is behind it at the moment. */
export class ProcessorStage implements Inlet {
  readonly node: GraphNode;
  readonly tenure: Tenure;
  readonly isDurableBehind: boolean;
  /** Where its output goes; set before it starts, and again when the pipeline changes behind it. */
  next: Inlet = nowhere;
  readonly #parts: ProcessorParts;
  readonly #source = new Subject<Delivery>();
  readonly #stream: Observable<Delivery>;
  #subscription: Subscription | undefined;
  #completed: Promise<void> = Promise.resolve();
  #closed = false;
  /** When it began with the delivery at hand; undefined when nothing is measured or its output is there. */
  #begunMs: number | undefined;
  /** The span that the delivery at hand is a part of. */
  #trace: TraceSpan | undefined;

  constructor(parts: ProcessorParts) {
    this.node = parts.node;
    this.tenure = parts.tenure;
    this.isDurableBehind = parts.isDurableBehind;
    this.#parts = parts;
    this.#stream = parts.operator(this.#source);
  }

  /** Lets data through: timers are set now. Does nothing when it runs. */
  start(): void {
    if (this.#subscription !== undefined) return;
    let resolve = () => {};
    this.#completed = new Promise((done) => (resolve = done));
    this.#subscription = this.#stream.subscribe({
      next: (delivery) => {
        this.#worked();
        this.next.take(delivery);
      },
      complete: resolve,
      error: (error: unknown) => {
        this.#closed = true;
        resolve();
        this.#parts.onBroken(error);
      },
    });
  }

  take(delivery: Delivery): void {
    if (this.#closed) {
      nowhere.take(delivery);
      return;
    }
    if (this.#parts.duration !== undefined) this.#begunMs = this.#parts.clock.monotonicMs();
    if (delivery.client.trace !== undefined && this.node.holdsData !== true) {
      this.#trace = delivery.client.trace;
      this.#trace.event("Start processing.", { processor: this.node.id });
    }
    this.#source.next(delivery);
    this.#worked();
  }

  /** The end of its own work on a delivery: what follows is that of those behind it. */
  #worked(): void {
    this.#trace?.event("End processing.", { processor: this.node.id });
    this.#trace = undefined;
    if (this.#begunMs === undefined) return;
    this.#parts.duration?.record((this.#parts.clock.monotonicMs() - this.#begunMs) / 1000);
    this.#begunMs = undefined;
  }

  /** Lets nothing in any more, flushes what is held and waits for that until `deadlineMs`; then gives it up. */
  async complete(deadlineMs: number): Promise<void> {
    this.#closed = true;
    this.#source.complete();
    await untilDeadline(this.#parts.clock, deadlineMs, this.#completed);
    this.#subscription?.unsubscribe();
    this.tenure.end();
  }
}
