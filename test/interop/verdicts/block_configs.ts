import type { VerdictConfig } from "./configs.ts";

const otlp = "receivers: { otlp: { protocols: { grpc: } } }";
const traces = "service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }";

function servers(grpc: string, http = ""): string {
  return `receivers: { otlp: { protocols: { grpc: { ${grpc} }, http: { ${http} } } } }\nexporters: { debug: }\n${traces}\n`;
}

function client(type: string, endpoint: string, settings: string): string {
  return `${otlp}\nexporters: { debug: , ${type}: { endpoint: '${endpoint}', ${settings} } }\n${traces}\n`;
}

const http = (settings: string) => client("otlp_http", "http://a", settings);
const grpc = (settings: string, endpoint = "a:1") => client("otlp_grpc", endpoint, settings);

/** The setting blocks that servers and clients share. */
export const blockConfigs: readonly VerdictConfig[] = [
  { yaml: servers("keepalive: { enabled: false, server_parameters: { enabled: true }, enforcement_policy: }") },
  { yaml: servers("keepalive: { enforcement_policy: { min_time: 10s, permit_without_stream: true } }") },
  { yaml: servers("keepalive: { server_parameters: { max_age: 1s } }"), blames: "max_age" },
  { yaml: servers("", "keepalive: { idle_timeout: 1s }") },
  { yaml: servers("", "keepalive: , idle_timeout: 3s, keep_alives_enabled: false") },
  { yaml: servers("", "keepalive: { idle_timeout: 1s }, idle_timeout: 0s, keep_alives_enabled: true") },
  { yaml: servers("", "keepalive: { idle_timeout: 1s }, idle_timeout: 3s"), blames: "keepalive" },
  { yaml: servers("", "keepalive: { enabled: false }, keep_alives_enabled: false"), blames: "keepalive" },
  { yaml: servers("", "cors: { allowed_origins: '*', max_age: -1 }, response_headers: { A: b }") },
  { yaml: servers("", "cors: { allow_origins: [a] }"), blames: "allow_origins" },
  { yaml: servers("", "compression_algorithms: [gzip, snappy, x-snappy-framed, lz4, '']") },
  { yaml: servers("endpoint: /tmp/x.sock, transport: unix") },
  { yaml: servers("transport: tcp5"), blames: "tcp5" },
  { yaml: servers("max_concurrent_streams: -1"), blames: "max_concurrent_streams" },
  { yaml: http("keepalive: { max_idle_conns: 5 }, max_idle_conns: 0") },
  { yaml: http("keepalive: { max_idle_conns: 5 }, max_idle_conns: 7"), blames: "keepalive" },
  { yaml: http("keepalive: { enabled: false }, disable_keep_alives: true"), blames: "keepalive" },
  ...["gzip", "zlib", "deflate", "snappy", "x-snappy-framed", "zstd", "lz4", "none", "''"].map((compression) => ({
    yaml: http(`compression: ${compression}`),
  })),
  { yaml: http("compression: brotli"), blames: "brotli" },
  { yaml: http("compression: zstd, compression_params: { level: 1000 }") },
  { yaml: http("compression: gzip, compression_params: { level: -2 }") },
  { yaml: http("compression: lz4, compression_params: { level: 1 }"), blames: "lz4" },
  { yaml: http("cookies: , force_attempt_http2: false") },
  { yaml: grpc("balancer_name: '', keepalive: { enabled: true, time: 1s }") },
  { yaml: grpc("balancer_name: weighted_round_robin"), blames: "weighted_round_robin" },
  { yaml: grpc("authority: a, wait_for_ready: true", "unix:///tmp/x.sock") },
  { yaml: grpc("", "unix:/tmp/x.sock"), blames: "port" },
  { yaml: grpc("compression: snappy") },
  { yaml: grpc("compression: zstd") },
];
