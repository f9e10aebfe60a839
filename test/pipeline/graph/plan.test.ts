import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { catalog } from "../../../cmd/catalog.ts";
import { loadConfig } from "../../../pipeline/config/load.ts";
import { filesNamedBy, planChange } from "../../../pipeline/graph/plan.ts";

const base = `
receivers:
  otlp: { protocols: { grpc: { endpoint: "localhost:4317", auth: { authenticator: bearertokenauth } } } }
  otlp/tls: { protocols: { http: { tls: { cert_file: /etc/cert.pem, key_file: /etc/key.pem } } } }
processors:
  memory_limiter: { check_interval: 1s, limit_mib: 500 }
  batch: { timeout: 1s }
exporters:
  debug: {}
  otlp_http: { endpoint: "http://localhost:1", sending_queue: { storage: file_storage } }
connectors:
  forward: {}
extensions:
  bearertokenauth: { token: secret }
  file_storage: { directory: /tmp }
  health_check: {}
service:
  extensions: [bearertokenauth, file_storage, health_check]
  pipelines:
    traces: { receivers: [otlp, otlp/tls], processors: [memory_limiter, batch], exporters: [forward] }
    traces/out: { receivers: [forward], exporters: [debug, otlp_http] }
    logs: { receivers: [otlp], processors: [batch], exporters: [debug] }
`;

const load = async (yaml: string) => await loadConfig([`yaml:${yaml}`], catalog);

/** What is not kept, as `key: change`. */
async function plan(edit: (yaml: string) => string, changedFiles: readonly string[] = []): Promise<readonly string[]> {
  const changes = planChange(await load(base), await load(edit(base)), new Set(changedFiles));
  assert.ok(changes.size > 0);
  return [...changes].filter(([, change]) => change !== "keep").map(([key, change]) => `${key}: ${change}`);
}

const replace = (from: string, to: string) => (yaml: string) => {
  assert.ok(yaml.includes(from), from);
  return yaml.replace(from, to);
};

describe("the plan of a change", () => {
  for (const { name, edit, changedFiles, want } of [
    { name: "nothing", edit: (yaml: string) => yaml, want: [] },
    {
      name: "layout and comments",
      edit: replace("batch: { timeout: 1s }", "batch: # soon\n    timeout: 1s"),
      want: [],
    },
    { name: "a default that is spelled out", edit: replace("debug: {}", "debug: { verbosity: basic }"), want: [] },
    { name: "the same duration in other words", edit: replace("timeout: 1s", "timeout: 1000ms"), want: [] },
    {
      name: "a setting of a processor: every pipeline that lists it",
      edit: replace("timeout: 1s", "timeout: 2s"),
      want: ["processor:traces:batch: rebuild", "processor:logs:batch: rebuild"],
    },
    {
      name: "a setting of an exporter: every signal of it",
      edit: replace("debug: {}", "debug: { verbosity: detailed }"),
      want: ["exporter:traces:debug: rebuild", "exporter:logs:debug: rebuild"],
    },
    {
      name: "the port of a receiver",
      edit: replace("localhost:4317", "localhost:4327"),
      want: ["receiver:otlp: rebuild"],
    },
    {
      name: "an authenticator: who asks it changes too",
      edit: replace("token: secret", "token: other"),
      want: ["extension:bearertokenauth: rebuild", "receiver:otlp: rebuild"],
    },
    {
      name: "a storage: exporters that keep queues in it change too",
      edit: replace("directory: /tmp", "directory: /tmp, fsync: false"),
      want: ["extension:file_storage: rebuild", "exporter:traces:otlp_http: rebuild"],
    },
    {
      name: "an extension that nobody names",
      edit: replace("health_check: {}", "health_check: { path: /health }"),
      want: ["extension:health_check: rebuild"],
    },
    {
      name: "the order of extensions",
      edit: replace("[bearertokenauth, file_storage, health_check]", "[health_check, file_storage, bearertokenauth]"),
      want: [],
    },
    {
      name: "an extension that is not run any more",
      edit: replace(", health_check]", "]"),
      want: ["extension:health_check: remove"],
    },
    {
      name: "a pipeline more: its receiver, connector and exporters go on",
      edit: (yaml: string) =>
        `${yaml}    traces/more: { receivers: [forward], processors: [batch], exporters: [debug] }\n`,
      want: ["processor:traces/more:batch: add"],
    },
    {
      name: "a receiver in one more pipeline",
      edit: replace("logs: { receivers: [otlp]", "logs: { receivers: [otlp, otlp/tls]"),
      want: [],
    },
    {
      name: "a signal more of an exporter and of a receiver",
      edit: (yaml: string) => `${yaml}    metrics: { receivers: [otlp], exporters: [debug] }\n`,
      want: ["exporter:metrics:debug: add"],
    },
    {
      name: "a connector that is replaced by an exporter",
      edit: (yaml: string) =>
        replace(
          "    traces/out: { receivers: [forward], exporters: [debug, otlp_http] }\n",
          "",
        )(replace("exporters: [forward] }", "exporters: [debug] }")(yaml)),
      want: ["connector:traces_to_traces:forward: remove", "exporter:traces:otlp_http: remove"],
    },
    {
      name: "a processor in front of another",
      edit: replace("processors: [batch], exporters", "processors: [memory_limiter, batch], exporters"),
      want: ["processor:logs:memory_limiter: add"],
    },
    {
      name: "a processor that goes",
      edit: replace("[memory_limiter, batch]", "[batch]"),
      want: ["processor:traces:memory_limiter: remove"],
    },
    {
      name: "the order of processors: what one holds would pass by the other",
      edit: replace("[memory_limiter, batch]", "[batch, memory_limiter]"),
      want: ["processor:traces:batch: rebuild", "processor:traces:memory_limiter: rebuild"],
    },
    {
      name: "a component under another name",
      edit: (yaml: string) => yaml.replaceAll("otlp/tls", "otlp/web"),
      want: ["receiver:otlp/web: add", "receiver:otlp/tls: remove"],
    },
    {
      name: "a certificate on disk",
      edit: (yaml: string) => yaml,
      changedFiles: ["/etc/cert.pem"],
      want: ["receiver:otlp/tls: rebuild"],
    },
    { name: "a file nobody names", edit: (yaml: string) => yaml, changedFiles: ["/etc/other.pem"], want: [] },
    {
      name: "a component that no pipeline uses",
      edit: replace("debug: {}", "debug: {}\n  debug/unused: {}"),
      want: [],
    },
  ]) {
    it(`finds what changes with ${name}`, async () => assert.deepEqual(await plan(edit, changedFiles), want));
  }

  it("keeps what depends on nothing that changes", async () => {
    const changes = planChange(await load(base), await load(base.replace("token: secret", "token: other")));
    const kept = [...changes].filter(([, change]) => change === "keep").map(([key]) => key);
    assert.deepEqual(kept, [
      "extension:file_storage",
      "extension:health_check",
      "receiver:otlp/tls",
      "processor:traces:memory_limiter",
      "processor:traces:batch",
      "connector:traces_to_traces:forward",
      "exporter:traces:debug",
      "exporter:traces:otlp_http",
      "processor:logs:batch",
      "exporter:logs:debug",
    ]);
  });

  it("knows the files that settings name, and not where exporters write to", async () => {
    const yaml = base.replace("debug: {}", "file: { path: /tmp/out.json }\n  debug: {}");
    assert.deepEqual([...filesNamedBy(await load(yaml))], ["/etc/cert.pem", "/etc/key.pem"]);
  });
});
