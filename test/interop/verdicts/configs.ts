// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this

import { blockConfigs } from "./block_configs.ts";

/** A configuration, and the word that both daemons' complaints name when they refuse it. */
export interface VerdictConfig {
  readonly yaml: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** What is to blame: a key, an id or a value. */
  readonly blames?: string;
}

const otlp = "receivers: { otlp: { protocols: { grpc: } } }";
const debug = "exporters: { debug: }";
const traces = "service: { pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }";

function receiver(settings: string): string {
  return `receivers: { otlp: ${settings} }\n${debug}\n${traces}\n`;
}

function processor(type: string, settings: string): string {
  return `${otlp}\n${debug}\nprocessors: { ${type}: ${settings} }\n${traces}\n`;
}

function exporter(type: string, settings: string): string {
  return `${otlp}\nexporters: { debug: , ${type}: ${settings} }\n${traces}\n`;
}

function batch(settings: string): string {
  return processor("batch", `{ ${settings} }`);
}

function service(text: string, more = ""): string {
  return `${otlp}\n${debug}\n${more}\nservice: { ${text} }\n`;
}

function pipelines(text: string, more = ""): string {
  return service(`pipelines: { ${text} }`, more);
}

/** Valid and broken configurations for `validate`, in the order of the language's rules. */
export const verdictConfigs: readonly VerdictConfig[] = [
  ...blockConfigs,
  { yaml: "" },
  { yaml: "receivers:\n" },
  { yaml: "- a\n" },
  { yaml: "just text\n" },
  { yaml: `${otlp}\n${debug}\n${traces}\n` },
  { yaml: `${otlp}\n${debug}\n${traces}\nextra: 1\n`, blames: "extra" },
  { yaml: `${otlp}\n${otlp}\n${debug}\n${traces}\n`, blames: "receivers" },
  { yaml: `${otlp}\n${traces}\n`, blames: "exporter" },
  { yaml: `${debug}\n${traces}\n`, blames: "receiver" },
  { yaml: `${otlp}\n${debug}\n`, blames: "pipeline" },
  { yaml: `receivers: []\n${debug}\n${traces}\n`, blames: "receivers" },
  {
    yaml: "receivers::otlp::protocols::grpc:\nexporters::debug:\nservice::pipelines::traces: { receivers: [otlp], exporters: [debug] }\n",
  },
  // Ids and types.
  { yaml: processor("batch/", "{ }"), blames: "batch/" },
  { yaml: processor("/x", "{ }"), blames: "/x" },
  { yaml: processor('""', "{ }"), blames: "empty" },
  { yaml: processor("batch/a/b", "{ }") },
  { yaml: processor('" batch / a "', "{ }") },
  { yaml: processor('"batch/a b"', "{ }"), blames: "a b" },
  { yaml: processor('"batch/ä"', "{ }") },
  { yaml: processor('"ba-tch"', "{ }"), blames: "ba-tch" },
  { yaml: processor("nosuch", "{ }"), blames: "nosuch" },
  { yaml: processor("batch", "{ }, ' batch': { }"), blames: "batch" },
  { yaml: exporter("logging", ""), blames: "logging" },
  { yaml: exporter("jaeger", "{ endpoint: 'a:14250' }"), blames: "jaeger" },
  // Components without settings, unknown keys, types.
  { yaml: processor("batch", "") },
  { yaml: processor("batch", "5"), blames: "batch" },
  { yaml: processor("batch", "[]"), blames: "batch" },
  { yaml: processor("batch", '""') },
  { yaml: batch("timout: 1s"), blames: "timout" },
  { yaml: batch("Timeout: 1s"), blames: "Timeout" },
  { yaml: batch("timeout: 0200") },
  { yaml: batch("timeout: 200000000") },
  { yaml: batch("timeout: 1.5") },
  { yaml: batch("timeout: ") },
  { yaml: batch("timeout: 0") },
  { yaml: batch("timeout: 1d"), blames: "timeout" },
  { yaml: batch("timeout: -1s"), blames: "timeout" },
  { yaml: batch("timeout: ''"), blames: "timeout" },
  { yaml: batch("timeout: true"), blames: "timeout" },
  { yaml: batch("timeout: '5'"), blames: "timeout" },
  { yaml: batch("timeout: 1h2m3.5s") },
  { yaml: batch("timeout: .5s") },
  { yaml: batch("timeout: +5s") },
  { yaml: batch("timeout: 5 s"), blames: "timeout" },
  { yaml: batch("send_batch_size: 0123") },
  { yaml: batch("send_batch_size: 0o17") },
  { yaml: batch("send_batch_size: 0x10") },
  { yaml: batch("send_batch_size: 1_000") },
  { yaml: batch("send_batch_size: 1e3") },
  { yaml: batch("send_batch_size: 10.7") },
  { yaml: batch("send_batch_size: '10'"), blames: "send_batch_size" },
  { yaml: batch("send_batch_size: -1"), blames: "send_batch_size" },
  { yaml: batch("send_batch_size: 4294967296") },
  { yaml: batch("send_batch_size: true"), blames: "send_batch_size" },
  { yaml: batch("send_batch_size: ") },
  { yaml: batch("send_batch_size: []"), blames: "send_batch_size" },
  { yaml: batch("send_batch_size: 10, send_batch_max_size: 5"), blames: "send_batch_max_size" },
  { yaml: batch("metadata_keys: a") },
  { yaml: batch("metadata_keys: [a, A]"), blames: "metadata_keys" },
  { yaml: batch("metadata_keys: [1]"), blames: "metadata_keys" },
  { yaml: batch("metadata_keys: { a: b }"), blames: "metadata_keys" },
  { yaml: batch("metadata_keys: 5"), blames: "metadata_keys" },
  // Blocks.
  { yaml: receiver("{ protocols: { } }"), blames: "protocol" },
  { yaml: receiver(""), blames: "protocol" },
  { yaml: receiver("{ protocols: { grpc: , http: } }") },
  { yaml: receiver("{ protocols: { thrift: } }"), blames: "thrift" },
  { yaml: receiver("{ protocols: { grpc: { enabled: false } } }"), blames: "protocol" },
  { yaml: receiver("{ protocols: { grpc: { enabled: yes } } }"), blames: "enabled" },
  { yaml: receiver("{ protocols: { grpc: { endpoint: 4317 } } }"), blames: "endpoint" },
  { yaml: receiver("{ protocols: { grpc: { include_metadata: 'true' } } }"), blames: "include_metadata" },
  { yaml: receiver("{ protocols: { grpc: { include_metadata: yes } } }"), blames: "include_metadata" },
  { yaml: receiver("{ protocols: { grpc: { include_metadata: 1 } } }"), blames: "include_metadata" },
  { yaml: receiver("{ protocols: { grpc: { tls: { } } } }"), blames: "tls" },
  { yaml: exporter("otlp_http", "{ endpoint: 'http://a', headers: { a: b } }") },
  { yaml: exporter("otlp_http", "{ endpoint: 'http://a', headers: [{ name: a, value: b }] }") },
  {
    yaml: exporter("otlp_http", "{ endpoint: 'http://a', headers: [{ name: a, value: b }, { name: a, value: c }] }"),
    blames: "headers",
  },
  { yaml: exporter("otlp_http", "{ endpoint: 'http://a', headers: { a: 1 } }"), blames: "headers" },
  { yaml: exporter("otlp_http", "{ endpoint: 'http://a', headers: }") },
  { yaml: exporter("otlp_http", "{ endpoint: 'http://a', compression: lzma }"), blames: "lzma" },
  { yaml: exporter("otlp_http", "{ }"), blames: "endpoint" },
  { yaml: exporter("otlphttp", "{ endpoint: 'http://a' }") },
  { yaml: exporter("otlp", "{ endpoint: 'a:1', sending_queue: }") },
  { yaml: exporter("otlp", "{ endpoint: 'a:1', sending_queue: { enabled: false, nonsense: 1 } }"), blames: "nonsense" },
  { yaml: exporter("otlp", "{ endpoint: 'a:1', sending_queue: { num_consumers: 0 } }"), blames: "num_consumers" },
  { yaml: exporter("otlp", "{ endpoint: 'a:1', sending_queue: { sizer: bits } }"), blames: "bits" },
  { yaml: exporter("otlp", "{ endpoint: 'a:1', sending_queue: { batch: } }") },
  {
    yaml: exporter("otlp", "{ endpoint: 'a:1', retry_on_failure: { max_elapsed_time: 1s } }"),
    blames: "max_elapsed_time",
  },
  { yaml: exporter("debug/a", "{ verbosity: DETAILED }") },
  { yaml: exporter("debug/a", "{ verbosity: loud }"), blames: "verbosity" },
  { yaml: processor("memory_limiter", ""), blames: "check_interval" },
  { yaml: processor("memory_limiter", "{ check_interval: 1s, limit_mib: -2000 }"), blames: "limit_mib" },
  // References.
  { yaml: batch('timeout: "${env:X}"'), environment: { X: "5s" } },
  { yaml: batch('timeout: "${X}"'), environment: { X: "5s" } },
  { yaml: batch('timeout: "${env:UNSET_HERE}"') },
  { yaml: batch('send_batch_size: "${env:X}"'), environment: { X: "0123" } },
  { yaml: batch('send_batch_size: "${env:X}"'), environment: { X: '"12"' }, blames: "send_batch_size" },
  { yaml: batch('send_batch_size: "${env:X}"'), environment: { X: "12 # c" } },
  { yaml: batch("send_batch_size: '${env:X}'"), environment: { X: "12" } },
  { yaml: batch('send_batch_size: "1${env:X}"'), environment: { X: "2" }, blames: "send_batch_size" },
  { yaml: batch('timeout: "${env:X:-9s}"') },
  { yaml: batch('timeout: "${X:-9s}"'), blames: "X" },
  { yaml: batch('timeout: "${LONG_NAME:-9s}"'), blames: "LONG_NAME" },
  { yaml: batch('timeout: "${nosuch:x}"'), blames: "nosuch" },
  { yaml: batch('timeout: "${1}"'), blames: "1" },
  { yaml: batch('timeout: "${env:X}"'), environment: { X: "${env:X}" }, blames: "recursive|circle" },
  { yaml: processor("batch", '"${env:X}"'), environment: { X: "{ timeout: 5s }" } },
  { yaml: processor("batch", '"${env:X}"'), environment: { X: "{ timout: 5s }" }, blames: "timout" },
  { yaml: receiver('{ protocols: { grpc: { endpoint: "$X" } } }') },
  { yaml: receiver('{ protocols: { grpc: { endpoint: "${env:X}" } } }'), environment: { X: "0123" } },
  // Service.
  { yaml: pipelines("traces: "), blames: "receiver" },
  { yaml: pipelines("traces: { receivers: [otlp] }"), blames: "exporter" },
  { yaml: pipelines("traces: { receivers: otlp, exporters: [debug] }"), blames: "receivers" },
  { yaml: pipelines("traces: { receivers: [otlp], exporters: [debug, debug] }") },
  {
    yaml: pipelines(
      "traces: { receivers: [otlp], processors: [batch, batch], exporters: [debug] }",
      "processors: { batch: }",
    ),
    blames: "batch",
  },
  { yaml: pipelines("traces: { receivers: [otpl], exporters: [debug] }"), blames: "otpl" },
  { yaml: pipelines("traces: { receivers: [otlp], processors: [], exporters: [debug] }") },
  { yaml: pipelines("trace: { receivers: [otlp], exporters: [debug] }"), blames: "trace" },
  { yaml: pipelines("traces/: { receivers: [otlp], exporters: [debug] }"), blames: "traces/" },
  { yaml: pipelines("traces/a: { receivers: [otlp], exporters: [debug] }") },
  { yaml: pipelines("profiles: { receivers: [otlp], exporters: [debug] }"), blames: "profiles" },
  { yaml: pipelines("traces: { receivers: [otlp], exporters: [debug], extra: 1 }"), blames: "extra" },
  {
    yaml: service("extensions: [health_check], pipelines: { traces: { receivers: [otlp], exporters: [debug] } }"),
    blames: "health_check",
  },
  {
    yaml: service(
      "extensions: [health_check], pipelines: { traces: { receivers: [otlp], exporters: [debug] } }",
      "extensions: { health_check: }",
    ),
  },
  {
    yaml: service("nonsense: 1, pipelines: { traces: { receivers: [otlp], exporters: [debug] } }"),
    blames: "nonsense",
  },
  {
    yaml: service("telemetry: { nonsense: 1 }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } }"),
    blames: "nonsense",
  },
  {
    yaml: service(
      "telemetry: { metrics: { address: ':8888' } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } }",
    ),
    blames: "address",
  },
  {
    yaml: service(
      "telemetry: { metrics: { level: loud } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } }",
    ),
    blames: "level",
  },
  {
    yaml: service(
      "telemetry: { logs: { level: loud } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } }",
    ),
    blames: "level",
  },
];
