import type { Lifecycle } from "./component.ts";
import type { ResolvedConfig } from "./config/resolved.ts";
import { messageOf } from "./error_text.ts";
import { buildGraph, type Graph } from "./graph/build.ts";
import { type DrainOptions, drainGraph, Leaving, type Report } from "./graph/drain.ts";
import { Hosts, type Surroundings } from "./graph/hosts.ts";
import { extensionKey, filesNamedBy, type Plan, planChange } from "./graph/plan.ts";
import { Tenure } from "./graph/tenure.ts";
import type { Kind, Logger } from "./host.ts";
import { fileStamp } from "./process/file_stamp.ts";
import type { ServiceView } from "./view.ts";

interface ExtensionStage {
  readonly component: Lifecycle;
  readonly tenure: Tenure;
}

export interface GenerationOptions {
  readonly surroundings: Omit<Surroundings, "extensions">;
  /** What extensions may see; absent where none of them looks. */
  readonly view?: ServiceView;
  readonly logger: Logger;
}

/** What one configuration has become: its extensions and its graph, some of them those of the configuration before it. */
export class Generation {
  readonly config: ResolvedConfig;
  readonly graph: Graph;
  readonly #options: GenerationOptions;
  readonly #hosts: Hosts;
  readonly #extensions = new Map<string, ExtensionStage>();
  /** What the files that settings name were like, by path. */
  readonly #files: ReadonlyMap<string, string>;
  #former: Generation | undefined;
  readonly #plan: Plan;

