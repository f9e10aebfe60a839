import { duration, headers, optionalBlock, stringList, z } from "../config/schema.ts";
import {
  atLeastZero,
  authenticatorId,
  authSetting,
  bufferNote,
  endpointText,
  middlewaresSetting,
  nonNegativeDuration,
} from "./setting_fields.ts";
import { tlsServerSettings } from "./tls_settings.ts";

/** Setting blocks of servers, with the Collector's keys and defaults. */

function addressSettings(endpoint: string) {
  return {
    endpoint: endpointText()
      .default(endpoint)
      .describe("Where to listen: host:port, or a socket's path with transport unix. localhost is 127.0.0.1 and ::1."),
    transport: z
      .enum(["tcp", "tcp4", "tcp6", "unix"], {
        error: (issue) => `unsupported transport type ${JSON.stringify(issue.input)}`,
      })
      .default("tcp")
      .describe("tcp, tcp4, tcp6 or unix."),
    dialer: z
      .strictObject({ timeout: nonNegativeDuration("0s", "Accepted for compatibility; a server dials nobody.") })
      .prefault({})
      .describe("Accepted for compatibility; has no effect on a server."),
  };
}

function corsSettings() {
  const block = () =>
    z.strictObject({
      allowed_origins: stringList()
        .prefault([])
        .describe("Origins a browser may send from; one * in each stands for any characters. Empty: CORS is off."),
      allowed_headers: stringList()
        .prefault([])
        .describe("Request headers allowed; * allows all. Empty: Accept, Content-Type and X-Requested-With."),
      exposed_headers: stringList().prefault([]).describe("Response headers that scripts may read."),
      max_age: z
        .int()
        .default(0)
        .describe("Seconds a browser may keep the answer to a preflight; 0 does not say, less says 0."),
    });
  return optionalBlock(block, "none").describe("Lets browsers send from other origins.");
}

const requestCodings = ["", "gzip", "zstd", "zlib", "snappy", "deflate", "lz4", "x-snappy-framed"] as const;

function compressionAlgorithms() {
  return z
    .array(z.string())
    .superRefine((names, context) => {
      for (const [index, name] of names.entries()) {
        if (requestCodings.some((known) => known === name)) continue;
        context.addIssue({
          code: "custom",
          message: `compression_algorithms: ${JSON.stringify(name)} is not a known compression`,
          path: [index],
        });
      }
    })
    .default([...requestCodings])
    .describe('Request codings taken, "" being none at all. The empty list turns decompression off.');
}

function httpServerAuth() {
  const block = () =>
    z.strictObject({
      authenticator: authenticatorId("server authenticator"),
      request_params: z
        .array(z.string())
        .default([])
        .describe("Query parameters that the authenticator sees in place of the headers of the same name."),
    });
  return optionalBlock(block, "none").describe("Who may send.");
}

function serverKeepAlive() {
  return z
    .strictObject({
      enabled: z.boolean().default(true).describe("Keep connections open between requests."),
      idle_timeout: duration()
        .refine((milliseconds) => milliseconds >= 0, { error: "must be non-negative" })
        .optional()
        .describe("How long an unused connection is kept; absent, what idle_timeout says."),
    })
    .nullish()
    .describe("How connections are kept between requests.");
}

/** The Collector's HTTP server block. `timeouts` are the component's own defaults. */
export function httpServerShape(endpoint: string, timeouts: { header: string; write: string; idle: string }) {
  return {
    ...addressSettings(endpoint),
    tls: tlsServerSettings().describe("Serve TLS."),
    cors: corsSettings(),
    auth: httpServerAuth(),
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
    keepalive: serverKeepAlive(),
    idle_timeout: nonNegativeDuration(
      timeouts.idle,
      "How long an unused connection is kept; 0 is for ever. The older form of keepalive::idle_timeout.",
    ),
    keep_alives_enabled: z
      .boolean()
      .default(true)
      .describe("Keep connections open between requests. The older form of keepalive::enabled."),
    middlewares: middlewaresSetting("HTTP server middleware"),
  };
}

export type HttpServerSettings = z.output<z.ZodObject<ReturnType<typeof httpServerShape>>>;

const serverParameters = () =>
  z.strictObject({
    max_connection_idle: nonNegativeDuration("0s", "Close a connection without calls after this time; 0 is never."),
    max_connection_age: nonNegativeDuration("0s", "Close a connection after this time; 0 is never."),
    max_connection_age_grace: nonNegativeDuration("0s", "Time for running calls of such a connection; 0 is no limit."),
    time: nonNegativeDuration("0s", "Ping a silent client after this time; 0 means two hours."),
    timeout: nonNegativeDuration("0s", "Close when it does not answer the ping in this time; 0 means 20 s."),
  });

const enforcementPolicy = () =>
  z.strictObject({
    min_time: nonNegativeDuration("0s", "Least time between a client's pings; 0 means five minutes."),
    permit_without_stream: z.boolean().default(false).describe("Allow pings without calls; else one in two hours."),
  });

const serverKeepalive = () =>
  z.strictObject({
    server_parameters: optionalBlock(serverParameters, "none").describe(
      "When the server closes connections and pings clients.",
    ),
    enforcement_policy: optionalBlock(enforcementPolicy, "none").describe(
      "How often clients may ping; the third ping too many ends the connection with too_many_pings.",
    ),
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
    keepalive: optionalBlock(serverKeepalive, "none").describe("Keepalive of connections."),
    auth: authSetting("server authenticator").describe("Who may send."),
    include_metadata: z
      .boolean()
      .default(false)
      .describe("Keep gRPC metadata with the data, for processors that read it."),
    middlewares: middlewaresSetting("gRPC server middleware"),
  };
}

const maxMessageMib = 2047;

export type GrpcServerSettings = z.output<z.ZodObject<ReturnType<typeof grpcServerShape>>>;
