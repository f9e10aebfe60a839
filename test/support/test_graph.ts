import type { Connector, Exporter, Operator, Receiver } from "../../pipeline/component.ts";
import { connector, exporter, processor, receiver } from "../../pipeline/component.ts";
import type { ResolvedConfig } from "../../pipeline/config/resolved.ts";
import { z } from "../../pipeline/config/schema.ts";
import type { ConsumeError, Delivery } from "../../pipeline/delivery.ts";
import { buildGraph } from "../../pipeline/graph/build.ts";
import { drainGraph } from "../../pipeline/graph/drain.ts";
import { Exclusives } from "../../pipeline/graph/exclusives.ts";
import { Hosts, type Surroundings } from "../../pipeline/graph/hosts.ts";
import type { ConnectorHost, ExporterHost, Outlets, ProcessorHost } from "../../pipeline/host.ts";
import type { Signal, Traces } from "../../pipeline/pdata/index.ts";
import { MetricRegistry } from "../../pipeline/telemetry/meter.ts";
import { type SimulatedHost, simulatedHost } from "./simulated_host.ts";

type PipelineText = { receivers: string[]; processors?: string[]; exporters: string[] };

interface Parts {
  processors?: Record<string, (host: ProcessorHost) => Operator<Traces>>;
  exporters?: Record<string, (host: ExporterHost) => Exporter<Traces>>;
  connectors?: Record<string, (host: ConnectorHost) => Connector<Traces>>;
  pipelines: Record<string, PipelineText>;
  budgetBytes?: number;
  /** Leaves the pipelines as they are built. */
  unstarted?: true;
}

const described = { summary: "For tests.", config: z.strictObject({}), examples: [] };
const place = { source: "test.yaml", line: 1, column: 1 };

/**
 * A graph of small components given as functions, on a simulated clock. Every receiver id that a pipeline names exists
 * and is driven through `offer`.
 */
export function testGraph(parts: Parts) {
  const host: SimulatedHost = simulatedHost({ budgetBytes: parts.budgetBytes ?? 1e9 });
  const outlets = new Map<string, Outlets>();
  const pipelines = new Map(
    Object.entries(parts.pipelines).map(([id, text]) => [
      id,
      { id, signal: id.split("/")[0] as Signal, processors: [], ...text, place },
    ]),
  );
  const connectorIds = Object.keys(parts.connectors ?? {});
  const receiverIds = [...pipelines.values()]
    .flatMap(({ receivers }) => receivers)
    .filter((id) => !connectorIds.includes(id));
  const resolved = <D>(entries: readonly (readonly [string, D])[]) =>
    new Map(entries.map(([id, definition]) => [id, { id, definition, config: {}, place }]));
  const config = {
    receivers: resolved(
      [...new Set(receiverIds)].map((id) => [
        id,
        receiver({
          ...described,
          type: id,
          stability: { traces: "stable" },
          create: (_, receiverHost): Receiver => {
            outlets.set(id, receiverHost.outlets);
            return {};
          },
        }),
      ]),
    ),
    processors: resolved(
      Object.entries(parts.processors ?? {}).map(([id, create]) => [
        id,
        processor({ ...described, type: id, stability: { traces: "stable" }, traces: (_, own) => create(own) }),
      ]),
    ),
    exporters: resolved(
      Object.entries(parts.exporters ?? {}).map(([id, create]) => [
        id,
        exporter({ ...described, type: id, stability: { traces: "stable" }, traces: (_, own) => create(own) }),
      ]),
    ),
    connectors: resolved(
      Object.entries(parts.connectors ?? {}).map(([id, create]) => [
        id,
        connector({
          ...described,
          type: id,
          stability: { traces_to_traces: "stable" },
          create: (_, own) => create(own) as Connector,
        }),
      ]),
    ),
    extensions: new Map(),
    service: { extensions: [], pipelines, telemetry: {} },
    warnings: [],
  };
  const surroundings: Surroundings = {
    clock: host.clock,
    scheduler: host.scheduler,
    random: host.random,
    loggerFor: () => host.logger,
    metrics: new MetricRegistry(),
    bodies: host.bodies,
    budget: host.budget,
    memory: host.memory,
    board: host.board,
    build: host.build,
    extensions: new Map(),
    exclusives: new Exclusives(),
    gates: new Set<string>(),
    fatal: host.fatal,
  };
  const resolvedConfig = config as unknown as ResolvedConfig;
  const graph = buildGraph(resolvedConfig, surroundings, new Hosts(surroundings), host.logger);
  if (!parts.unstarted) for (const pipeline of graph.pipelines) pipeline.start();
  return {
    host,
    graph,
    /** Offers a batch at a receiver and writes down how it is answered. */
    offer(data: Traces, receiverId = "in") {
      const answers: ("ack" | ConsumeError)[] = [];
      const outlet = outlets.get(receiverId)?.traces;
      if (outlet === undefined) throw new Error(`receiver ${receiverId} has no outlet for traces`);
      const caller = { client: { address: "", transport: "internal" as const } };
      outlet.offer(data, caller, (error) => void answers.push(error ?? "ack"));
      return answers;
    },
    books(key: string) {
      const node = graph.nodes.find((candidate) => candidate.key === key);
      if (node === undefined) throw new Error(`no node ${key}: ${graph.nodes.map((one) => one.key).join(", ")}`);
      const { in: taken, out, refused, held, dropped } = node.books;
      return { in: taken, out, refused, held, dropped: Object.fromEntries(dropped) };
    },
    edges: () => graph.edges().map(({ from, to, items }) => `${from} -> ${to}: ${items}`),
    drain: (graceMs = 1000) =>
      drainGraph(graph, { clock: host.clock, logger: host.logger, deadlineMs: host.clock.monotonicMs() + graceMs }),
  };
}

/** An exporter that keeps what it gets, for the test to answer; or answers at once. */
export function collector(answer?: (delivery: Delivery<Traces>, host: ExporterHost) => void) {
  const taken: Delivery<Traces>[] = [];
  const create = (host: ExporterHost): Exporter<Traces> => ({
    consume(delivery) {
      taken.push(delivery);
      answer?.(delivery, host);
    },
  });
  return { taken, create };
}

/** Counts as sent and acks. */
export function accept(delivery: Delivery<Traces>, host: ExporterHost): void {
  host.sent(delivery.data.itemCount);
  delivery.ack();
}
