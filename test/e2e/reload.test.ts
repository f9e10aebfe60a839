import assert from "node:assert/strict";
import { mkdtempSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { Daemon } from "../support/daemon.ts";
import { reloadLoop } from "./reload_loop.ts";

const seed = Number(process.env["OTELPIPE_SEED"] ?? 1);

// Scenario: 100 changes of the configuration of every kind, some of them wrong, on SIGHUP and under load.
// Guarantees: no span that was acknowledged is lost, no request is refused, and connections to what does not change stay.
it("loses and refuses nothing through 100 changes of the configuration, and keeps connections", async () => {
  console.log(`seed ${seed}`);
  const report = await reloadLoop(100, seed);
  console.log(JSON.stringify(report));
  const { reloads, refusedConfigs, acknowledged, refused, lost, connections } = report;
  assert.deepEqual({ reloads, refused, lost, connections }, { reloads: 100, refused: 0, lost: 0, connections: 2 });
  assert.ok(acknowledged > 500, "the load got through");
  assert.ok(refusedConfigs > 0 && refusedConfigs < 50);
});

// Scenario: the same with two workers: what needs a queue on disk or a connector moves to the main thread and back.
// Guarantees: the same.
it("loses and refuses nothing through changes of a configuration that is divided among threads", async () => {
  const report = await reloadLoop(50, seed, undefined, 2);
  console.log(JSON.stringify(report));
  const { refused, lost, connections } = report;
  assert.deepEqual({ refused, lost, connections }, { refused: 0, lost: 0, connections: 2 });
});

// Scenario: a file of the configuration is replaced, then one that it refers to is rewritten. No signal is sent.
// Guarantees: with --watch both are noticed and applied, and what is wrong is refused.
it("applies changes of its files by itself with --watch", async () => {
  const folder = mkdtempSync(join(tmpdir(), "otelpipe-watch-"));
  const [config, timeout] = [join(folder, "pipeline.yaml"), join(folder, "timeout.txt")];
  const yaml = (exporter: string) => `
receivers: { nop: {} }
processors: { batch: { timeout: "\${file:${timeout}}" } }
exporters: { ${exporter}: {} }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [nop], processors: [batch], exporters: [${exporter}] } }
`;
  writeFileSync(timeout, "1s");
  writeFileSync(config, yaml("nop"));
  const daemon = await Daemon.start({ args: ["--watch", "--config", config] });
  writeFileSync(`${config}.new`, yaml("debug"));
  renameSync(`${config}.new`, config);
  await daemon.waitFor('"added": ["exporter:traces:debug"]');
  writeFileSync(timeout, "2s");
  await daemon.waitFor('"rebuilt": ["processor:traces:batch"]');
  writeFileSync(timeout, "soon");
  await daemon.waitFor("The new configuration was refused");
  assert.match(daemon.log, /pipeline\.yaml:3:\d+: processors\.batch/);
  assert.equal((await daemon.stop()).code, 0);
});
