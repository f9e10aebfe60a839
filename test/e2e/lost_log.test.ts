import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { it } from "node:test";
import { fromSources } from "../support/daemon.ts";

const yaml = `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
exporters: { debug: { use_internal_logger: false } }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
`;

// Scenario: whoever read the log is gone (`otelpipe ... 2>&1 | head`), so every line fails with EPIPE.
// Guarantees: the daemon goes on, and ends when it is told to.
it("outlives the reader of its log", async () => {
  const child = spawn(fromSources.program, [...fromSources.args, "--config", `yaml:${yaml}`], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  try {
    let log = "";
    for await (const text of child.stderr.setEncoding("utf8")) {
      log += text;
      if (log.includes("Everything is ready")) break; // leaving the loop closes the pipe
    }
    child.stdout.destroy();
    child.kill("SIGTERM");
    const [code] = await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
    assert.equal(code, 0);
  } finally {
    child.kill("SIGKILL");
  }
});
