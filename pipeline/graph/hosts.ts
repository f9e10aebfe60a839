import type { SchedulerLike } from "rxjs";
import type { Board } from "../board.ts";
import type {
  BodyReader,
  BookedHost,
  ByteBudget,
  Clock,
  ConnectorHost,
  ExporterHost,
  ExtensionHost,
  Host,
  Kind,
  Labels,
  Logger,
  Outlets,
  ProcessMemory,
  ProcessorHost,
  ReceiverHost,
} from "../host.ts";
import type { Signal } from "../pdata/index.ts";
import { exporterMeter } from "../telemetry/item_metrics.ts";
import type { MetricRegistry } from "../telemetry/meter.ts";
import type { Tracer } from "../tracing.ts";
import type { ServiceView } from "../view.ts";
import type { NodeBooks } from "./books.ts";
import type { Exclusives } from "./exclusives.ts";
import type { Tenure } from "./tenure.ts";

/** What all components of a service share. */
export interface Surroundings {
  readonly clock: Clock;
  readonly scheduler: SchedulerLike;
  readonly random: () => number;
  /** The logger of one component: its lines carry the component's fields. */
  readonly loggerFor: (fields: Readonly<Record<string, string>>) => Logger;
  readonly metrics: MetricRegistry;
  /** The tracer of one component, by its log fields and the name of its scope; absent where no spans are recorded. */
  readonly tracerFor?: ((component: Labels, scope: string) => Tracer | undefined) | undefined;
  readonly budget: ByteBudget;
  readonly bodies: BodyReader;
  readonly memory: ProcessMemory;
  readonly board: Board;
  readonly gates: ReadonlySet<string>;
  readonly build: Host["build"];
  readonly extensions: ReadonlyMap<string, unknown>;
  readonly exclusives: Exclusives;
  readonly ports?: Host["ports"];
  readonly fatal: (error: Error) => void;
}

/** Values that the instances of a component share, by component and key. */
type SharedValues = Map<string, unknown>;

/** Makes the host of each component, with its log fields, metric labels and books. */
export class Hosts {
  readonly #surroundings: Surroundings;
  readonly #shared = new Map<string, SharedValues>();

  /** Components that `inherits` names share what their instances of the `former` configuration do. */
  constructor(surroundings: Surroundings, former?: Hosts, inherits: (kind: Kind, id: string) => boolean = () => false) {
    this.#surroundings = surroundings;
    for (const [name, values] of former === undefined ? [] : former.#shared) {
      const [kind = "", ...id] = name.split(":");
      if (inherits(kind as Kind, id.join(":"))) this.#shared.set(name, values);
    }
  }

  receiver(id: string, outlets: Outlets, tenure: Tenure): ReceiverHost {
    const base = this.#base("receiver", id, tenure);
    const malformed = base.meter.counter("otelpipe_receiver_malformed_requests", {
      description: "Requests refused before they became a batch.",
      unit: "{request}",
    });
    return {
      ...base,
      bodies: this.#surroundings.bodies,
      outlets,
      malformed: (signal, transport, reason) => malformed.add(1, { signal, transport, reason }),
    };
  }

  processor(
    id: string,
    signal: Signal,
    pipelineId: string,
    books: NodeBooks,
    isDurableBehind: boolean,
    tenure: Tenure,
  ): ProcessorHost {
    const base = this.#booked("processor", id, signal, books, tenure, { "otelcol.pipeline.id": pipelineId });
    return { ...base, pipelineId, isDurableBehind };
  }

  exporter(id: string, signal: Signal, books: NodeBooks, tenure: Tenure): ExporterHost {
    const base = this.#booked("exporter", id, signal, books, tenure);
    const meter = exporterMeter(base.meter, signal, this.#surroundings.metrics.measures("detailed"));
    return {
      ...base,
      destination: (labels) => meter.destination(labels),
      discarded: (items) => void (books.out += items),
      sending: (data) => meter.sending(data),
      sent: (items) => {
        books.out += items;
        meter.sent(items);
      },
      restored: (items) => void (books.in += items),
      failed: (items, reason) => books.drop(items, reason),
      notSent: (items, error) => meter.failed(items, error),
    };
  }

  connector(id: string, signal: Signal, outlets: Outlets, books: NodeBooks, tenure: Tenure): ConnectorHost {
    return {
      ...this.#booked("connector", id, signal, books, tenure),
      sent: (items) => void (books.out += items),
      outlets,
    };
  }

  extension(id: string, service: ServiceView | undefined, tenure: Tenure): ExtensionHost {
    return {
      ...this.#base("extension", id, tenure),
      get service(): ServiceView {
        if (service === undefined) throw new Error(`extension "${id}" sees the service only where it is whole`);
        return service;
      },
    };
  }

  #booked(
    kind: Kind,
    id: string,
    signal: Signal,
    books: NodeBooks,
    tenure: Tenure,
    fields: Readonly<Record<string, string>> = {},
  ): BookedHost {
    return {
      ...this.#base(kind, id, tenure, { "otelcol.signal": signal, ...fields }),
      signal,
      drop: (items, reason) => books.drop(items, reason),
      refuse: (delivery, error, goneItems = 0) => {
        delivery.nack(error);
        books.refused -= goneItems;
      },
    };
  }

  #base(kind: Kind, id: string, tenure: Tenure, fields: Readonly<Record<string, string>> = {}): Host {
    const { loggerFor, metrics, tracerFor, extensions, bodies, exclusives, ...common } = this.#surroundings;
    const meter = metrics.meter({ [kind]: id });
    const component = { "otelcol.component.id": id, "otelcol.component.kind": kind, ...fields };
    return {
      ...common,
      kind,
      id,
      logger: loggerFor(component),
      requests: metrics.measures("detailed") ? metrics.meter({}) : undefined,
      tracer: tracerFor?.(component, tracerScopes[kind] ?? id),
      meter: { ...meter, gauge: (...gauge) => removedWith(tenure, meter.gauge(...gauge)) },
      shared: <T>(key: string, make: () => T): T => {
        const name = `${kind}:${id}`;
        const values = this.#shared.get(name) ?? new Map<string, unknown>();
        this.#shared.set(name, values);
        if (!values.has(key)) values.set(key, make());
        return values.get(key) as T;
      },
      exclusive: (name, options) => exclusives.take(tenure, name, options),
      extension: <T>(wanted: string, is: (candidate: unknown) => candidate is T): T => {
        const candidate = extensions.get(wanted);
        if (candidate === undefined) throw new Error(`extension "${wanted}" is not in service::extensions`);
        if (!is(candidate)) throw new Error(`extension "${wanted}" cannot be used here`);
        return candidate;
      },
    };
  }
}

/** The Collector's instrumentation scopes of spans; receivers go by their id. */
const tracerScopes: Partial<Record<Kind, string>> = {
  exporter: "go.opentelemetry.io/collector/exporter/exporterhelper",
};

/** A gauge of a component that has gone would go on being read. */
function removedWith(tenure: Tenure, remove: () => void): () => void {
  tenure.atEnd(remove);
  return remove;
}
