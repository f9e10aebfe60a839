import type { Load } from "./messages.ts";
import type { Coding, Shape, Signal } from "./payloads.ts";

/** What both daemons are asked to do: one configuration, one load. */
export interface Scenario {
  readonly name: string;
  /** For the table. */
  readonly title: string;
  readonly protocol: "grpc" | "http";
  readonly coding: Coding;
  readonly shape: Shape;
  /** Entries of `processors`, by id, in the order of the pipeline. */
  readonly processors?: Readonly<Record<string, object>>;
  /** Pipelines beside the first, each with exporters of its own: how many, and the ids of their processors. */
  readonly pipelines?: readonly { readonly exporters: number; readonly processors: readonly string[] }[];
  /** Exporters' own queue, off unless said: then an answer means that the sink has it. */
  readonly queue?: boolean;
  /** `service::workers`, of otelpipe alone. */
  readonly workers?: number;
  /** Whether a `forward` connector stands between receiver and exporters, which is in otelpipe's main thread. */
  readonly forward?: boolean;
  /** How many items leave for each that comes, at least and at most. */
  readonly leaving: readonly [number, number];
  readonly connections: number;
  readonly window: number;
  /** How much cheaper than the Collector it has to be. */
  readonly mark?: number;
}

const spans = (items: number, itemBytes = 800): Shape => ({ signal: "traces", itemBytes, items });
const logs: Shape = { signal: "logs", itemBytes: 355, items: 1000 };
const points: Shape = { signal: "metrics", itemBytes: 196, items: 1000 };

export const plain = {
  protocol: "grpc",
  coding: "none",
  leaving: [1, 1],
  connections: 4,
  window: 4,
} as const satisfies Partial<Scenario>;

const insert = {
  attributes: { actions: [{ key: "deployment.environment.name", value: "production", action: "insert" }] },
};
const rename = {
  attributes: {
    actions: [
      { key: "llm.model", from_attribute: "gen_ai.request.model", action: "insert" },
      { key: "gen_ai.request.model", action: "delete" },
    ],
  },
};

/** The first word of a name is a group: `traces_grpc` runs all that begin so. */
export const scenarios: readonly Scenario[] = [
  { ...plain, name: "traces_grpc_none_1000", title: "traces gRPC, 1 000 a request", shape: spans(1000), mark: 3.5 },
  { ...plain, name: "traces_grpc_none_1", title: "1 a request", shape: spans(1), window: 16, mark: 1 },
  { ...plain, name: "traces_grpc_none_50", title: "50 a request", shape: spans(50), window: 8, mark: 2 },
  { ...plain, name: "traces_grpc_none_512", title: "512 a request", shape: spans(512) },
  { ...plain, name: "traces_grpc_none_8192", title: "8 192 a request", shape: spans(8192), window: 2 },
  { ...plain, name: "traces_grpc_none_500b", title: "1 000 a request, spans of 500 bytes", shape: spans(1000, 500) },
  { ...plain, name: "traces_grpc_gzip", title: "traces gRPC gzip", coding: "gzip", shape: spans(1000), mark: 8 },
  { ...plain, name: "traces_grpc_zstd", title: "traces gRPC zstd", coding: "zstd", shape: spans(1000), mark: 4 },
  {
    ...plain,
    name: "traces_http_none",
    title: "traces HTTP protobuf",
    protocol: "http",
    shape: spans(1000),
    connections: 8,
    window: 1,
    mark: 4,
  },
  {
    ...plain,
    name: "traces_http_gzip",
    title: "traces HTTP protobuf gzip",
    protocol: "http",
    coding: "gzip",
    shape: spans(1000),
    connections: 8,
    window: 1,
  },
  {
    ...plain,
    name: "edit_gzip",
    title: "traces gRPC gzip, `attributes` insert, `probabilistic_sampler` 50 %",
    coding: "gzip",
    shape: spans(1000),
    processors: { ...insert, probabilistic_sampler: { sampling_percentage: 50 } },
    leaving: [0.45, 0.55],
    mark: 1.5,
  },
  { ...plain, name: "logs_none", title: "logs gRPC", shape: logs, mark: 3 },
  {
    ...plain,
    name: "logs_rename",
    title: "logs gRPC, one attribute renamed",
    shape: logs,
    processors: rename,
    mark: 1.4,
  },
  { ...plain, name: "metrics_none", title: "metrics gRPC", shape: points },
  { ...plain, name: "metrics_gzip", title: "metrics gRPC gzip", coding: "gzip", shape: points, mark: 3 },
  {
    ...plain,
    name: "batch",
    title: "`batch` of 8 192 from requests of 50 spans",
    shape: spans(50),
    processors: { batch: { send_batch_size: 8192, timeout: "200ms" } },
    connections: 8,
    window: 64,
    mark: 3,
  },
  {
    ...plain,
    name: "fan_out",
    title: "fan-out to 3 exporters, one behind an edit",
    shape: spans(1000),
    processors: insert,
    pipelines: [{ exporters: 2, processors: [] }],
    leaving: [3, 3],
    mark: 3,
  },
];

