import { exporter } from "../component.ts";
import type { ResolvedComponent, ResolvedConfig, ResolvedPipeline } from "../config/resolved.ts";
import { z } from "../config/schema.ts";
import type { TelemetryConfig } from "../config/telemetry.ts";
import type { ExporterHost, Kind } from "../host.ts";
import { type AnyDefinition, kindOf, loadDefinition, type Registry, type Section, sections } from "../registry.ts";
import type { Departures } from "./gates.ts";

/** What a worker runs, as plain data that is sent to it. Definitions are imported there. */
export interface WorkerConfig {
  readonly components: Readonly<Record<Section, readonly PortableComponent[]>>;
  /** Ids of exporters that are gates to the main thread. */
  readonly gates: readonly string[];
  readonly extensions: readonly string[];
  readonly pipelines: readonly Omit<ResolvedPipeline, "place">[];
  /** Ids of pipelines that end in a queue on disk, in the main thread. */
  readonly durable: readonly string[];
}

type PortableComponent = Pick<ResolvedComponent, "id" | "config" | "settings"> & { readonly type: string };

/** Where something stands that nobody has written down. */
export const nowhere = { source: { name: "", text: "" }, start: 0, end: 0 };

/** Makes configurations to run of what is sent to a worker; what goes through gates departs by `departures`. */
export class Restorer {
  readonly #registry: Registry;
  readonly #telemetry: TelemetryConfig;
  readonly #gate: ReturnType<typeof gateOf>;

  constructor(registry: Registry, telemetry: TelemetryConfig, departures: Departures) {
    this.#registry = registry;
    this.#telemetry = telemetry;
    this.#gate = gateOf(departures);
  }

  async restore({ components, gates, extensions, pipelines, durable }: WorkerConfig): Promise<ResolvedConfig> {
    const restored: Partial<Record<Section, Map<string, ResolvedComponent>>> = {};
    for (const section of sections) {
      const definitions = components[section].map(async (component) => ({
        component,
        definition: await loadDefinition<Kind>(this.#registry, kindOf[section], component.type),
      }));
      restored[section] = new Map(
        (await Promise.all(definitions)).map(({ component, definition }) => [
          component.id,
          resolved(component, definition),
        ]),
      );
    }
    for (const { id: pipelineId, exporters } of pipelines) {
      for (const id of exporters.filter((candidate) => gates.includes(candidate))) {
        const config: GateConfig = { id, isDurable: durable.includes(pipelineId) };
        restored.exporters?.set(id, resolved({ id, config, settings: config }, this.#gate));
      }
    }
    return {
      ...(restored as Pick<ResolvedConfig, Section>),
      service: {
        extensions,
        pipelines: new Map(pipelines.map((pipeline) => [pipeline.id, { ...pipeline, place: nowhere }])),
        telemetry: this.#telemetry,
        workers: 1,
        settings: {},
      },
      warnings: [],
    };
  }
}

interface GateConfig {
  readonly id: string;
  readonly isDurable: boolean;
}

function gateOf(departures: Departures) {
  const create = ({ id, isDurable }: GateConfig, host: ExporterHost) => departures.gate(id, host, isDurable);
  return exporter({
    type: "(workers)",
    stability: { traces: "stable", metrics: "stable", logs: "stable", profiles: "stable" },
    summary: "What goes on in the main thread.",
    config: z.strictObject({ id: z.string(), isDurable: z.boolean() }),
    examples: [],
    traces: create,
    metrics: create,
    logs: create,
    profiles: create,
  });
}

function resolved(
  { id, config, settings }: Omit<PortableComponent, "type">,
  definition: AnyDefinition,
): ResolvedComponent {
  return { id, definition, config, settings, place: nowhere };
}
