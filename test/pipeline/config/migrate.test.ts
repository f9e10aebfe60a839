// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../../../cmd/catalog.ts";
import { readConfig } from "../../../pipeline/config/load.ts";
import { migrateFile } from "../../../pipeline/config/migrate.ts";
import { ConfigError } from "../../../pipeline/config/problem.ts";
import { plainOf } from "../../../pipeline/config/tree.ts";

function migrate(text: string) {
  return migrateFile({ name: "p.yaml", text }, catalog.manifest);
}

const old = `# Our collector.
receivers:
  otlp:   # from the apps
    protocols: {grpc: , http: }

processors:
  # was needed once
  queued_retry:
    num_workers: 4
    backoff_delay: 2s   # seconds
  batch:

extensions:
  memory_ballast:
    size_mib: 512

exporters:
  logging/a:
    loglevel: debug   # everything
    sampling_initial: 3
  jaeger: { endpoint: 'jaeger:14250', tls: {insecure: true} }  # to Jaeger
  loki:
    endpoint: "http://\${HOST:-loki}:3100/loki/api/v1/push"
    default_labels_enabled:
      level: true
    timeout: 3s
  otlp:
    endpoint: >-
      \${HOST:-h}:4317

service:
  extensions: [memory_ballast]
  telemetry:
    metrics:
      address: "localhost:9999"

  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch, queued_retry]
      exporters:
        # first the text
        - logging/a
        - jaeger   # then Jaeger
        - otlp
    logs: { receivers: [ otlp ], exporters: [ loki, 'otlp' ] }
`;

it("rewrites what is old, and keeps comments, quotes, blank lines and order", () => {
  const { text, changes } = migrate(old);
  assert.equal(
    text,
    `# Our collector.
receivers:
  otlp:   # from the apps
    protocols: {grpc: , http: }

processors:
  # was needed once
  batch:

extensions: {}

exporters:
  debug/a:
    sampling_initial: 3
    verbosity: detailed
  otlp_grpc: { endpoint: 'jaeger:4317', tls: {insecure: true}, sending_queue: { num_consumers: 4 }, retry_on_failure: { initial_interval: 2s } }  # to Jaeger
  otlp_http:
    endpoint: "http://\${env:HOST:-loki}:3100/otlp"
    timeout: 3s
  otlp:
    endpoint: >-
      \${env:HOST:-h}:4317
    sending_queue:
      num_consumers: 4
    retry_on_failure:
      initial_interval: 2s

service:
  extensions: []
  telemetry:
    metrics:
      readers:
        - pull:
            exporter:
              prometheus:
                host: localhost
                port: 9999

  pipelines:
    traces:
      receivers: [otlp]
      processors: [batch]
      exporters:
        # first the text
        - debug/a
        - otlp_grpc   # then Jaeger
        - otlp
    logs: { receivers: [ otlp ], exporters: [ otlp_http, 'otlp' ] }
`,
  );
  assert.equal(changes.length, 8);
  assert.equal(changes[0], "p.yaml:23:15: ${HOST:-…} is an old spelling: write ${env:HOST:-…}");
});

// Guarantees: a migrated file is read as the old one is.
it("means the same as before", async () => {
  const surroundings = (text: string) => ({ environment: {}, readFile: () => text });
  const { text } = migrate(old);
  const before = await readConfig(["p.yaml"], surroundings(old));
  const after = await readConfig(["p.yaml"], surroundings(text));
  assert.deepEqual(plainOf(after.root), plainOf(before.root));
  assert.deepEqual([before.warnings.length, after.warnings.length], [8, 0]);
});

describe("rewrites, whatever the layout:", () => {
  for (const { name, text, want } of [
    {
      name: "a deprecated name, with its references",
      text: "exporters:\n  otlp / x : &o { endpoint: a:1 }\n  otlphttp: *o\nservice: { pipelines: { traces: { exporters: [otlp/x, otlphttp] } } }\n",
      want: "exporters:\n  otlp_grpc/x : &o { endpoint: a:1 }\n  otlp_http: *o\nservice: { pipelines: { traces: { exporters: [otlp_grpc/x, otlp_http] } } }\n",
    },
    {
      name: "a deprecated name whose new id is taken: not",
      text: "exporters: { otlp: , otlp_grpc: }\n",
      want: "exporters: { otlp: , otlp_grpc: }\n",
    },
    {
      name: "the only item of a list",
      text: "extensions:\n  memory_ballast:\n  health_check:\nservice:\n  extensions:\n    - memory_ballast  # no more\n  pipelines:\n",
      want: "extensions:\n  health_check:\nservice:\n  extensions:\n    []  # no more\n  pipelines:\n",
    },
    {
      name: "lines with CRLF, the last without an end",
      text: "service:\r\n  telemetry:\r\n    metrics:\r\n      address: a:1",
      want: "service:\r\n  telemetry:\r\n    metrics:\r\n      readers:\r\n        - pull:\r\n            exporter:\r\n              prometheus:\r\n                host: a\r\n                port: 1\r\n",
    },
    {
      name: "a key with ::",
      text: "service::telemetry::metrics: { level: basic, address: ':1' } # x\n",
      want: "service::telemetry::metrics: { level: basic, readers: [ { pull: { exporter: { prometheus: { host: 0.0.0.0, port: 1 } } } } ] } # x\n",
    },
    {
      name: "text of several lines",
      text: 'processors:\n  x:\n    statements: |\n      a ${A:-b}\n      c $${D:-e}\n    quoted: "${A:-\\"b\\"}" # q\n',
      want: "processors:\n  x:\n    statements: |\n      a ${env:A:-b}\n      c $${D:-e}\n    quoted: '${env:A:-\"b\"}' # q\n",
    },
    {
      name: "only the first document",
      text: "a: ${A:-1}\n---\nb: ${B:-1}\n",
      want: "a: ${env:A:-1}\n---\nb: ${B:-1}\n",
    },
    { name: "nothing", text: "", want: "" },
    { name: "a comment", text: "# nothing\n", want: "# nothing\n" },
  ]) {
    it(name, () => assert.equal(migrate(text).text, want));
  }
});

it("changes nothing where nothing is old", () => {
  const { text } = migrate(old);
  assert.deepEqual(migrate(text), { text, changes: [] });
});

it("refuses what is no YAML, with its place", () => {
  assert.throws(
    () => migrate("a: [1\n"),
    (error: Error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^p\.yaml:\d+:\d+: not valid YAML/);
      return true;
    },
  );
});

it("says what is to be changed by hand where a key comes from elsewhere", () => {
  const text = "x: &x { jaeger: { endpoint: a:14250 } }\nexporters: { <<: *x }\n";
  assert.throws(() => migrate(text), {
    message:
      'p.yaml cannot be rewritten as it is laid out; to be changed by hand:\np.yaml:1:9: the exporter "jaeger" no longer exists: write "otlp_grpc" for "jaeger"',
  });
});