  /**
   * Builds what `config` asks for and `former` does not have; nothing is started and nothing is bound yet.
   * @throws what a component's constructor throws; nothing is left behind then.
   */
  constructor(config: ResolvedConfig, options: GenerationOptions, former?: Generation) {
    this.config = config;
    this.#options = options;
    this.#former = former;
    this.#files = new Map([...filesNamedBy(config)].map((path) => [path, fileStamp(path)]));
    this.#plan = former === undefined ? new Map() : planChange(former.config, config, this.#changedFiles(former));
    const { surroundings, view, logger } = options;
    const components = new Map<string, Lifecycle>();
    const around = { ...surroundings, extensions: components };
    this.#hosts = new Hosts(around, former === undefined ? undefined : former.#hosts, (kind, id) =>
      this.#inherits(kind, id),
    );
    const keeps = (key: string) => this.#plan.get(key) === "keep";
    try {
      for (const id of config.service.extensions) this.#extensions.set(id, this.#extension(id, view));
      this.graph = buildGraph(config, around, this.#hosts, logger, former && { graph: former.graph, keeps });
    } catch (error) {
      this.#abandon();
      throw error;
    }
    for (const [id, { component }] of this.#extensions) components.set(id, component);
  }

  /** To be called when data is led this way: from now on there is no way back. */
  settle(): void {
    this.#former = undefined;
  }

  /** What has become of every component on the way from the former configuration. */
  get changes(): Plan {
    const known = new Set(this.#former?.graph.pipelines.flatMap(({ processors }) => processors));
    const rebuilt = this.graph.pipelines.flatMap(({ processors }) => processors.filter((stage) => !known.has(stage)));
    const changes = new Map(this.#plan);
    for (const { node } of rebuilt) if (changes.get(node.key) === "keep") changes.set(node.key, "rebuild");
    return changes;
  }

  /** @throws {Error} naming the component that could not be started; the others that were stay so. */
  async start(): Promise<void> {
    const { logger } = this.#options;
    const { exporters, pipelines, connectors, receivers } = this.graph;
    const fresh = <S extends { readonly component: unknown }>(stages: readonly S[], known: readonly S[] = []) =>
      stages.filter(({ component }) => !known.some((other) => other.component === component));
    const former = this.#former?.graph;
    if (former === undefined) logger.info({}, "Starting extensions...");
    for (const [id, { component }] of this.#extensions) {
      if (this.#isKept(id, component)) continue;
      const named = { "otelcol.component.id": id, "otelcol.component.kind": "extension" };
      logger.info(named, "Extension is starting...");
      await this.#startOne("extension", id, component);
      logger.info(named, "Extension started.");
    }
    for (const stage of fresh(exporters, former?.exporters)) {
      await this.#startOne("exporter", stage.node.id, stage.component);
    }
    for (const pipeline of pipelines) pipeline.start();
    for (const stage of fresh(connectors, former?.connectors)) {
      await this.#startOne("connector", stage.node.id, stage.component);
    }
    for (const stage of fresh(receivers, former?.receivers)) {
      await this.#startOne("receiver", stage.id, stage.component);
    }
  }

  /** Empties everything and stops it, with `leaving`, what of former generations is not stopped yet. */
  async drain(options: DrainOptions, leaving: Promise<unknown>): Promise<Report> {
    const report = await drainGraph(this.graph, options, leaving);
    this.#options.logger.info({}, "Stopping extensions...");
    await stopExtensions(this.#extensions, this.#options.logger);
    return report;
  }

  /** What this generation has and `other` has not. */
  without(other: Generation): LeavingPart {
    const extensions = [...this.#extensions].filter(([id, stage]) => other.#extensions.get(id) !== stage);
    return new LeavingPart(new Leaving(this.graph, other.graph), new Map(extensions), this.#options.logger);
  }

  #extension(id: string, view: ServiceView | undefined): ExtensionStage {
    const known = this.#former === undefined ? undefined : this.#former.#extensions.get(id);
    if (known !== undefined && this.#plan.get(extensionKey(id)) === "keep") return known;
    const extension = this.config.extensions.get(id);
    if (extension === undefined) throw new Error(`extension "${id}" is not configured`);
    const tenure = new Tenure();
    return {
      tenure,
      component: extension.definition.create(extension.config, this.#hosts.extension(id, view, tenure)),
    };
  }

  /** Whether instances of a component share values with those of the former configuration: none of them is rebuilt. */
  #inherits(kind: Kind, id: string): boolean {
    const own = [...this.#plan].filter(([key]) => key.startsWith(`${kind}:`) && key.endsWith(`:${id}`));
    return own.some(([, change]) => change === "keep") && own.every(([, change]) => change !== "rebuild");
  }

  #abandon(): void {
    for (const [id, { tenure, component }] of this.#extensions) {
      if (!this.#isKept(id, component)) tenure.end();
    }
  }

  #isKept(extensionId: string, component: Lifecycle): boolean {
    return this.#former !== undefined && this.#former.#extensions.get(extensionId)?.component === component;
  }

  #changedFiles(former: Generation): ReadonlySet<string> {
    const changed = [...this.#files].filter(([path, stamp]) => former.#files.get(path) !== stamp);
    return new Set(changed.map(([path]) => path));
  }

  async #startOne(kind: Kind, id: string, component: Lifecycle): Promise<void> {
    try {
      await component.start?.();
    } catch (cause) {
      const error = messageOf(cause);
      this.#options.logger.error({ error, type: kind, id }, "Failed to start component");
      const during = kind === "extension" ? "failed to start extensions" : "cannot start pipelines";
      throw new Error(`${during}: failed to start ${JSON.stringify(id)} ${kind}: ${error}`, { cause });
    }
  }
}

/** Instances that are not part of the service's configuration any more. */
export class LeavingPart {
  readonly #graph: Leaving;
  readonly #extensions: ReadonlyMap<string, ExtensionStage>;
  readonly #logger: Logger;

  constructor(graph: Leaving, extensions: ReadonlyMap<string, ExtensionStage>, logger: Logger) {
    this.#graph = graph;
    this.#extensions = extensions;
    this.#logger = logger;
  }

  set isEnding(isEnding: boolean) {
    this.#graph.isEnding = isEnding;
    for (const { tenure } of this.#extensions.values()) tenure.isEnding = isEnding;
  }

  /** @see Leaving.drain */
  async drain(options: DrainOptions, flushed: () => void): Promise<void> {
    await this.#graph.drain(options, flushed);
    await stopExtensions(this.#extensions, this.#logger);
  }

  /** @see Leaving.abandon */
  async abandon(options: DrainOptions): Promise<void> {
    await this.#graph.abandon(options);
    await stopExtensions(this.#extensions, this.#logger);
  }
}

async function stopExtensions(extensions: ReadonlyMap<string, ExtensionStage>, logger: Logger): Promise<void> {
  for (const [id, { component, tenure }] of [...extensions].reverse()) {
    await component.stop?.().catch((error: unknown) => {
      logger.error({ id, error }, "Stopping an extension failed.");
    });
    tenure.end();
  }
}
