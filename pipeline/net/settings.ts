import { duration, headers, optionalBlock, stringList, z } from "../config/schema.ts";
import { tlsClientSettings, tlsServerSettings } from "./tls_settings.ts";
import { unsupported } from "./unsupported.ts";

/** Setting blocks that servers and clients share, with the Collector's keys and defaults. */

function atLeastZero(name: string, summary: string, value = 0) {
  const message = (issue: { input?: unknown }) => `invalid ${name} value: ${String(issue.input)}`;
  return z.int().min(0, { error: message }).default(value).describe(summary);
}

function nonNegativeDuration(standard: string, summary: string) {
  return duration()
    .refine((milliseconds) => milliseconds >= 0, { error: "must be non-negative" })
    .prefault(standard)
    .describe(summary);
}

const bufferNote = "Accepted for compatibility; has no effect, the runtime sizes its own buffers.";

function addressSettings(endpoint: string) {
  return {
    endpoint: z
      .string()
      .default(endpoint)
      .describe("Where to listen: host:port, or a socket's path with transport unix. localhost is 127.0.0.1 and ::1."),
    transport: z
      .enum(["tcp", "tcp4", "tcp6", "unix"], {
        error: (issue) => `unsupported transport type ${JSON.stringify(issue.input)}`,
      })
      .default("tcp")
      .describe("tcp, tcp4, tcp6 or unix."),
    dialer: unsupported("dialer", "Settings of outgoing connections."),
  };
}

function corsSettings() {
  const block = () =>
    z.strictObject({
      allowed_origins: stringList()
        .prefault([])
        .describe("Origins a browser may send from; * stands for any characters. Empty: CORS is off."),
      allowed_headers: stringList()
        .prefault([])
        .describe("Request headers allowed besides the safe ones; * allows all."),
      exposed_headers: stringList().prefault([]).describe("Response headers that scripts may read."),
      max_age: z
        .int()
        .min(0)
        .default(0)
        .describe("Seconds a browser may keep the answer to a preflight; 0 does not say."),
    });
  return optionalBlock(block, "none").describe("Lets browsers send from other origins.");
}

const requestCodings = ["", "gzip", "zstd", "zlib", "deflate"] as const;
const knownCodings: readonly string[] = [...requestCodings, "snappy", "lz4", "x-snappy-framed"];

function compressionAlgorithms() {
  return z
    .array(z.string())
    .superRefine((names, context) => {
      for (const [index, name] of names.entries()) {
        if (requestCodings.some((known) => known === name)) continue;
        const verdict = knownCodings.includes(name) ? "is not supported by otelpipe yet" : "is not a known compression";
        context.addIssue({
          code: "custom",
          message: `compression_algorithms: ${JSON.stringify(name)} ${verdict}`,
          path: [index],
        });
      }
    })
    .default([...requestCodings])
    .describe('Request codings taken, "" being none at all. The empty list turns decompression off.');
}

/** The Collector's HTTP server block. `timeouts` are the component's own defaults. */
export function httpServerShape(endpoint: string, timeouts: { header: string; write: string; idle: string }) {
  return {
    ...addressSettings(endpoint),
    tls: tlsServerSettings().describe("Serve TLS."),
    cors: corsSettings(),
    auth: unsupported("auth", "Who may send."),
    max_request_body_size: z
      .int()
      .default(0)
      .describe("Largest body in bytes, before and after decompression; 0 and less mean 20 MiB."),
    include_metadata: z
      .boolean()
      .default(false)
      .describe("Keep request headers with the data, for processors that read them."),
    response_headers: headers().prefault({}).describe("Headers added to every answer."),
    compression_algorithms: compressionAlgorithms(),
    read_timeout: nonNegativeDuration("0s", "Longest time for reading a request with its body; 0 means five minutes."),
    read_header_timeout: nonNegativeDuration(
      timeouts.header,
      "Longest time for reading a request's head; 0 means one minute.",
    ),
    write_timeout: nonNegativeDuration(
      timeouts.write,
      "Longest time a connection may take no byte of an answer; 0 is no limit.",
    ),
    idle_timeout: nonNegativeDuration(timeouts.idle, "How long an unused connection is kept; 0 is for ever."),
    keep_alives_enabled: z.boolean().default(true).describe("Keep connections open between requests."),
    middlewares: unsupported("middlewares", "Extensions that wrap requests."),
  };
}

