import { headers, z } from "../schema.ts";

const protocols = ["grpc", "http/protobuf"] as const;

/** Settings of an OTLP exporter of own telemetry. */
export interface OwnOtlpSettings {
  readonly protocol: (typeof protocols)[number];
  /** With a scheme; the default port of the protocol on this machine unless it was written. */
  readonly endpoint: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: "gzip" | "none";
  readonly timeoutMs: number;
  readonly certificate: string | undefined;
  readonly clientCertificate: string | undefined;
  readonly clientKey: string | undefined;
  readonly temporality: "cumulative" | "delta" | "lowmemory";
}

const file = (what: string) => z.string().optional().describe(`A PEM file: ${what}.`);

/** The keys of the `otlp` exporter, the same for all three signals but for metrics' last two. */
function otlp() {
  return z
    .strictObject({
      protocol: z
        .enum(protocols, { error: (issue) => `unsupported protocol ${JSON.stringify(issue.input ?? "")}` })
        .describe("grpc or http/protobuf."),
      endpoint: z.string().optional().describe("Where to send; https:// is put before it unless `insecure`."),
      headers: headers().prefault({}).describe("Headers of each request."),
      headers_list: z.string().optional().describe("More headers, as `key=value,key=value`; `headers` wins."),
      compression: z.enum(["gzip", "none"]).default("none").describe("gzip or none."),
      timeout: z.int().min(0).default(10_000).describe("Milliseconds a request may take."),
      insecure: z.boolean().default(false).describe("Plain text, for an endpoint without a scheme."),
      certificate: file("the authorities that the other side is checked against"),
      client_certificate: file("our certificate"),
      client_key: file("its key"),
      temporality_preference: z.enum(["cumulative", "delta", "lowmemory"]).optional().describe("Metrics only."),
      default_histogram_aggregation: z
        .enum(["explicit_bucket_histogram", "base2_exponential_bucket_histogram"])
        .optional()
        .describe("Metrics only. Histograms keep their buckets, as in the Collector."),
    })
    .transform((value): OwnOtlpSettings => {
      const standard = value.protocol === "grpc" ? "localhost:4317" : "localhost:4318";
      return {
        protocol: value.protocol,
        endpoint: withScheme(value.endpoint ?? standard, value.insecure),
        headers: { ...headersOf(value.headers_list), ...value.headers },
        compression: value.compression,
        timeoutMs: value.timeout,
        certificate: value.certificate,
        clientCertificate: value.client_certificate,
        clientKey: value.client_key,
        temporality: value.temporality_preference ?? "cumulative",
      };
    });
}

function withScheme(endpoint: string, insecure: boolean): string {
  if (/^https?:\/\//.test(endpoint)) return endpoint;
  return `${insecure ? "http" : "https"}://${endpoint}`;
}

function headersOf(list = ""): Record<string, string> {
  const pairs = list.split(",").flatMap((pair) => {
    const at = pair.indexOf("=");
    return at < 1 ? [] : [[pair.slice(0, at).trim(), decodeURIComponent(pair.slice(at + 1).trim())]];
  });
  return Object.fromEntries(pairs);
}

/** Who gets own telemetry: exactly one of `otlp` and `console`. */
export function exporter(noun: string) {
  return z
    .strictObject({
      otlp: otlp().optional().describe("OTLP over gRPC or HTTP."),
      console: z.record(z.string(), z.unknown()).optional().describe("JSON on standard output: `console: {}`."),
    })
    .transform((value, context) => {
      if (value.otlp !== undefined && value.console !== undefined) {
        context.addIssue({ code: "custom", message: "must not specify multiple exporters" });
      } else if (value.otlp === undefined && value.console === undefined) {
        context.addIssue({ code: "custom", message: `no valid ${noun} exporter` });
      }
      return value.otlp ?? ("console" as const);
    });
}

/** Settings of one way out for own spans or log records. */
export interface ProcessorSettings {
  readonly exporter: OwnOtlpSettings | "console";
  /** How long records are gathered, in milliseconds; 0 sends each at once. */
  readonly delayMs: number;
  readonly maxBatchSize: number;
  /** More records than these that wait are dropped. */
  readonly maxQueueSize: number;
  readonly timeoutMs: number;
}

/** The list of processors of own spans or log records: each `batch` or `simple`. */
export function processors(noun: "span" | "log") {
  const batch = z.strictObject({
    schedule_delay: z
      .int()
      .min(0)
      .default(noun === "span" ? 5_000 : 1_000)
      .describe("Milliseconds until what has gathered is sent."),
    export_timeout: z.int().min(0).default(30_000).describe("Milliseconds an export may take."),
    max_queue_size: z.int().min(0).default(2_048).describe("More that wait are dropped."),
    max_export_batch_size: z.int().min(0).default(512).describe("As many at most in one export."),
    exporter: exporter(noun).describe("Where to."),
  });
  const simple = z.strictObject({ exporter: exporter(noun).describe("Where to.") });
  const one = z
    .strictObject({
      batch: batch.optional().describe("Gathers and sends together."),
      simple: simple.optional().describe("Sends each at once."),
    })
    .transform((value, context): ProcessorSettings => {
      if (value.batch !== undefined && value.simple !== undefined) {
        context.addIssue({ code: "custom", message: `must not specify multiple ${noun} processor type` });
      }
      if (value.batch !== undefined) {
        const { schedule_delay, export_timeout, max_queue_size, max_export_batch_size } = value.batch;
        return {
          exporter: value.batch.exporter,
          delayMs: schedule_delay,
          maxBatchSize: max_export_batch_size || 512,
          maxQueueSize: max_queue_size || 2_048,
          timeoutMs: export_timeout,
        };
      }
      if (value.simple === undefined) {
        const message = `unsupported ${noun} processor type, must be one of simple or batch`;
        context.addIssue({ code: "custom", message });
        return z.NEVER;
      }
      return { exporter: value.simple.exporter, delayMs: 0, maxBatchSize: 1, maxQueueSize: 2_048, timeoutMs: 30_000 };
    });
  return z.array(one);
}