/** Those whose names begin with one of `names`; all for none. */
export function chosen(names: readonly string[]): Scenario[] {
  const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name.startsWith(name)));
  if (unknown.length > 0) {
    const known = scenarios.map(({ name }) => name).join(", ");
    throw new Error(`no scenario begins with ${unknown.join(", ")}; there are ${known}`);
  }
  return scenarios.filter(({ name }) => names.length === 0 || names.some((start) => name.startsWith(start)));
}

/** Ports that one run uses. */
export interface Ports {
  readonly grpc: number;
  readonly http: number;
  readonly metrics: number;
  readonly sink: number;
}

/** The configuration of a scenario, as YAML that is JSON: both daemons read the same text. */
export function configOf(scenario: Scenario, ports: Ports): string {
  const {
    protocol,
    coding,
    shape,
    processors = {},
    pipelines = [],
    queue = false,
    workers,
    forward = false,
  } = scenario;
  const signal: Signal = shape.signal;
  const type = protocol === "grpc" ? "otlp_grpc" : "otlp_http";
  const exporter = {
    endpoint: protocol === "grpc" ? `127.0.0.1:${ports.sink}` : `http://127.0.0.1:${ports.sink}`,
    compression: coding,
    tls: { insecure: true },
    ...(queue ? {} : { sending_queue: { enabled: false }, retry_on_failure: { enabled: false } }),
  };
  const flows = [{ exporters: 1, processors: Object.keys(processors) }, ...pipelines];
  const idsOf = (flow: number, count: number) =>
    Array.from({ length: count }, (_, index) => `${type}/${flow}_${index}`);
  const message = "max_recv_msg_size_mib";
  return JSON.stringify(
    {
      receivers: {
        otlp: {
          protocols: {
            grpc: { endpoint: `127.0.0.1:${ports.grpc}`, [message]: 64 },
            http: { endpoint: `127.0.0.1:${ports.http}` },
          },
        },
      },
      processors,
      ...(forward && { connectors: { forward: {} } }),
      exporters: Object.fromEntries(
        flows.flatMap((flow, index) => idsOf(index, flow.exporters).map((id) => [id, exporter])),
      ),
      service: {
        ...(workers !== undefined && { workers }),
        telemetry: {
          logs: { level: "warn" },
          metrics: {
            readers: [{ pull: { exporter: { prometheus: { host: "127.0.0.1", port: ports.metrics } } } }],
          },
        },
        pipelines: Object.fromEntries([
          ...(forward ? [[`${signal}/in`, { receivers: ["otlp"], exporters: ["forward"] }]] : []),
          ...flows.map((flow, index) => [
            `${signal}/${index}`,
            {
              receivers: [forward ? "forward" : "otlp"],
              processors: flow.processors,
              exporters: idsOf(index, flow.exporters),
            },
          ]),
        ]),
      },
    },
    undefined,
    2,
  );
}

/** What is sent to a daemon of this scenario. */
export function loadOf(scenario: Scenario, ports: Ports): Load {
  const { protocol, coding, shape, connections, window } = scenario;
  return { protocol, coding, shape, connections, window, port: ports[protocol] };
}
