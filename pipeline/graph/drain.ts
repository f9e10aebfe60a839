import type { Lifecycle } from "../component.ts";
import type { Clock, Logger } from "../host.ts";
import type { Books } from "../view.ts";
import type { Graph } from "./build.ts";
import type { GraphNode } from "./node.ts";

/** The books at the end of a service's life. */
export interface Report {
  readonly nodes: readonly { readonly node: GraphNode; readonly books: Books }[];
  /** Deliveries nobody had answered when time ran out; their senders were told to come back. */
  readonly unanswered: number;
  /** Bugs seen: deliveries answered twice or never. */
  readonly faults: number;
}

/**
 * Empties the graph from its receivers to its exporters and stops every component, until `deadlineMs` of the clock's
 * monotonic time. Errors of a component are logged and never end the sequence.
 */
export async function drainGraph(graph: Graph, clock: Clock, logger: Logger, deadlineMs: number): Promise<Report> {
  const attempt = async (what: string, node: GraphNode, run: () => Promise<void> | undefined) => {
    try {
      await withinDeadline(clock, deadlineMs, run());
    } catch (error) {
      logger.error({ "otelcol.component.id": node.id, error }, `${what} a component failed.`);
    }
  };
  const stop = (node: GraphNode, component: Lifecycle) => attempt("Stopping", node, () => component.stop?.());

  await Promise.all(graph.receivers.map(({ node, component }) => stop(node, component)));
  graph.ledger.close();
  const complete = new Set<string>();
  const pendingConnectors = new Set(graph.connectors);
  for (const pipeline of graph.pipelines) {
    await pipeline.complete(deadlineMs);
    complete.add(pipeline.pipelineId);
    for (const connector of pendingConnectors) {
      if (!connector.feeders.every((feeder) => complete.has(feeder))) continue;
      pendingConnectors.delete(connector);
      const { node, component } = connector;
      await attempt("Draining", node, () => component.drain?.(deadlineMs));
      await stop(node, component);
    }
  }
  await Promise.all(
    graph.exporters.map(({ node, component }) => attempt("Draining", node, () => component.drain?.(deadlineMs))),
  );
  const unanswered = graph.ledger.refuseRest();
  await Promise.all(graph.exporters.map(({ node, component }) => stop(node, component)));
  return {
    nodes: graph.nodes.map((node) => ({ node, books: node.books })),
    unanswered,
    faults: graph.ledger.faults,
  };
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
