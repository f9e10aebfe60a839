import type { Connector, Exporter, Operator, Receiver } from "../component.ts";
import type { ResolvedConfig, ResolvedPipeline } from "../config/resolved.ts";
import type { ExporterHost, Logger, Outlets, ProcessorHost } from "../host.ts";
import type { Pdata, Signal } from "../pdata/index.ts";
import { receiverMeter } from "../telemetry/item_metrics.ts";
import type { EdgeCount } from "./books.ts";
import type { Inlet } from "./fan_out.ts";
import { Hosts, type Surroundings } from "./hosts.ts";
import { ConnectorIntake, Intake, Ledger } from "./intake.ts";
import { type GraphNode, graphNode } from "./node.ts";
import { Pipeline, type Stage } from "./pipeline.ts";

/** Everything between the receivers' sockets and the exporters', built but not started. */
export interface Graph {
  readonly ledger: Ledger;
  readonly receivers: readonly (Stage<Receiver> & { readonly id: string })[];
  readonly connectors: readonly ConnectorStage[];
  readonly exporters: readonly Stage<Exporter>[];
  /** Those nearer to the receivers first: the order in which they drain. */
  readonly pipelines: readonly Pipeline[];
  readonly nodes: readonly GraphNode[];
  edges(): readonly EdgeCount[];
}

export interface ConnectorStage extends Stage<Connector> {
  /** The pipelines it takes from: it can drain when these have. */
  readonly feeders: readonly string[];
  /** The pipelines it gives to: they can drain when it has. */
  readonly targets: readonly string[];
}

/**
 * Builds the graph of a checked config.
 *
 * Instances as in the Collector: a receiver per id, a processor per pipeline and id, an exporter per signal and id, a
 * connector per signal pair and id.
 */
export function buildGraph(config: ResolvedConfig, surroundings: Surroundings, logger: Logger): Graph {
  return new GraphBuilder(config, surroundings, logger).build();
}

class GraphBuilder {
  readonly #config: ResolvedConfig;
  readonly #surroundings: Surroundings;
  readonly #hosts: Hosts;
  readonly #ledger: Ledger;
  readonly #nodes: GraphNode[] = [];
  readonly #exporters = new Map<string, Stage<Exporter>>();
  readonly #connectors = new Map<string, ConnectorStage>();
  /** Ids of pipelines that end in a queue on disk. */
  readonly #durable = new Set<string>();
  /** Finished last-first: a pipeline is complete only when all that it feeds are. */
  readonly #pipelines = new Map<string, Pipeline>();

  constructor(config: ResolvedConfig, surroundings: Surroundings, logger: Logger) {
    this.#config = config;
    this.#surroundings = surroundings;
    this.#hosts = new Hosts(surroundings);
    this.#ledger = new Ledger({ budget: surroundings.budget, clock: surroundings.clock, logger });
  }