export type HttpServerSettings = z.output<z.ZodObject<ReturnType<typeof httpServerShape>>>;

const serverKeepalive = () =>
  z.strictObject({
    server_parameters: z
      .strictObject({
        max_connection_idle: nonNegativeDuration("0s", "Close a connection without calls after this time; 0 is never."),
        max_connection_age: nonNegativeDuration("0s", "Close a connection after this time; 0 is never."),
        max_connection_age_grace: nonNegativeDuration(
          "0s",
          "Time for running calls of such a connection; 0 is no limit.",
        ),
        time: nonNegativeDuration("0s", "Ping a silent client after this time; 0 means two hours."),
        timeout: nonNegativeDuration("0s", "Close when it does not answer the ping in this time; 0 means 20 s."),
      })
      .nullish()
      .describe("When the server closes connections and pings clients."),
    enforcement_policy: z
      .strictObject({
        min_time: nonNegativeDuration("0s", "Least time between a client's pings."),
        permit_without_stream: z.boolean().default(false).describe("Allow pings without calls."),
      })
      .nullish()
      .describe("Accepted for compatibility: clients are never closed for their pings."),
  });

/** The Collector's gRPC server block. */
export function grpcServerShape(endpoint: string) {
  return {
    ...addressSettings(endpoint),
    tls: tlsServerSettings().describe("Serve TLS."),
    max_recv_msg_size_mib: z
      .int()
      .min(0, {
        error: (issue) =>
          `invalid max_recv_msg_size_mib value, must be between 1 and ${maxMessageMib}: ${String(issue.input)}`,
      })
      .max(maxMessageMib)
      .default(0)
      .describe("Largest message in MiB, before and after decompression; 0 means 4."),
    max_concurrent_streams: atLeastZero(
      "max_concurrent_streams",
      "Most calls at a time on one connection; 0 is no limit.",
    ),
    read_buffer_size: atLeastZero("read_buffer_size", bufferNote, 524_288),
    write_buffer_size: atLeastZero("write_buffer_size", bufferNote),
    keepalive: serverKeepalive().nullish().describe("Keepalive of connections."),
    auth: unsupported("auth", "Who may send."),
    include_metadata: z
      .boolean()
      .default(false)
      .describe("Keep gRPC metadata with the data, for processors that read it."),
    middlewares: unsupported("middlewares", "Extensions that wrap calls."),
  };
}

const maxMessageMib = 2047;

export type GrpcServerSettings = z.output<z.ZodObject<ReturnType<typeof grpcServerShape>>>;

/** What clients can compress with; the others that the Collector knows are refused by name. */
function compressionSetting(supported: readonly [string, ...string[]], known: readonly string[], standard: string) {
  return z
    .string()
    .superRefine((name, context) => {
      if (supported.includes(name)) return;
      const verdict = known.includes(name)
        ? `compression type ${JSON.stringify(name)} is not supported by otelpipe yet`
        : `unsupported compression type ${JSON.stringify(name)}`;
      context.addIssue({
        code: "custom",
        message: `${verdict}: use ${supported.filter((each) => each !== "").join(", ")}`,
      });
    })
    .default(standard)
    .describe(`Compression of requests: ${supported.filter((each) => each !== "").join(", ")}.`);
}

