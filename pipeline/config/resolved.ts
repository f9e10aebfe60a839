import type { Kind } from "../host.ts";
import type { Signal } from "../pdata/signal.ts";
import type { DefinitionOf } from "../registry.ts";
import type { Place } from "./place.ts";
import type { Workers } from "./service.ts";
import type { TelemetryConfig } from "./telemetry.ts";

/** One configured component, its settings decoded. */
export interface ResolvedComponent<K extends Kind = Kind> {
  /** As the user wrote it, trimmed: `otlp`, `otlp_grpc/backup`. */
  readonly id: string;
  readonly definition: DefinitionOf[K];
  /** The output of the definition's schema, defaults filled in. */
  readonly config: unknown;
  /** The settings as written, without defaults: what `print-config` starts from. */
  readonly settings: unknown;
  /** The deprecated type in `id`, when it is one. */
  readonly aliasUsed?: string;
  /** Where its id stands. */
  readonly place: Place;
}

/** One pipeline. A receiver or exporter id may be that of a connector. Ids are unique per list, in the written order. */
export interface ResolvedPipeline {
  /** `signal` or `signal/name`. */
  readonly id: string;
  readonly signal: Signal;
  readonly receivers: readonly string[];
  readonly processors: readonly string[];
  readonly exporters: readonly string[];
  readonly place: Place;
}

/** A config that has passed every check: what the service is built from. */
export interface ResolvedConfig {
  readonly receivers: ReadonlyMap<string, ResolvedComponent<"receiver">>;
  readonly processors: ReadonlyMap<string, ResolvedComponent<"processor">>;
  readonly exporters: ReadonlyMap<string, ResolvedComponent<"exporter">>;
  readonly connectors: ReadonlyMap<string, ResolvedComponent<"connector">>;
  readonly extensions: ReadonlyMap<string, ResolvedComponent<"extension">>;
  readonly service: {
    /** Ids of the extensions to run, in the written order. */
    readonly extensions: readonly string[];
    readonly pipelines: ReadonlyMap<string, ResolvedPipeline>;
    readonly telemetry: TelemetryConfig;
    readonly workers: Workers;
    /** The section as written, without defaults. */
    readonly settings: unknown;
  };
  /** Sentences for the log: unset variables, deprecated names. */
  readonly warnings: readonly string[];
}