  build(): Graph {
    for (const pipeline of this.#config.service.pipelines.values()) this.#pipeline(pipeline);
    const receivers = this.#receivers();
    const pipelines = [...this.#pipelines.values()].reverse();
    return {
      ledger: this.#ledger,
      receivers,
      connectors: [...this.#connectors.values()],
      exporters: [...this.#exporters.values()],
      pipelines,
      nodes: this.#nodes,
      edges: () => pipelines.flatMap((pipeline) => pipeline.edges),
    };
  }

  #pipeline(resolved: ResolvedPipeline): Pipeline {
    const known = this.#pipelines.get(resolved.id);
    if (known !== undefined) return known;
    const { id: pipelineId, signal } = resolved;
    const exporters = resolved.exporters.flatMap((id) =>
      this.#config.connectors.has(id) ? this.#connectorsFrom(resolved, id) : [this.#exporter(id, signal)],
    );
    const isDurable = exporters.some((stage) => this.#isDurable(stage));
    if (isDurable) this.#durable.add(pipelineId);
    const pipeline = new Pipeline({
      pipelineId,
      signal,
      processors: resolved.processors.map((id) => this.#processor(id, resolved, isDurable)),
      exporters,
      ledger: this.#ledger,
      clock: this.#surroundings.clock,
      onBroken: (error) =>
        this.#surroundings.fatal(new Error(`pipeline "${pipelineId}" ended by an error inside it`, { cause: error })),
    });
    this.#pipelines.set(pipelineId, pipeline);
    return pipeline;
  }

  /** Whether an exporter keeps on disk what it acks, or a connector leads to one that does. */
  #isDurable(stage: Stage<Exporter> | ConnectorStage): boolean {
    if ("targets" in stage) return stage.targets.some((pipelineId) => this.#durable.has(pipelineId));
    return stage.component.isDurable === true;
  }

  #processor(id: string, { signal, id: pipelineId }: ResolvedPipeline, isDurable: boolean): Stage<Operator<Pdata>> {
    const { definition, config } = mustGet(this.#config.processors, id);
    // The checks of the config have made sure that the component supports the signal.
    const create = definition[signal] as ((config: unknown, host: ProcessorHost) => Operator<Pdata>) | undefined;
    if (create === undefined) throw unsupported("processor", id, signal);
    const { holdsData = false } = definition;
    const node = this.#add(graphNode("processor", id, pipelineId, { pipelineId, holdsData }));
    const host = this.#hosts.processor(id, signal, pipelineId, node.books, isDurable);
    return { node, component: create(config, host) };
  }

  #exporter(id: string, signal: Signal): Stage<Exporter> {
    const key = `${signal}:${id}`;
    const known = this.#exporters.get(key);
    if (known !== undefined) return known;
    const { definition, config } = mustGet(this.#config.exporters, id);
    const create = definition[signal] as ((config: unknown, host: ExporterHost) => Exporter) | undefined;
    if (create === undefined) throw unsupported("exporter", id, signal);
    const node = this.#add(graphNode("exporter", id, signal, { facts: () => component.facts?.() ?? [] }));
    const component = create(config, this.#hosts.exporter(id, signal, node.books));
    const stage = { node, component };
    this.#exporters.set(key, stage);
    return stage;
  }

  /** The connector `id` as an exporter of `from`: one instance for each signal that it feeds. */
  #connectorsFrom(from: ResolvedPipeline, id: string): Stage<Exporter>[] {
    const fed = [...this.#config.service.pipelines.values()].filter((pipeline) => pipeline.receivers.includes(id));
    return [...new Set(fed.map((pipeline) => pipeline.signal))].flatMap((to) => {
      const { definition, config } = mustGet(this.#config.connectors, id);
      if (definition.stability[`${from.signal}_to_${to}`] === undefined) return [];
      const key = `${from.signal}_to_${to}:${id}`;
      const known = this.#connectors.get(key);
      const feeders = this.#feeders(from.signal, id);
      if (known !== undefined) return [known];
      const node = this.#add(graphNode("connector", id, `${from.signal}_to_${to}`));
      const targets = fed.filter((pipeline) => pipeline.signal === to).map((pipeline) => this.#pipeline(pipeline));
      const inlets = targets.map((pipeline) => pipeline.inletFrom(node));
      const outlets: Outlets = { [to]: new ConnectorIntake(node.key, inlets, this.#ledger) };
      const component = definition.create(config, this.#hosts.connector(id, from.signal, outlets, node.books));
      const stage = { node, component, feeders, targets: targets.map((pipeline) => pipeline.pipelineId) };
      this.#connectors.set(key, stage);
      return [stage];
    });
  }

  #feeders(signal: Signal, connectorId: string): string[] {
    return [...this.#config.service.pipelines.values()]
      .filter((pipeline) => pipeline.signal === signal && pipeline.exporters.includes(connectorId))
      .map((pipeline) => pipeline.id);
  }

  #receivers(): (Stage<Receiver> & { id: string })[] {
    const pipelines = [...this.#config.service.pipelines.values()];
    const used = new Set(pipelines.flatMap((pipeline) => pipeline.receivers));
    return [...used].flatMap((id) => {
      const resolved = this.#config.receivers.get(id);
      if (resolved === undefined) return [];
      const node = this.#add(graphNode("receiver", id, ""));
      const outlets: Partial<Record<Signal, Intake<Pdata>>> = {};
      for (const signal of new Set(pipelines.map((pipeline) => pipeline.signal))) {
        const inlets = this.#inletsOf(node, id, signal);
        if (inlets.length === 0) continue;
        const meter = receiverMeter(this.#surroundings.metrics.meter({ receiver: id }), signal);
        outlets[signal] = new Intake(node.key, node.books, inlets, this.#ledger, meter);
      }
      const component = resolved.definition.create(resolved.config, this.#hosts.receiver(id, outlets));
      return [{ node, component, id }];
    });
  }

  #inletsOf(node: GraphNode, receiverId: string, signal: Signal): Inlet[] {
    return [...this.#config.service.pipelines.values()]
      .filter((pipeline) => pipeline.signal === signal && pipeline.receivers.includes(receiverId))
      .map((pipeline) => this.#pipeline(pipeline).inletFrom(node));
  }

  #add(node: GraphNode): GraphNode {
    this.#nodes.push(node);
    return node;
  }
}

function mustGet<T>(components: ReadonlyMap<string, T>, id: string): T {
  const found = components.get(id);
  if (found === undefined) throw new Error(`component "${id}" is not configured`);
  return found;
}

function unsupported(kind: string, id: string, signal: Signal): Error {
  return new Error(`failed to create "${id}" ${kind} for data type "${signal}": telemetry type is not supported`);
}
