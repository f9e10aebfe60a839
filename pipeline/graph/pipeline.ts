import { map, type Observable, Subject, type Subscription } from "rxjs";
import type { Exporter, Operator } from "../component.ts";
import type { Delivery } from "../delivery.ts";
import type { Clock } from "../host.ts";
import type { Pdata, Signal } from "../pdata/index.ts";
import { type Crossing, CrossingDelivery, type EdgeCount } from "./books.ts";
import { fanOut, handOver, type Inlet } from "./fan_out.ts";
import { type Ledger, shuttingDown } from "./intake.ts";
import { edgeBetween, type GraphNode } from "./node.ts";

export interface Stage<C> {
  readonly node: GraphNode;
  readonly component: C;
}

export interface PipelineParts {
  readonly pipelineId: string;
  readonly signal: Signal;
  readonly processors: readonly Stage<Operator<Pdata>>[];
  readonly exporters: readonly Stage<Exporter>[];
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** An RxJS error in the stream: a bug, since refusals travel as answers. */
  readonly onBroken: (error: unknown) => void;
}

/** A running pipeline: one stream of deliveries through its processors, then to all of its exporters. */
export class Pipeline {
  readonly pipelineId: string;
  readonly edges: EdgeCount[] = [];
  readonly #parts: PipelineParts;
  readonly #source = new Subject<Delivery>();
  readonly #stream: Observable<Delivery>;
  readonly #end: Inlet;
  #subscription: Subscription | undefined;
  #completed: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: PipelineParts) {
    this.pipelineId = parts.pipelineId;
    this.#parts = parts;
    this.#stream = this.#throughProcessors();
    this.#end = this.#exit(parts.processors.at(-1)?.node);
  }

  /** Lets data through: processors set their timers now. To be called before anything that feeds it starts. */
  start(): void {
    let resolve = () => {};
    this.#completed = new Promise((done) => (resolve = done));
    this.#subscription = this.#stream.subscribe({
      next: (delivery) => this.#end.take(delivery),
      complete: resolve,
      error: (error: unknown) => {
        this.#closed = true;
        resolve();
        this.#parts.onBroken(error);
      },
    });
  }

  /** Where deliveries from `node`, a receiver or a connector, come in. */
  inletFrom(node: GraphNode): Inlet {
    const first = this.#parts.processors[0];
    if (first === undefined) return this.#unlessClosed(this.#exit(undefined, node));
    const crossing = this.#crossing(undefined, node, first.node);
    return this.#unlessClosed({ take: (delivery) => this.#source.next(this.#cross(delivery, crossing)) });
  }

  /** Lets nothing in any more, flushes the processors and waits for them until `deadlineMs`; then gives them up. */
  async complete(deadlineMs: number): Promise<void> {
    this.#closed = true;
    this.#source.complete();
    const { clock } = this.#parts;
    let timer: object | undefined;
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimer(resolve, Math.max(0, deadlineMs - clock.monotonicMs()));
    });
    await Promise.race([this.#completed, late]);
    if (timer !== undefined) clock.clearTimer(timer);
    this.#subscription?.unsubscribe();
  }

  #throughProcessors(): Observable<Delivery> {
    let stream: Observable<Delivery> = this.#source;
    let previous: GraphNode | undefined;
    for (const { node, component } of this.#parts.processors) {
      if (previous !== undefined) {
        const crossing = this.#crossing(previous, previous, node);
        stream = stream.pipe(map((delivery) => this.#cross(delivery, crossing)));
      }
      stream = stream.pipe(component);
      previous = node;
    }
    return stream;
  }

  /** The way out to all exporters. `last` is the processor whose output it is; without one, `from` only names the edges. */
  #exit(last: GraphNode | undefined, from: GraphNode | undefined = last): Inlet {
    const { exporters } = this.#parts;
    const [only] = exporters;
    const inletOf = (books: GraphNode | undefined, { node, component }: Stage<Exporter>): Inlet => {
      const crossing = this.#crossing(books, from, node);
      const inlet: Inlet = { take: (delivery) => component.consume(delivery) };
      return { take: (delivery) => handOver(this.#cross(delivery, crossing), inlet) };
    };
    if (only !== undefined && exporters.length === 1) return inletOf(last, only);
    const inlets = exporters.map((stage) => inletOf(undefined, stage));
    const onSecondAnswer = () => this.#parts.ledger.secondAnswer(this.pipelineId);
    if (last === undefined) return { take: (delivery) => fanOut(delivery, inlets, onSecondAnswer) };
    const crossing: Crossing = { from: last.books };
    return { take: (delivery) => fanOut(this.#cross(delivery, crossing), inlets, onSecondAnswer) };
  }

  #crossing(bookedFrom: GraphNode | undefined, from: GraphNode | undefined, to: GraphNode): Crossing {
    const edge = from && edgeBetween(from, to, this.#parts);
    if (edge !== undefined) this.edges.push(edge);
    return { ...(bookedFrom && { from: bookedFrom.books }), to: to.books, ...(edge && { edge }) };
  }

  #cross(delivery: Delivery, crossing: Crossing): Delivery {
    return new CrossingDelivery(delivery, delivery.data, crossing, () =>
      this.#parts.ledger.secondAnswer(crossing.edge?.to ?? this.pipelineId),
    );
  }

  #unlessClosed(inlet: Inlet): Inlet {
    return {
      take: (delivery) => {
        if (this.#closed) delivery.nack(shuttingDown());
        else inlet.take(delivery);
      },
    };
  }
}
