import { constants, gzipSync, zstdCompressSync } from "node:zlib";
import protobuf from "protobufjs";
import { protoRoot } from "../pdata/data.ts";

/** Seeded OTLP requests, encoded once by protobufjs: what both daemons are given to carry. */

export type Signal = "traces" | "logs" | "metrics";
export type Coding = "none" | "gzip" | "zstd";

/** What one request looks like. `itemBytes` is about what an item takes, its share of the resource included. */
export interface Shape {
  readonly signal: Signal;
  readonly itemBytes: number;
  readonly items: number;
}

/** Different requests of one shape, so that a daemon cannot profit from seeing the same bytes again at once. */
const requestsPerShape = 4;
const gzipLevel = 6;

const types: Readonly<Record<Signal, string>> = {
  traces: "trace.v1.ExportTraceServiceRequest",
  logs: "logs.v1.ExportLogsServiceRequest",
  metrics: "metrics.v1.ExportMetricsServiceRequest",
};

/** The requests of a shape, compressed as `coding` says; the same bytes on every machine with the same zlib. */
export function requests(shape: Shape, coding: Coding): Buffer[] {
  const type = protoRoot().lookupType(`opentelemetry.proto.collector.${types[shape.signal]}`);
  return Array.from({ length: requestsPerShape }, (_, index) => {
    const message = builders[shape.signal](shape, new Random(index + 1));
    return compress(Buffer.from(type.encode(message).finish()), coding);
  });
}

function compress(body: Buffer, coding: Coding): Buffer {
  if (coding === "gzip") return gzipSync(body, { level: gzipLevel });
  if (coding === "zstd") return zstdCompressSync(body, { params: { [constants.ZSTD_c_compressionLevel]: 3 } });
  return body;
}

