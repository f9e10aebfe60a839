import { receiver } from "../component.ts";
import { extensionsNamedBy } from "../config/check_references.ts";
import type { ResolvedComponent, ResolvedConfig, ResolvedPipeline } from "../config/resolved.ts";
import { z } from "../config/schema.ts";
import { type Section, sections } from "../registry.ts";
import { type Arrivals, gateId } from "./gates.ts";
import { nowhere, type WorkerConfig } from "./worker_config.ts";

/** A configuration in two: what the main thread runs, and what each worker does. Gates join them. */
export interface SplitConfig {
  readonly main: ResolvedConfig;
  readonly worker: WorkerConfig;
}

/** What of one pipeline runs where; undefined for a side that has no part of it. */
interface SplitPipeline {
  readonly main?: ResolvedPipeline;
  readonly worker?: ResolvedPipeline;
  /** The id of the gate between the two. */
  readonly gate?: string;
}

/** Divides configurations between the main thread, where workers' batches come in at `arrivals`, and workers. */
export class Splitter {
  readonly #gate: ResolvedComponent<"receiver">["definition"];

  constructor(arrivals: Arrivals) {
    this.#gate = gateOf(arrivals);
  }

  /**
   * What a pipeline receives in workers stays there as far as its components may have an instance in each of them, and
   * goes on in the main thread from the first that may not. A pipeline with a receiver of the main thread, or a connector
   * in front, is there from its first processor on.
   */
  split(config: ResolvedConfig): SplitConfig {
    const places = new Places(config);
    const parts = [...config.service.pipelines.values()].map((pipeline) => splitPipeline(pipeline, places));
    const mains = parts.flatMap(({ main }) => main ?? []);
    const ids = parts.flatMap(({ gate }) => gate ?? []);
    const gates = ids.map((id): [string, ResolvedComponent<"receiver">] => [
      id,
      { id, definition: this.#gate, config: id, settings: id, place: nowhere },
    ]);
    return {
      main: {
        ...config,
        receivers: new Map([...config.receivers, ...gates]),
        service: { ...config.service, pipelines: new Map(mains.map((pipeline) => [pipeline.id, pipeline])) },
      },
      worker: places.workerConfig(
        parts.flatMap(({ worker }) => worker ?? []),
        ids,
      ),
    };
  }
}

function gateOf(arrivals: Arrivals) {
  return receiver({
    type: "(workers)",
    stability: { traces: "stable", metrics: "stable", logs: "stable", profiles: "stable" },
    summary: "What workers hand over.",
    config: z.string(),
    examples: [],
    create: (id, host) => arrivals.gate(id, host.outlets),
  });
}

function splitPipeline(pipeline: ResolvedPipeline, places: Places): SplitPipeline {
  const receivers = pipeline.receivers.filter((id) => places.isPerWorker("receivers", id));
  if (receivers.length === 0) return { main: pipeline };
  const others = pipeline.receivers.filter((id) => !receivers.includes(id));
  const first = pipeline.processors.findIndex((id) => !places.isPerWorker("processors", id));
  const isWhole = others.length === 0 && first === -1;
  const cut = others.length > 0 ? 0 : isWhole ? pipeline.processors.length : first;
  const exporters = pipeline.exporters.filter((id) => isWhole && places.isPerWorker("exporters", id));
  const rest = pipeline.exporters.filter((id) => !exporters.includes(id));
  if (rest.length === 0) return { worker: pipeline };
  const gate = gateId(pipeline.id, cut);
  const [before, behind] = [pipeline.processors.slice(0, cut), pipeline.processors.slice(cut)];
  return {
    worker: { ...pipeline, receivers, processors: before, exporters: [...exporters, gate] },
    main: { ...pipeline, receivers: [...others, gate], processors: behind, exporters: rest },
    gate,
  };
}

/** Which components of a configuration may have an instance in each worker. */
class Places {
  readonly #config: ResolvedConfig;

  constructor(config: ResolvedConfig) {
    this.#config = config;
  }

  isPerWorker(section: Section, id: string): boolean {
    const component: ResolvedComponent | undefined = this.#config[section].get(id);
    if (component === undefined) return false;
    const { perWorker = false } = component.definition;
    if (!(typeof perWorker === "function" ? perWorker(component.config) : perWorker)) return false;
    return extensionsNamedBy(component).every((named) => this.isPerWorker("extensions", named.id));
  }

  /** What a worker needs to run `pipelines`: their components, and the extensions that these name. */
  workerConfig(pipelines: readonly ResolvedPipeline[], gates: readonly string[]): WorkerConfig {
    const named = new Set(pipelines.flatMap((each) => [...each.receivers, ...each.processors, ...each.exporters]));
    const extensions = this.#extensionsOf(named);
    const used: readonly string[] = [...named, ...extensions];
    const components = sections.map((section) => {
      const all: readonly ResolvedComponent[] = [...this.#config[section].values()];
      const portable = all
        .filter(({ id }) => used.includes(id))
        .map(({ id, definition, config, settings }) => ({ id, type: definition.type, config, settings }));
      return [section, portable] as const;
    });
    return {
      components: Object.fromEntries(components) as unknown as WorkerConfig["components"],
      gates,
      extensions,
      pipelines: pipelines.map(({ place: _, ...pipeline }) => pipeline),
      durable: [],
    };
  }

  /** In the configured order. */
  #extensionsOf(ids: ReadonlySet<string>): string[] {
    const named = new Set<string>();
    const add = (component: ResolvedComponent | undefined) => {
      if (component === undefined) return;
      for (const { id } of extensionsNamedBy(component)) {
        if (named.has(id)) continue;
        named.add(id);
        add(this.#config.extensions.get(id));
      }
    };
    for (const id of ids) {
      for (const section of ["receivers", "processors", "exporters"] as const) add(this.#config[section].get(id));
    }
    return this.#config.service.extensions.filter((id) => named.has(id));
  }
}
