import type { Connector, Exporter, Operator, Receiver } from "../component.ts";
import type { ResolvedConfig, ResolvedPipeline } from "../config/resolved.ts";
import type { ExporterHost, Logger, Outlets, ProcessorHost } from "../host.ts";
import type { Pdata, Signal } from "../pdata/index.ts";
import { processorDuration, receiverMeter } from "../telemetry/item_metrics.ts";
import { type EdgeCount, EdgeCounts } from "./books.ts";
import type { Inlet } from "./fan_out.ts";
import type { Hosts, Surroundings } from "./hosts.ts";
import { ConnectorIntake, Intake, Ledger, nowhere } from "./intake.ts";
import { GraphNode, nodeKey } from "./node.ts";
import { Pipeline, type Stage } from "./pipeline.ts";
import { ProcessorStage } from "./processor_stage.ts";
import { ReceiverSpans } from "./receiver_spans.ts";
import { Tenure } from "./tenure.ts";

/** Everything between the receivers' sockets and the exporters', built but not started. */
export interface Graph {
  readonly ledger: Ledger;
  readonly receivers: readonly ReceiverStage[];
  readonly connectors: readonly ConnectorStage[];
  readonly exporters: readonly Stage<Exporter>[];
  /** Those nearer to the receivers first: the order in which they drain. */
  readonly pipelines: readonly Pipeline[];
  /** Those of this graph, then those that were removed on the way to it. */
  readonly nodes: readonly GraphNode[];
  readonly edgeCounts: EdgeCounts;
  /** Ids of pipelines that end in a queue on disk. */
  readonly durable: ReadonlySet<string>;
  edges(): readonly EdgeCount[];
  /**
   * Leads data the way of this graph, between two deliveries. Instances that it shares with the graph before it go on as
   * they are, with others in front of them and behind them.
   */
  connect(): void;
}

export interface ReceiverStage extends Stage<Receiver> {
  readonly id: string;
  /** Those of its host: they change with the pipelines that list it. */
  readonly outlets: Partial<Record<Signal, Intake<Pdata>>>;
}

export interface ConnectorStage extends Stage<Connector> {
  readonly intake: ConnectorIntake<Pdata>;
  /** The pipelines it takes from: it can drain when these have. */
  readonly feeders: readonly string[];
  /** The pipelines it gives to: they can drain when it has. */
  readonly targets: readonly string[];
}

/** A graph that runs, and which of its instances may be part of the next one. */
export interface FormerGraph {
  readonly graph: Graph;
  keeps(nodeKey: string): boolean;
}

/**
 * Builds the graph of a checked config, with instances of the `former` graph where it keeps them.
 *
 * Instances as in the Collector: a receiver per id, a processor per pipeline and id, an exporter per signal and id, a
 * connector per signal pair and id.
 *
 * @throws what a component's constructor throws; nothing is left behind then.
 */
export function buildGraph(
  config: ResolvedConfig,
  surroundings: Surroundings,
  hosts: Hosts,
  logger: Logger,
  former?: FormerGraph,
): Graph {
  const builder = new GraphBuilder(config, surroundings, hosts, logger, former);
  try {
    const graph = builder.build();
    if (former === undefined) graph.connect();
    return graph;
  } catch (error) {
    builder.abandon();
    throw error;
  }
}

class GraphBuilder {
  readonly #config: ResolvedConfig;
  readonly #surroundings: Surroundings;
  readonly #hosts: Hosts;
  /** Until data is led this way. */
  #former: FormerGraph | undefined;
  readonly #ledger: Ledger;
  readonly #edgeCounts: EdgeCounts;
  readonly #tenures: Tenure[] = [];
  readonly #nodes = new Map<string, GraphNode>();
  readonly #exporters = new Map<string, Stage<Exporter>>();
  readonly #connectors = new Map<string, ConnectorStage>();
  /** Ids of pipelines that end in a queue on disk. */
  readonly #durable = new Set<string>();
  /** Finished last-first: a pipeline is complete only when all that it feeds are. */
  readonly #pipelines = new Map<string, Pipeline>();
  /** What is done when data is led this way. */
  readonly #links: (() => void)[] = [];

