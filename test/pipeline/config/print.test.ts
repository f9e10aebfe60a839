// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { it } from "node:test";
import { parse } from "yaml";
import { loadConfig, readConfig, resolveConfig } from "../../../pipeline/config/load.ts";
import { printConfig } from "../../../pipeline/config/print.ts";
import { testCatalog } from "./catalog.ts";

const text = `
receivers:
  otlp: { protocols: { http: { endpoint: "\${DIGITS}" } } }
  lines: { include: "a,b" }
processors:
  sampler: { percentage: 5, rules: [{ type: latency, threshold_ms: 3 }] }
exporters:
  otlp: { endpoint: a:1, token: s3cret, headers: { x-key: s3cret }, timeout: 90s, sending_queue: { enabled: false } }
  debug:
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [otlp] } }
`;

const surroundings = { environment: { DIGITS: "0123" }, readFile: () => text };

it("prints what was written and every default, sorted, without secrets and without blocks that are off", async () => {
  const printed = printConfig(await loadConfig(["p.yaml"], testCatalog, surroundings), {
    format: "yaml",
    redacted: true,
  });
  assert.equal(
    printed.slice(0, printed.indexOf("service:")),
    `connectors: {}
exporters:
    debug:
        verbosity: basic
    otlp:
        endpoint: a:1
        headers:
            - name: x-key
              value: '[REDACTED]'
        timeout: 1m30s
        tls:
            insecure: false
        token: '[REDACTED]'
        user_agent: otelpipe
extensions: {}
processors:
    sampler:
        mode: proportional
        percentage: 5
        rules:
            - threshold_ms: 3
              type: latency
receivers:
    lines:
        include:
            - a
            - b
    otlp:
        protocols:
            http:
                endpoint: '0123'
                include_metadata: false
`,
  );
  assert.match(printed, /\n {8}metrics:\n {12}level: none\n/);
  assert.ok(printed.endsWith("\n\n"));
});

it("prints JSON with durations in nanoseconds, and secrets when asked to", async () => {
  const config = await loadConfig(["p.yaml"], testCatalog, surroundings);
  const printed = JSON.parse(printConfig(config, { format: "json", redacted: false }));
  assert.deepEqual(printed.exporters.otlp, {
    endpoint: "a:1",
    headers: [{ name: "x-key", value: "s3cret" }],
    timeout: 90_000_000_000,
    tls: { insecure: false },
    token: "s3cret",
    user_agent: "otelpipe",
  });
});

// Guarantees: what is printed means the same as what was written.
it("prints a configuration that loads to the same settings", async () => {
  const first = await loadConfig(["p.yaml"], testCatalog, surroundings);
  const printed = printConfig(first, { format: "yaml", redacted: false });
  const again = await loadConfig(["p.yaml"], testCatalog, { environment: {}, readFile: () => printed });
  for (const section of ["receivers", "processors"] as const) {
    const settingsOf = (config: typeof first) =>
      [...config[section]].map(([id, { config: settings }]) => [id, settings]);
    assert.deepEqual(Object.fromEntries(settingsOf(again)), Object.fromEntries(settingsOf(first)));
  }
  assert.deepEqual(again.service.telemetry, first.service.telemetry);
});

// Scenario: two files and a `--set`, aliases, variables with a secret as their default, ids with blanks, values that are
// printed in another form than they were written in.
it("says behind each value where it was written, and never what a default of a variable is", async () => {
  const files: Record<string, string> = {
    "a.yaml": `receivers: { otlp: { protocols: { http: { endpoint: "\${env:DIGITS}" } } } }
processors: &p
  sampler: { percentage: 5, rules: [{ type: latency, threshold_ms: 3 }] }
exporters:
  " otlp / x ": { endpoint: "h:\${DIGITS}", token: "\${env:TOKEN:-s3cret}", headers: { b: s3cret, a: s3cret } }
  debug:
service: { telemetry: { metrics: { level: none } }, pipelines: { traces: { receivers: [otlp], exporters: [debug] } } }
`,
    "b.yaml": "receivers:\n  lines:\n    include: a,b\nservice::pipelines::traces::processors: []\n",
  };
  const from = { environment: { DIGITS: "0123" }, readFile: (path: string) => files[path] ?? "" };
  const sources = ["a.yaml", "b.yaml", { uri: "yaml:processors::sampler::percentage: 7", name: "--set percentage" }];
  const expanded = await readConfig(sources, from);
  const config = await resolveConfig(expanded, testCatalog);
  const printed = printConfig(config, { format: "yaml", redacted: true, origins: expanded.root });
  for (const line of [
    "connectors: {} # default",
    "verbosity: basic # default",
    "endpoint: '0123' # a.yaml:1, ${env:DIGITS}",
    "endpoint: h:0123 # a.yaml:5",
    "token: '[REDACTED]' # a.yaml:5, ${env:TOKEN}",
    "- name: a # a.yaml:5",
    "value: '[REDACTED]' # a.yaml:5",
    "percentage: 7 # --set percentage:1",
    "- threshold_ms: 3 # a.yaml:3",
    "- a # b.yaml:3",
    "processors: [] # b.yaml:4",
    "level: none # a.yaml:7",
  ]) {
    assert.ok(
      printed.split("\n").some((each) => each.trim() === line),
      `${line} in\n${printed}`,
    );
  }
  assert.doesNotMatch(printed, /s3cret/);
  const withoutComments = printConfig(config, { format: "yaml", redacted: true });
  assert.deepEqual(parse(printed), parse(withoutComments));
});
