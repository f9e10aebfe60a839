import assert from "node:assert/strict";
import { it } from "node:test";
import { booksAtTheEnd, type Command, Daemon } from "../support/daemon.ts";
import { someSpans } from "../support/traces.ts";

const yaml = `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
processors: { batch: { timeout: 100s } }
exporters: { debug: }
service:
  telemetry: { metrics: { level: none } }
  pipelines: { traces: { receivers: [otlp], processors: [batch], exporters: [debug] } }
`;

/** What becomes of a daemon in which something throws while it drains, however it was installed. */
export function crashSuite(command: Command): void {
  // Scenario: an exception nobody expected, while the service drains already and spans are held.
  // Guarantees: it is called a bug, the drain goes on to the end, the books balance, and the exit code says so.
  it("ends with exit code 1 after an unexpected error while it drains", async () => {
    const preload = `process.once("SIGTERM", () => setImmediate(() => { throw new Error("planted"); }))`;
    const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(preload)}` };
    const daemon = await Daemon.start({ command, yaml, env });
    const body = new Uint8Array(someSpans(3).toBuffer());
    const headers = { "content-type": "application/x-protobuf" };
    assert.equal((await fetch(`${daemon.http}/v1/traces`, { method: "POST", headers, body })).status, 200);
    daemon.signal("SIGTERM");
    assert.equal(await daemon.ended(), 1);
    assert.match(daemon.log, /terminating process.*this is a bug in otelpipe/);
    assert.match(daemon.log, /Shutdown complete/);
    assert.equal(booksAtTheEnd(daemon.log)["exporter:traces:debug"]?.out, 3);
  });
}