  constructor(
    config: ResolvedConfig,
    surroundings: Surroundings,
    hosts: Hosts,
    logger: Logger,
    former: FormerGraph | undefined,
  ) {
    this.#config = config;
    this.#surroundings = surroundings;
    this.#hosts = hosts;
    this.#former = former;
    const { budget, clock } = surroundings;
    this.#ledger = former?.graph.ledger ?? new Ledger({ budget, clock, logger });
    this.#edgeCounts = former?.graph.edgeCounts ?? new EdgeCounts();
  }

  build(): Graph {
    for (const pipeline of this.#config.service.pipelines.values()) this.#pipeline(pipeline);
    const receivers = this.#receivers();
    const pipelines = [...this.#pipelines.values()].reverse();
    const present = [...this.#nodes.values()];
    const removed = (this.#former?.graph.nodes ?? []).filter(({ key }) => !this.#nodes.has(key));
    return {
      ledger: this.#ledger,
      receivers,
      connectors: [...this.#connectors.values()],
      exporters: [...this.#exporters.values()],
      pipelines,
      nodes: [...present, ...removed],
      edgeCounts: this.#edgeCounts,
      durable: this.#durable,
      edges: () => pipelines.flatMap((pipeline) => pipeline.edges),
      connect: () => {
        for (const node of present) node.isRemoved = false;
        for (const node of removed) Object.assign(node, { isRemoved: true, component: undefined });
        for (const pipeline of pipelines) pipeline.connect();
        for (const link of this.#links.splice(0)) link();
        this.#former = undefined;
      },
    };
  }

  /** Takes away what the instances that were made left behind. */
  abandon(): void {
    for (const tenure of this.#tenures) tenure.end();
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
      edgeCounts: this.#edgeCounts,
    });
    this.#pipelines.set(pipelineId, pipeline);
    return pipeline;
  }

  /** Whether an exporter keeps on disk what it acks, or a connector leads to one that does. */
  #isDurable(stage: Stage<Exporter> | ConnectorStage): boolean {
    if ("targets" in stage) return stage.targets.some((pipelineId) => this.#durable.has(pipelineId));
    return stage.component.isDurable === true;
  }

  /** Kept only while its host tells it the truth about what is behind it. */
  #processor(id: string, { signal, id: pipelineId }: ResolvedPipeline, isDurableBehind: boolean): ProcessorStage {
    const { definition, config } = mustGet(this.#config.processors, id);
    // The checks of the config have made sure that the component supports the signal.
    const create = definition[signal] as ((config: unknown, host: ProcessorHost) => Operator<Pdata>) | undefined;
    if (create === undefined) throw unsupported("processor", id, signal);
    const { holdsData = false } = definition;
    const node = this.#node("processor", id, pipelineId, { pipelineId, holdsData });
    const stages = this.#former?.graph.pipelines.flatMap(({ processors }) => processors) ?? [];
    const known = this.#kept(node, stages);
    if (known?.isDurableBehind === isDurableBehind) return known;
    const tenure = this.#tenure();
    const host = this.#hosts.processor(id, signal, pipelineId, node.books, isDurableBehind, tenure);
    const onBroken = (error: unknown) =>
      this.#surroundings.fatal(new Error(`pipeline "${pipelineId}" ended by an error inside it`, { cause: error }));
    const { clock, metrics } = this.#surroundings;
    const duration = holdsData ? undefined : processorDuration(metrics, id, signal);
    const operator = create(config, host);
    return new ProcessorStage({ node, tenure, operator, isDurableBehind, clock, duration, onBroken });
  }

  #exporter(id: string, signal: Signal): Stage<Exporter> {
    const key = `${signal}:${id}`;
    const known = this.#exporters.get(key);
    if (known !== undefined) return known;
    const { definition, config } = mustGet(this.#config.exporters, id);
    const create = definition[signal] as ((config: unknown, host: ExporterHost) => Exporter) | undefined;
    if (create === undefined) throw unsupported("exporter", id, signal);
    const node = this.#node("exporter", id, signal);
    const make = (): Stage<Exporter> => {
      const tenure = this.#tenure();
      return { node, tenure, component: create(config, this.#hosts.exporter(id, signal, node.books, tenure)) };
    };
    const stage = this.#kept(node, this.#former?.graph.exporters) ?? make();
    this.#links.push(() => void (node.component = stage.component));
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
      const node = this.#node("connector", id, `${from.signal}_to_${to}`);
      const targets = fed.filter((pipeline) => pipeline.signal === to).map((pipeline) => this.#pipeline(pipeline));
      const inlets = targets.map((pipeline) => pipeline.inletFrom(node));
      const make = (): Pick<ConnectorStage, "node" | "tenure" | "component" | "intake"> => {
        const tenure = this.#tenure();
        const intake = new ConnectorIntake(node.key, this.#ledger);
        intake.inlets = inlets;
        const outlets: Outlets = { [to]: intake };
        const host = this.#hosts.connector(id, from.signal, outlets, node.books, tenure);
        return { node, tenure, component: definition.create(config, host), intake };
      };
      const made = this.#kept(node, this.#former?.graph.connectors) ?? make();
      this.#links.push(() => {
        made.intake.inlets = inlets;
        node.component = made.component;
      });
      const stage = { ...made, feeders, targets: targets.map((pipeline) => pipeline.pipelineId) };
      this.#connectors.set(key, stage);
      return [stage];
    });
  }

  #feeders(signal: Signal, connectorId: string): string[] {
    return [...this.#config.service.pipelines.values()]
      .filter((pipeline) => pipeline.signal === signal && pipeline.exporters.includes(connectorId))
      .map((pipeline) => pipeline.id);
  }

  #receivers(): ReceiverStage[] {
    const used = new Set([...this.#config.service.pipelines.values()].flatMap((pipeline) => pipeline.receivers));
    return [...used].flatMap((id) => {
      const resolved = this.#config.receivers.get(id);
      if (resolved === undefined) return [];
      const node = this.#node("receiver", id, "");
      const inlets = this.#inletsOf(node, id);
      const known = this.#kept(node, this.#former?.graph.receivers);
      if (known !== undefined) {
        this.#links.push(() => this.#lead(known.outlets, inlets, node));
        return [known];
      }
      const tenure = this.#tenure();
      const outlets = {};
      this.#lead(outlets, inlets, node);
      const component = resolved.definition.create(resolved.config, this.#hosts.receiver(id, outlets, tenure));
      return [{ node, tenure, component, id, outlets }];
    });
  }

  /** Gives the outlets of a receiver these inlets; those of signals without any are taken away. */
  #lead(outlets: ReceiverStage["outlets"], inlets: ReadonlyMap<Signal, readonly Inlet[]>, node: GraphNode): void {
    for (const signal of Object.keys(outlets) as Signal[]) {
      if (inlets.has(signal)) continue;
      if (outlets[signal] !== undefined) outlets[signal].inlets = [nowhere];
      delete outlets[signal];
    }
    for (const [signal, ways] of inlets) {
      const meter = () => receiverMeter(this.#surroundings.metrics.meter({ receiver: node.id }), signal);
      outlets[signal] ??= new Intake(node.key, node.books, this.#ledger, meter(), this.#receiverSpans(node.id, signal));
      outlets[signal].inlets = ways;
    }
  }

  #receiverSpans(id: string, signal: Signal): ReceiverSpans | undefined {
    const component = { "otelcol.component.id": id, "otelcol.component.kind": "receiver" };
    const tracer = this.#surroundings.tracerFor?.(component, id);
    return tracer && new ReceiverSpans(tracer, id, signal);
  }

  #inletsOf(node: GraphNode, receiverId: string): ReadonlyMap<Signal, readonly Inlet[]> {
    const inlets = new Map<Signal, Inlet[]>();
    for (const pipeline of this.#config.service.pipelines.values()) {
      if (!pipeline.receivers.includes(receiverId)) continue;
      const ways = inlets.get(pipeline.signal) ?? [];
      ways.push(this.#pipeline(pipeline).inletFrom(node));
      inlets.set(pipeline.signal, ways);
    }
    return inlets;
  }

  /** The instance at `node` in the former graph, if it may go on. */
  #kept<S extends { readonly node: GraphNode }>(node: GraphNode, stages: readonly S[] | undefined): S | undefined {
    if (this.#former?.keeps(node.key) !== true) return undefined;
    return stages?.find((stage) => stage.node === node);
  }

  #node(kind: GraphNode["kind"], id: string, place: string, options: ConstructorParameters<typeof GraphNode>[3] = {}) {
    const key = nodeKey(kind, place, id);
    const known = this.#former?.graph.nodes.find((candidate) => candidate.key === key);
    const node = known ?? new GraphNode(kind, id, place, options);
    this.#nodes.set(key, node);
    return node;
  }

  #tenure(): Tenure {
    const tenure = new Tenure();
    this.#tenures.push(tenure);
    return tenure;
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
