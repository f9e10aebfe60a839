import type { Lifecycle } from "../component.ts";
import { untilDeadline } from "../deadline.ts";
import type { Clock, Logger } from "../host.ts";
import type { Books, NodeView } from "../view.ts";
import type { ConnectorStage, Graph } from "./build.ts";
import type { Stage } from "./pipeline.ts";

/** The books at the end of a service's life. */
export interface Report {
  readonly nodes: readonly { readonly node: NodeView; readonly books: Books }[];
  /** Deliveries nobody had answered when time ran out; their senders were told to come back. */
  readonly unanswered: number;
  /** Bugs seen: deliveries answered twice or never. */
  readonly faults: number;
}

/** Time and log for emptying a graph, and until when, in the clock's monotonic time. */
export interface DrainOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly deadlineMs: number;
}

/**
 * Empties the graph from its receivers to its exporters and stops every component. Errors of a component are logged and
 * never end the sequence. What `leaving` stands for has deliveries of its own: they are waited for too.
 */
export async function drainGraph(
  graph: Graph,
  options: DrainOptions,
  leaving: Promise<unknown> = Promise.resolve(),
): Promise<Report> {
  const drain = new Drain(graph, options, false);
  await drain.stopReceivers();
  graph.ledger.close();
  await drain.empty();
  await untilDeadline(options.clock, options.deadlineMs, leaving);
  const unanswered = graph.ledger.refuseRest();
  await drain.stopExporters();
  return {
    nodes: graph.nodes.map((node) => ({ node, books: node.books })),
    unanswered,
    faults: graph.ledger.faults,
  };
}

/** The instances of a graph that another one does not share with it. Emptied and stopped beside that other one. */
export class Leaving {
  readonly #parts: Parts;

  constructor(graph: Graph, next: Graph) {
    const without = <S extends Stage<unknown>>(stages: readonly S[], others: readonly Stage<unknown>[]) =>
      stages.filter(({ component }) => !others.some((other) => other.component === component));
    const kept = new Set(next.pipelines.flatMap(({ processors }) => processors));
    this.#parts = {
      receivers: without(graph.receivers, next.receivers),
      connectors: without(graph.connectors, next.connectors),
      exporters: without(graph.exporters, next.exporters),
      pipelines: graph.pipelines.map((pipeline) => {
        const processors = pipeline.processors.filter((stage) => !kept.has(stage));
        const complete = (deadlineMs: number) => pipeline.complete(deadlineMs, processors);
        return { pipelineId: pipeline.pipelineId, processors, complete };
      }),
    };
  }

  /** Says whether what the instances alone have may be handed on to others. */
  set isEnding(isEnding: boolean) {
    const { receivers, connectors, exporters, pipelines } = this.#parts;
    const stages = [...receivers, ...connectors, ...exporters, ...pipelines.flatMap(({ processors }) => processors)];
    for (const { tenure } of stages) tenure.isEnding = isEnding;
  }

  /** Empties and stops everything. `flushed` is called before that, when nothing goes to the other graph any more. */
  async drain(options: DrainOptions, flushed: () => void): Promise<void> {
    await this.#drain(new Drain(this.#parts, options, true), flushed);
  }

  /** The same for instances of a graph that has not come to be: the other one has what is on disk. */
  async abandon(options: DrainOptions): Promise<void> {
    await this.#drain(new Drain(this.#parts, options, false), () => {});
  }

  async #drain(drain: Drain, flushed: () => void): Promise<void> {
    await drain.stopReceivers();
    await drain.empty(flushed);
    await drain.stopExporters();
  }
}

/** What is emptied: a graph, or a part of one. */
interface Parts extends Pick<Graph, "receivers" | "connectors" | "exporters"> {
  readonly pipelines: readonly Pick<Graph["pipelines"][number], "pipelineId" | "complete" | "processors">[];
}

class Drain {
  readonly #parts: Parts;
  readonly #options: DrainOptions;
  readonly #forGood: boolean;

  constructor(parts: Parts, options: DrainOptions, forGood: boolean) {
    this.#parts = parts;
    this.#options = options;
    this.#forGood = forGood;
  }

  async stopReceivers(): Promise<void> {
    await Promise.all(this.#parts.receivers.map((stage) => this.#stop(stage)));
  }

  /** `flushed` is called when only exporters hold anything. */
  async empty(flushed = () => {}): Promise<void> {
    const { exporters } = this.#parts;
    const { deadlineMs } = this.#options;
    const drain = (stage: Stage<ConnectorStage["component"]>) =>
      this.#attempt("Draining", stage, () => stage.component.drain?.(deadlineMs, { forGood: this.#forGood }));
    for (const { component } of exporters) component.hurry?.(deadlineMs);
    await drainPipelines(this.#parts, deadlineMs, async (connector) => {
      await drain(connector);
      await this.#stop(connector);
    });
    flushed();
    await Promise.all(exporters.map(drain));
  }

  async stopExporters(): Promise<void> {
    await Promise.all(this.#parts.exporters.map((stage) => this.#stop(stage)));
  }

  async #stop(stage: Stage<Lifecycle>): Promise<void> {
    await this.#attempt("Stopping", stage, () => stage.component.stop?.());
    stage.tenure.end();
  }

  async #attempt(what: string, { node }: Stage<unknown>, run: () => Promise<void> | undefined): Promise<void> {
    const { clock, logger, deadlineMs } = this.#options;
    try {
      await withinDeadline(clock, deadlineMs, run());
    } catch (error) {
      logger.error({ "otelcol.component.id": node.id, error }, `${what} a component failed.`);
    }
  }
}

/** Completes all pipelines, side by side but each behind the connectors that feed it, and those behind their pipelines. */
async function drainPipelines(
  { pipelines, connectors }: Parts,
  deadlineMs: number,
  drain: (connector: ConnectorStage) => Promise<void>,
): Promise<void> {
  const completed = new Map<string, Promise<unknown>>();
  const drained = new Map<ConnectorStage, Promise<void>>();
  const connectorDrained = (connector: ConnectorStage) => {
    const known = drained.get(connector);
    if (known !== undefined) return known;
    const done = Promise.all(connector.feeders.map(async (id) => await completed.get(id))).then(() => drain(connector));
    drained.set(connector, done);
    return done;
  };
  // They lie in the order of the flow: what feeds a connector is in `completed` before what it gives to is looked at.
  for (const pipeline of pipelines) {
    const feeding = connectors.filter(({ targets }) => targets.includes(pipeline.pipelineId));
    const done = Promise.all(feeding.map(connectorDrained)).then(() => pipeline.complete(deadlineMs));
    completed.set(pipeline.pipelineId, done);
  }
  await Promise.all([...completed.values(), ...connectors.map(connectorDrained)]);
}

/** How long a component may take to stop once the time to drain is over. */
const stopGraceMs = 1000;

async function withinDeadline(clock: Clock, deadlineMs: number, work: Promise<void> | undefined): Promise<void> {
  if (work === undefined) return;
  let timer: object | undefined;
  const late = new Promise<never>((_, reject) => {
    const waitMs = Math.max(0, deadlineMs - clock.monotonicMs()) + stopGraceMs;
    timer = clock.setTimer(() => reject(new Error("it did not finish in time")), waitMs);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    if (timer !== undefined) clock.clearTimer(timer);
  }
}
