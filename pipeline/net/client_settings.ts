import { duration, headers, optionalBlock, z } from "../config/schema.ts";
import {
  atLeastZero,
  authSetting,
  bufferNote,
  endpointText,
  middlewaresSetting,
  nonNegativeDuration,
} from "./setting_fields.ts";
import { tlsClientSettings } from "./tls_settings.ts";

/** Setting blocks of clients, with the Collector's keys and defaults. */

/** What a client compresses with. */
function compressionSetting(known: readonly [string, ...string[]], standard: string) {
  const names = known.filter((each) => each !== "").join(", ");
  return z
    .enum(known, { error: (issue) => `unsupported compression type ${JSON.stringify(issue.input)}: use ${names}` })
    .default(standard)
    .describe(
      `Compression of requests: ${names}. zstd takes a fifth of gzip's CPU time for as many bytes: choose it where the other side reads it, as otelpipe and the Collector do. A request that nothing changed and that came in this coding is sent on as it came, at the level of its sender.`,
    );
}

const http1Note = "Accepted for compatibility; has no effect, requests go over HTTP/1.1.";

function proxySetting() {
  return z
    .string()
    .default("")
    .superRefine((text, context) => {
      if (text === "" || /^https?:$/.test(URL.parse(text)?.protocol ?? "")) return;
      const message = "otelpipe speaks to HTTP proxies only: use a URL such as http://proxy:3128";
      context.addIssue({ code: "custom", message });
    })
    .describe("URL of an HTTP proxy. Empty: what HTTP_PROXY, HTTPS_PROXY and NO_PROXY say, but not for this machine.");
}

function clientKeepAlive() {
  const count = () => z.int().min(0).optional();
  return z
    .strictObject({
      enabled: z.boolean().default(true).describe("Keep connections open between requests."),
      idle_conn_timeout: duration()
        .refine((milliseconds) => milliseconds >= 0, { error: "must be non-negative" })
        .optional()
        .describe("How long an unused connection is kept; absent, what idle_conn_timeout beside the block says."),
      max_idle_conns: count().describe("Most unused connections kept."),
      max_idle_conns_per_host: count().describe("Most unused connections kept for one host."),
    })
    .nullish()
    .describe("How connections are kept between requests; stands for the older settings of the same names.");
}

/** The Collector's HTTP client block. */
export function httpClientShape(standard: { timeout: string; compression: string }) {
  return {
    endpoint: endpointText().default("").describe("Base URL of the destination, such as https://host:4318."),
    proxy_url: proxySetting(),
    tls: tlsClientSettings().describe("TLS of https endpoints."),
    read_buffer_size: atLeastZero("read_buffer_size", bufferNote),
    write_buffer_size: atLeastZero("write_buffer_size", bufferNote, 524_288),
    timeout: nonNegativeDuration(standard.timeout, "Longest time for one attempt with its answer; 0 is no limit."),
    headers: headers().prefault({}).describe("Headers sent with every request; Host replaces the endpoint's."),
    auth: authSetting("HTTP client authenticator"),
    compression: compressionSetting(
      ["gzip", "zstd", "deflate", "zlib", "snappy", "x-snappy-framed", "lz4", "none", ""],
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
    keepalive: clientKeepAlive(),
    http2_read_idle_timeout: nonNegativeDuration("0s", http1Note),
    http2_ping_timeout: nonNegativeDuration("0s", http1Note),
    force_attempt_http2: z.boolean().default(true).describe(http1Note),
    cookies: optionalBlock(() => z.strictObject({}), "none").describe(
      "Send cookies back to the server that set them; the key with {} turns it on.",
    ),
    middlewares: middlewaresSetting("HTTP client middleware"),
  };
}

export type HttpClientSettings = z.output<z.ZodObject<ReturnType<typeof httpClientShape>>>;

/** Checks `compression_params` against `compression`, for `acrossFields` on a block with `httpClientShape`. */
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
    endpoint: endpointText()
      .default("")
      .describe(
        "Destination: host:port, http(s)://host:port, dns:///host:port or unix://path. https forces TLS; http does not turn it off.",
      ),
    compression: compressionSetting(["gzip", "snappy", "zstd", "none", ""], standard.compression),
    tls: tlsClientSettings().describe("TLS, on unless insecure is set."),
    keepalive: optionalBlock(clientKeepalive, "none").describe("Pings on silent connections; off unless written."),
    read_buffer_size: atLeastZero("read_buffer_size", bufferNote),
    write_buffer_size: atLeastZero("write_buffer_size", bufferNote, 524_288),
    wait_for_ready: z.boolean().default(false).describe("Wait for a connection instead of failing at once."),
    headers: headers().prefault({}).describe("Metadata sent with every call."),
    user_agent: z.string().default("").describe("User agent; empty is otelpipe/<version> (<os>/<arch>)."),
    balancer_name: z
      .enum(["round_robin", "pick_first", ""], { error: (issue) => `invalid balancer_name: ${String(issue.input)}` })
      .default("round_robin")
      .describe("How calls are spread over the addresses of the destination; empty is pick_first."),
    authority: z.string().default("").describe("The :authority to send instead of the endpoint's."),
    auth: authSetting("gRPC client authenticator"),
    middlewares: middlewaresSetting("gRPC client middleware"),
  };
}

export type GrpcClientSettings = z.output<z.ZodObject<ReturnType<typeof grpcClientShape>>>;
