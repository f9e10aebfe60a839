import assert from "node:assert/strict";
import { it } from "node:test";
import { Daemon } from "../support/daemon.ts";

const yaml = `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
exporters: { debug: }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], exporters: [debug] } }
`;

// Scenario: an exception nobody expected, while the service drains already.
// Guarantees: it is called a bug, the drain goes on, and the exit code says so.
it("ends with exit code 1 after an unexpected error while it drains", async () => {
  const preload = `process.once("SIGTERM", () => setImmediate(() => { throw new Error("planted"); }))`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
  const daemon = await Daemon.start({ yaml, env });
  daemon.signal("SIGTERM");
  assert.equal(await daemon.ended(), 1);
  assert.match(daemon.log, /terminating process.*this is a bug in otelpipe/);
  assert.match(daemon.log, /Shutdown complete/);
});
