// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../../../../cmd/catalog.ts";
import { type LoadOptions, loadConfig, readConfig } from "../../../../pipeline/config/load.ts";
import { ConfigError } from "../../../../pipeline/config/problem.ts";
import { plainOf } from "../../../../pipeline/config/tree.ts";

const receivers = "receivers: { otlp: { protocols: { grpc: } } }\n";

/** A pipeline of traces from `otlp`; what else it holds is given. */
function pipeline(lists: string): string {
  return `service: { pipelines: { traces: { receivers: [otlp], ${lists} } } }\n`;
}

const environment = { LOKI: "http://loki:3100/loki/api/v1/push", HOST: "set" };

function surroundings(text: string) {
  return { environment, readFile: () => text };
}

function load(text: string, options?: LoadOptions) {
  return loadConfig(["p.yaml"], catalog, surroundings(text), options);
}

async function read(text: string, options?: LoadOptions) {
  const { root, warnings } = await readConfig(["p.yaml"], surroundings(text), options);
  return { root: plainOf(root), warnings };
}

const cases = [
  {
    name: "the exporter logging",
    old: `exporters: { logging: { loglevel: debug, sampling_initial: 3 } }\n${pipeline("exporters: [logging]")}`,
    today: `exporters: { debug: { verbosity: detailed, sampling_initial: 3 } }\n${pipeline("exporters: [debug]")}`,
    warnings: ['p.yaml:2:14: the exporter "logging" no longer exists: write "debug" for "logging"'],
  },
  {
    name: "the exporter logging with a name, without settings",
    old: `exporters: { logging/a: }\n${pipeline("exporters: [' logging / a']")}`,
    today: `exporters: { debug/a: }\n${pipeline("exporters: [debug/a]")}`,
    warnings: ['p.yaml:2:14: the exporter "logging" no longer exists: write "debug/a" for "logging/a"'],
  },
  {
    name: "the exporter logging beside one of today's name",
    old: `exporters: { debug: , logging: }\n${pipeline("exporters: [debug, logging]")}`,
    today: `exporters: { debug: , debug/logging: }\n${pipeline("exporters: [debug, debug/logging]")}`,
    warnings: ['p.yaml:2:23: the exporter "logging" no longer exists: write "debug/logging" for "logging"'],
  },
  {
    name: "the exporter jaeger",
    old: `exporters: { jaeger: { endpoint: "jaeger:14250", tls: { insecure: true } } }\n${pipeline("exporters: [jaeger]")}`,
    today: `exporters: { otlp_grpc: { endpoint: "jaeger:4317", tls: { insecure: true } } }\n${pipeline("exporters: [otlp_grpc]")}`,
    warnings: ['p.yaml:2:14: the exporter "jaeger" no longer exists: write "otlp_grpc" for "jaeger"'],
  },
  {
    name: "the exporter loki, its endpoint from a variable",
    old: `exporters: { loki: { endpoint: "\${env:LOKI}", default_labels_enabled: { level: true } } }\n${pipeline("exporters: [loki]")}`,
    today: `exporters: { otlp_http: { endpoint: "http://loki:3100/otlp" } }\n${pipeline("exporters: [otlp_http]")}`,
    warnings: ['p.yaml:2:14: the exporter "loki" no longer exists: write "otlp_http" for "loki"'],
  },
  {
    name: "the extension memory_ballast",
    old: `extensions: { memory_ballast: { size_mib: 512 }, health_check: }
exporters: { debug: }
service: { extensions: [memory_ballast, health_check], pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }\n`,
    today: `extensions: { health_check: }
exporters: { debug: }
service: { extensions: [health_check], pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }\n`,
    warnings: ['p.yaml:2:15: the extension "memory_ballast" no longer does anything: remove it'],
  },
  {
    name: "the processor queued_retry, what the exporter says itself stays",
    old: `processors: { queued_retry: { num_workers: 4, queue_size: 50, retry_on_failure: true, backoff_delay: 2s }, batch: }
exporters: { otlp_grpc: { endpoint: "a:1", sending_queue: { queue_size: 7 } }, debug: }
${pipeline("processors: [batch, queued_retry], exporters: [otlp_grpc, debug]")}`,
    today: `processors: { batch: }
exporters: { otlp_grpc: { endpoint: "a:1", sending_queue: { queue_size: 7, num_consumers: 4 }, retry_on_failure: { enabled: true, initial_interval: 2s } }, debug: }
${pipeline("processors: [batch], exporters: [otlp_grpc, debug]")}`,
    warnings: [
      'p.yaml:2:15: the processor "queued_retry" no longer exists: write sending_queue and retry_on_failure at the exporter',
    ],
  },
  {
    name: "the address of own metrics",
    old: `exporters: { debug: }
service: { telemetry: { metrics: { address: "localhost:9999", level: basic } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }\n`,
    today: `exporters: { debug: }
service: { telemetry: { metrics: { level: basic, readers: [{ pull: { exporter: { prometheus: { host: localhost, port: 9999 } } } }] } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }\n`,
    warnings: [
      "p.yaml:3:45: service::telemetry::metrics::address is now written readers: [{pull: {exporter: {prometheus: {host: localhost, port: 9999}}}}]",
    ],
  },
  {
    name: "a default without the scheme of a variable",
    old: `exporters: { otlp_grpc: { endpoint: "\${HOST:-unset}:\${PORT:-4317}" } }\n${pipeline("exporters: [otlp_grpc]")}`,
    today: `exporters: { otlp_grpc: { endpoint: "set:4317" } }\n${pipeline("exporters: [otlp_grpc]")}`,
    warnings: ["p.yaml:2:37: ${HOST:-…} is an old spelling: write ${env:HOST:-…}"],
  },
];

// Scenario: what older versions of the Collector took, beside the same written for today.
// Guarantees: both are read as the same configuration; the old one comes with one line that shows today's; with strict
// compatibility it is refused, as the Collector refuses it.
describe("an old spelling", () => {
  for (const { name, old, today, warnings } of cases) {
    it(`of ${name}`, async () => {
      const modernized = await read(receivers + old);
      assert.deepEqual(modernized, { root: (await read(receivers + today)).root, warnings });
      await load(receivers + old);
      await load(receivers + today, { strictCompat: true });
      await assert.rejects(load(receivers + old, { strictCompat: true }), ConfigError);
    });
  }

  it("that is escaped stays as it is", async () => {
    const text = 'exporters: { file: { path: "$${HOST:-unset}" } }\n';
    assert.deepEqual(await read(text), { root: { exporters: { file: { path: "${HOST:-unset}" } } }, warnings: [] });
  });

  it("is not looked for where nothing is written", async () => {
    assert.deepEqual(await read("exporters:\nservice:\n"), { root: { exporters: null, service: null }, warnings: [] });
  });

  it("keeps its place in errors of what it became", async () => {
    const text = `${receivers}exporters:\n  jaeger:\n    endpoint: "jaeger:14250"\n    timeout: never\n${pipeline("exporters: [jaeger]")}`;
    await assert.rejects(load(text), /p\.yaml:5:14: exporters\.otlp_grpc\.timeout: invalid duration "never"/);
  });
});
