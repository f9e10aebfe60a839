// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a configuration are written like this
import assert from "node:assert/strict";
import { it } from "node:test";
import { loadConfig } from "../../../pipeline/config/load.ts";
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
    `exporters:
    debug:
        verbosity: basic
    otlp:
        endpoint: a:1
        headers:
            x-key: "[REDACTED]"
        timeout: 1m30s
        tls:
            insecure: false
        token: "[REDACTED]"
        user_agent: otelpipe
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
                endpoint: "0123"
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
    headers: { "x-key": "s3cret" },
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