class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed;
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (Math.imul(this.#state, 1664525) + 1013904223) | 0;
    return Math.floor(((this.#state >>> 8) / 2 ** 24) * limit);
  }

  bytes(size: number): Buffer {
    return Buffer.from(Array.from({ length: size }, () => this.below(256)));
  }

  pick(from: readonly string[]): string {
    return from[this.below(from.length)] ?? "";
  }
}

const models = ["llama-3.1-8b", "gpt-oss-20b", "qwen2.5-7b", "mistral-24b"];
const words = [
  "token",
  "batch",
  "prompt",
  "cache",
  "answer",
  "model",
  "stream",
  "worker",
  "queue",
  "schedule",
  "retry",
];
const startSeconds = 1_764_000_000n;

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
const int = (key: string, intValue: number) => ({ key, value: { intValue } });
const double = (key: string, doubleValue: number) => ({ key, value: { doubleValue } });

function prose(random: Random, length: number): string {
  let out = "";
  while (out.length < length) out += `${random.pick(words)} ${random.below(1000)} `;
  return out.slice(0, Math.max(length, 0));
}

function time(seconds: number, nanos: number): unknown {
  const Long = protobuf.util.Long as unknown as { fromString(text: string, unsigned: boolean): unknown };
  return Long.fromString(((startSeconds + BigInt(seconds)) * 1_000_000_000n + BigInt(nanos)).toString(), true);
}

const resource = (index: number) => ({
  attributes: [text("service.name", "worker"), text("host.name", `gpu-${index}`)],
});
const scope = { name: "otelpipe.bench", version: "1" };

/** Spreads the items over up to four resources, as a gateway sees them. */
function overResources<Item>(count: number, item: (index: number) => Item): { resource: object; items: Item[] }[] {
  const groups = Math.min(4, count);
  const items = Array.from({ length: count }, (_, index) => item(index));
  return Array.from({ length: groups }, (_, group) => ({
    resource: resource(group),
    items: items.filter((_, index) => index % groups === group),
  }));
}

const spanBytesWithoutText = 498;

function span(random: Random, itemBytes: number): object {
  const start = random.below(1000);
  return {
    traceId: random.bytes(16),
    spanId: random.bytes(8),
    parentSpanId: random.bytes(8),
    name: `chat ${random.pick(models)}`,
    kind: 3,
    startTimeUnixNano: time(start, random.below(1e9)),
    endTimeUnixNano: time(start + 1, random.below(1e9)),
    attributes: [
      text("gen_ai.operation.name", "chat"),
      text("gen_ai.provider.name", "llama.cpp"),
      text("gen_ai.request.model", random.pick(models)),
      text("gen_ai.response.model", random.pick(models)),
      text("server.address", `10.0.0.${random.below(16)}`),
      int("server.port", 8080),
      int("gen_ai.usage.input_tokens", random.below(4000)),
      int("gen_ai.usage.output_tokens", random.below(900)),
      double("gen_ai.request.temperature", random.below(100) / 100),
      int("gen_ai.request.max_tokens", 1024),
      text("gen_ai.response.id", random.bytes(4).toString("hex")),
      text("gen_ai.prompt.summary", prose(random, itemBytes - spanBytesWithoutText)),
    ],
    status: random.below(20) === 0 ? { code: 2, message: "timeout" } : { code: 1 },
    flags: 1,
  };
}

function logRecord(random: Random, itemBytes: number): object {
  return {
    timeUnixNano: time(random.below(1000), random.below(1e9)),
    observedTimeUnixNano: time(1000, random.below(1e9)),
    severityNumber: 9,
    severityText: "INFO",
    body: { stringValue: prose(random, itemBytes - 198) },
    attributes: [
      text("gen_ai.request.model", random.pick(models)),
      text("code.function.name", random.pick(words)),
      int("gen_ai.usage.output_tokens", random.below(900)),
      text("request.id", random.bytes(4).toString("hex")),
    ],
    traceId: random.bytes(16),
    spanId: random.bytes(8),
    flags: 1,
  };
}

/** Points a metric: what a scrape of a model server with this many label sets gives. */
const pointsPerMetric = 10;

function point(random: Random): object {
  return {
    startTimeUnixNano: time(0, 0),
    timeUnixNano: time(random.below(1000), random.below(1e9)),
    asDouble: random.below(1e6) / 7,
    attributes: [
      text("gen_ai.request.model", random.pick(models)),
      text("server.address", `10.0.0.${random.below(16)}`),
      text("gen_ai.token.type", random.pick(["input", "output"])),
      text("request.kind", random.pick(words)),
      text("service.instance.id", random.bytes(4).toString("hex")),
    ],
  };
}

function metric(random: Random, points: number): object {
  const dataPoints = Array.from({ length: points }, () => point(random));
  const name = `gen_ai.server.${random.pick(words)}`;
  if (random.below(2) === 0) return { name, unit: "1", gauge: { dataPoints } };
  return { name, unit: "1", sum: { dataPoints, aggregationTemporality: 2, isMonotonic: true } };
}

const builders: Readonly<Record<Signal, (shape: Shape, random: Random) => object>> = {
  traces: ({ items, itemBytes }, random) => ({
    resourceSpans: overResources(items, () => span(random, itemBytes)).map((group) => ({
      resource: group.resource,
      scopeSpans: [{ scope, spans: group.items }],
    })),
  }),
  logs: ({ items, itemBytes }, random) => ({
    resourceLogs: overResources(items, () => logRecord(random, itemBytes)).map((group) => ({
      resource: group.resource,
      scopeLogs: [{ scope, logRecords: group.items }],
    })),
  }),
  metrics: ({ items }, random) => {
    const counts = Array.from({ length: Math.ceil(items / pointsPerMetric) }, (_, index) =>
      Math.min(pointsPerMetric, items - index * pointsPerMetric),
    );
    return {
      resourceMetrics: overResources(counts.length, (index) => metric(random, counts[index] ?? 0)).map((group) => ({
        resource: group.resource,
        scopeMetrics: [{ scope, metrics: group.items }],
      })),
    };
  },
};