/** The Collector's HTTP client block. */
export function httpClientShape(standard: { timeout: string; compression: string }) {
  return {
    endpoint: z.string().default("").describe("Base URL of the destination, such as https://host:4318."),
    proxy_url: unsupported("proxy_url", "An HTTP proxy."),
    tls: tlsClientSettings().describe("TLS of https endpoints."),
    read_buffer_size: atLeastZero("read_buffer_size", bufferNote),
    write_buffer_size: atLeastZero("write_buffer_size", bufferNote, 524_288),
    timeout: nonNegativeDuration(standard.timeout, "Longest time for one attempt with its answer; 0 is no limit."),
    headers: headers().prefault({}).describe("Headers sent with every request; Host replaces the endpoint's."),
    auth: unsupported("auth", "An authenticator extension."),
    compression: compressionSetting(
      ["gzip", "zstd", "deflate", "zlib", "none", ""],
      ["snappy", "x-snappy-framed", "lz4"],
      standard.compression,
    ),
    compression_params: z
      .strictObject({ level: z.int().default(0).describe("Level of the compression; 0 is its default.") })
      .prefault({})
      .describe("Tuning of the compression."),
    max_idle_conns: atLeastZero("max_idle_conns", "Most unused connections kept.", 100),
    max_idle_conns_per_host: atLeastZero(
      "max_idle_conns_per_host",
      "Most unused connections kept for one host; 0 is max_idle_conns.",
    ),
    max_conns_per_host: atLeastZero("max_conns_per_host", "Most connections to one host; 0 is no limit."),
    idle_conn_timeout: nonNegativeDuration("90s", "How long an unused connection is kept; 0 is for ever."),
    disable_keep_alives: z.boolean().default(false).describe("One connection for each request."),
    http2_read_idle_timeout: unsupported("http2_read_idle_timeout", "HTTP/2 health checks."),
    http2_ping_timeout: unsupported("http2_ping_timeout", "HTTP/2 health checks."),
    force_attempt_http2: z.boolean().default(true).describe("Accepted for compatibility: requests go over HTTP/1.1."),
    cookies: unsupported("cookies", "A cookie jar."),
    middlewares: unsupported("middlewares", "Extensions that wrap requests."),
  };
}

export type HttpClientSettings = z.output<z.ZodObject<ReturnType<typeof httpClientShape>>>;

/** Checks `compression_params` against `compression`, for `superRefine` on a block with `httpClientShape`. */
export function checkCompressionLevel(
  settings: Pick<HttpClientSettings, "compression" | "compression_params">,
  context: z.RefinementCtx,
): void {
  const { compression, compression_params } = settings;
  const { level } = compression_params;
  const zlibLike = ["gzip", "zlib", "deflate"].includes(compression);
  if (level === 0 || compression === "zstd" || (zlibLike && level >= -2 && level <= 9)) return;
  const message = `unsupported parameters {Level:${level}} for compression type ${JSON.stringify(compression)}`;
  context.addIssue({ code: "custom", message, path: ["compression_params", "level"] });
}

const clientKeepalive = () =>
  z.strictObject({
    time: nonNegativeDuration("0s", "Ping a silent server after this time; 0 means ten seconds."),
    timeout: nonNegativeDuration("0s", "Close when it does not answer the ping in this time; 0 means 20 s."),
    permit_without_stream: z.boolean().default(false).describe("Ping without calls as well."),
  });

/** The Collector's gRPC client block. */
export function grpcClientShape(standard: { compression: string }) {
  return {
    endpoint: z
      .string()
      .default("")
      .describe(
        "Destination: host:port, http(s)://host:port, dns:///host:port or unix://path. https forces TLS; http does not turn it off.",
      ),
    compression: compressionSetting(["gzip", "none", ""], ["snappy", "zstd"], standard.compression),
    tls: tlsClientSettings().describe("TLS, on unless insecure is set."),
    keepalive: clientKeepalive().nullish().describe("Pings on silent connections; off unless written."),
    read_buffer_size: atLeastZero("read_buffer_size", bufferNote),
    write_buffer_size: atLeastZero("write_buffer_size", bufferNote, 524_288),
    wait_for_ready: z.boolean().default(false).describe("Wait for a connection instead of failing at once."),
    headers: headers().prefault({}).describe("Metadata sent with every call."),
    user_agent: z.string().default("").describe("User agent; empty is otelpipe/<version> (<os>/<arch>)."),
    balancer_name: z
      .enum(["round_robin", "pick_first"], { error: (issue) => `invalid balancer_name: ${String(issue.input)}` })
      .default("round_robin")
      .describe("How calls are spread over the addresses of the destination."),
    authority: z.string().default("").describe("The :authority to send instead of the endpoint's."),
    auth: unsupported("auth", "An authenticator extension."),
    middlewares: unsupported("middlewares", "Extensions that wrap calls."),
  };
}

export type GrpcClientSettings = z.output<z.ZodObject<ReturnType<typeof grpcClientShape>>>;
