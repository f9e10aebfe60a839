import type { Lifecycle } from "../component.ts";
import type { Clock, Logger } from "../host.ts";
import type { Books } from "../view.ts";
import type { ConnectorStage, Graph } from "./build.ts";
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
  for (const { component } of graph.exporters) component.hurry?.(deadlineMs);
  await drainPipelines(graph, deadlineMs, async ({ node, component }) => {
    await attempt("Draining", node, () => component.drain?.(deadlineMs));
    await stop(node, component);
  });
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

/** Completes all pipelines, side by side but each behind the connectors that feed it, and those behind their pipelines. */
async function drainPipelines(
  { pipelines, connectors }: Graph,
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
