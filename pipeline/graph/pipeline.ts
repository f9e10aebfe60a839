import type { Exporter } from "../component.ts";
import type { Delivery } from "../delivery.ts";
import type { Signal } from "../pdata/index.ts";
import { type Crossing, CrossingDelivery, type EdgeCount, type EdgeCounts } from "./books.ts";
import { fanOut, handOver, type Inlet } from "./fan_out.ts";
import { type Ledger, nowhere } from "./intake.ts";
import type { GraphNode } from "./node.ts";
import type { ProcessorStage } from "./processor_stage.ts";
import type { Tenure } from "./tenure.ts";

/** One component instance that runs in the graph. */
export interface Stage<C> {
  readonly node: GraphNode;
  readonly component: C;
  readonly tenure: Tenure;
}

export interface PipelineParts {
  readonly pipelineId: string;
  readonly signal: Signal;
  readonly processors: readonly ProcessorStage[];
  readonly exporters: readonly Stage<Exporter>[];
  readonly ledger: Ledger;
  readonly edgeCounts: EdgeCounts;
}

/** The way of deliveries through the processors of one pipeline, then to all of its exporters. */
export class Pipeline {
  readonly pipelineId: string;
  readonly edges: EdgeCount[] = [];
  readonly processors: readonly ProcessorStage[];
  readonly #parts: PipelineParts;
  /** What each processor gives to. */
  readonly #ways: readonly Inlet[];
  #closed = false;

  constructor(parts: PipelineParts) {
    this.pipelineId = parts.pipelineId;
    this.processors = parts.processors;
    this.#parts = parts;
    this.#ways = parts.processors.map((stage, index) => {
      const behind = parts.processors[index + 1];
      return behind === undefined ? this.#exit(stage.node) : this.#into(behind, stage.node, stage.node);
    });
    for (const [index, stage] of this.processors.entries()) {
      if (stage.next === nowhere) stage.next = this.#ways[index] ?? nowhere;
    }
  }

  /** Starts the processors that do not run yet. To be called before anything that feeds them starts. */
  start(): void {
    for (const stage of this.processors) stage.start();
  }

  /** Joins the processors to each other and to the exporters, also those that were part of another pipeline until now. */
  connect(): void {
    for (const [index, stage] of this.processors.entries()) stage.next = this.#ways[index] ?? nowhere;
  }

  /** Where deliveries from `node`, a receiver or a connector, come in. */
  inletFrom(node: GraphNode): Inlet {
    const [first] = this.processors;
    const inlet = first === undefined ? this.#exit(undefined, node) : this.#into(first, undefined, node);
    return {
      take: (delivery) => {
        if (this.#closed) nowhere.take(delivery);
        else inlet.take(delivery);
      },
    };
  }

  /** Lets nothing in any more and flushes `stages`, in their order; what is held past `deadlineMs` is given up. */
  async complete(deadlineMs: number, stages: readonly ProcessorStage[] = this.processors): Promise<void> {
    this.#closed = true;
    for (const stage of stages) await stage.complete(deadlineMs);
  }

  #into(stage: ProcessorStage, bookedFrom: GraphNode | undefined, from: GraphNode): Inlet {
    const crossing = this.#crossing(bookedFrom, from, stage.node);
    return { take: (delivery) => stage.take(this.#cross(delivery, crossing)) };
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
    const edge = from && this.#parts.edgeCounts.between(from.key, to.key, this.#parts);
    if (edge !== undefined) this.edges.push(edge);
    return { ...(bookedFrom && { from: bookedFrom.books }), to: to.books, ...(edge && { edge }) };
  }

  #cross(delivery: Delivery, crossing: Crossing): Delivery {
    return new CrossingDelivery(delivery, delivery.data, crossing, () =>
      this.#parts.ledger.secondAnswer(crossing.edge?.to ?? this.pipelineId),
    );
  }
}
