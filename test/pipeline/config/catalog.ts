import { identity } from "rxjs";
import { connector, exporter, extension, processor, receiver } from "../../../pipeline/component.ts";
import { loadDefinitions, manifestOf } from "../../../pipeline/config/describe.ts";
import { duration, headers, optionalBlock, secret, stringList, z } from "../../../pipeline/config/schema.ts";
import type { Catalog, Registry } from "../../../pipeline/registry.ts";

const nothing = z.strictObject({});

const server = z.strictObject({
  endpoint: z.string().default("localhost:4317").describe("Address to listen on."),
  include_metadata: z.boolean().default(false),
});

const otlpReceiver = receiver({
  type: "otlp",
  stability: { traces: "stable", metrics: "stable", logs: "stable" },
  summary: "Receives OTLP.",
  config: z
    .strictObject({
      protocols: z
        .strictObject({ grpc: optionalBlock(server, "off"), http: optionalBlock(server, "off") })
        .prefault({}),
    })
    .refine(({ protocols }) => protocols.grpc !== undefined || protocols.http !== undefined, {
      path: ["protocols"],
      message: "must specify at least one protocol when using the OTLP receiver",
    }),
  examples: [],
  create: () => ({}),
});

const logsReceiver = receiver({
  type: "lines",
  stability: { logs: "beta" },
  summary: "Receives lines.",
  config: z.strictObject({ include: stringList() }),
  examples: [],
  create: () => ({}),
});

const passOn = () => identity;

const batch = processor({
  type: "batch",
  stability: { traces: "beta", metrics: "beta", logs: "beta" },
  summary: "Groups items into batches.",
  config: z
    .strictObject({
      timeout: duration().prefault("200ms").describe("How long a batch waits to fill."),
      send_batch_size: z.int().min(0).default(8192).describe("Items at which a batch is sent."),
      send_batch_max_size: z.int().min(0).default(0).describe("Items a batch never exceeds; 0 means no limit."),
      metadata_keys: z.array(z.string()).default([]).describe("Keys that divide batches."),
    })
    .refine((value) => value.send_batch_max_size === 0 || value.send_batch_max_size >= value.send_batch_size, {
      path: ["send_batch_max_size"],
      message: "must be at least send_batch_size",
    }),
  examples: [{ title: "Wait a second", yaml: "batch: { timeout: 1s }" }],
  traces: passOn,
});

const sampler = processor({
  type: "sampler",
  stability: { traces: "alpha" },
  summary: "Keeps some traces.",
  config: z.strictObject({
    percentage: z.number().min(0).max(100),
    mode: z.enum(["hash_seed", "proportional", "equalizing"]).default("proportional"),
    rules: z
      .array(
        z.discriminatedUnion("type", [
          z.strictObject({ type: z.literal("latency"), threshold_ms: z.int() }),
          z.strictObject({ type: z.literal("status"), codes: z.array(z.string()) }),
        ]),
      )
      .default([]),
  }),
  examples: [],
  traces: passOn,
});

const otlpExporter = exporter({
  type: "otlp_grpc",
  aliases: ["otlp"],
  stability: { traces: "stable", metrics: "stable", logs: "stable" },
  summary: "Sends OTLP over gRPC.",
  config: z.strictObject({
    endpoint: z.string().min(1),
    headers: headers().default({}),
    user_agent: z.string().default("otelpipe"),
    token: secret().optional(),
    timeout: duration().prefault("5s"),
    sending_queue: optionalBlock(z.strictObject({ queue_size: z.int().min(1).default(1000) }), "on"),
    tls: z.strictObject({ insecure: z.boolean().default(false) }).prefault({}),
  }),
  examples: [],
  traces: () => ({ consume: () => {} }),
});

const debug = exporter({
  type: "debug",
  stability: { traces: "alpha", metrics: "alpha", logs: "alpha" },
  summary: "Prints.",
  config: z.strictObject({ verbosity: z.enum(["basic", "normal", "detailed"]).default("basic") }),
  examples: [],
  traces: () => ({ consume: () => {} }),
});

const forwardExporter = exporter({
  type: "forward",
  stability: { traces: "alpha" },
  summary: "Has the type of a connector.",
  config: nothing,
  examples: [],
  traces: () => ({ consume: () => {} }),
});

const count = connector({
  type: "count",
  stability: { traces_to_metrics: "alpha", logs_to_metrics: "alpha" },
  summary: "Counts.",
  config: nothing,
  examples: [],
  create: () => ({ consume: () => {} }),
});

const forward = connector({
  type: "forward",
  stability: { traces_to_traces: "beta", metrics_to_metrics: "beta", logs_to_logs: "beta" },
  summary: "Passes on.",
  config: nothing,
  examples: [],
  create: () => ({ consume: () => {} }),
});

const healthCheck = extension({
  type: "health_check",
  stability: "beta",
  summary: "Says whether it runs.",
  config: z.strictObject({ endpoint: z.string().default("localhost:13133") }),
  examples: [],
  create: () => ({}),
});

/** A small registry for tests of the configuration: one component for each rule. */
export const testRegistry: Registry = {
  receivers: { otlp: async () => ({ default: otlpReceiver }), lines: async () => ({ default: logsReceiver }) },
  processors: { batch: async () => ({ default: batch }), sampler: async () => ({ default: sampler }) },
  exporters: {
    otlp_grpc: async () => ({ default: otlpExporter }),
    debug: async () => ({ default: debug }),
    forward: async () => ({ default: forwardExporter }),
  },
  connectors: { count: async () => ({ default: count }), forward: async () => ({ default: forward }) },
  extensions: { health_check: async () => ({ default: healthCheck }) },
};

/** The registry with its manifest. */
export const testCatalog: Catalog = {
  registry: testRegistry,
  manifest: manifestOf(await loadDefinitions(testRegistry)),
};
