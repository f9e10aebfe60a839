import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, it } from "node:test";
import { toJson } from "../../pipeline/pdata/index.ts";
import { Daemon } from "../support/daemon.ts";
import { batches } from "../support/otlp_batches.ts";
import { someSpans } from "../support/traces.ts";

const folder = mkdtempSync(join(tmpdir(), "otelpipe-files-"));
after(() => rmSync(folder, { recursive: true }));

const yaml = `
receivers:
  otlp: { protocols: { http: { endpoint: "localhost:0" } } }
  otlp_json_file: { include: ["${folder}/in*.json"], start_at: beginning, poll_interval: 5ms, include_file_name: false }
exporters:
  file: { path: "${folder}/in.json", rotation: { max_megabytes: 1 } }
  file/copy: { path: "${folder}/copy.json" }
service:
  telemetry: { metrics: { level: none } }
  pipelines:
    traces: { receivers: [otlp], exporters: [file] }
    metrics: { receivers: [otlp], exporters: [file] }
    logs: { receivers: [otlp], exporters: [file] }
    traces/back: { receivers: [otlp_json_file], exporters: [file/copy] }
    metrics/back: { receivers: [otlp_json_file], exporters: [file/copy] }
    logs/back: { receivers: [otlp_json_file], exporters: [file/copy] }
`;

function linesOf(pattern: RegExp): string[] {
  const files = readdirSync(folder).filter((name) => pattern.test(name));
  return files.flatMap((name) =>
    readFileSync(join(folder, name), "utf8")
      .split("\n")
      .filter((line) => line !== ""),
  );
}

// Scenario: a daemon writes all signals to a file that rotates, and reads the same files back while it does.
// Guarantees: each line is read once, and is written again as it was; the books of every component balance.
it("reads back what it writes, through rotation", async () => {
  const daemon = await Daemon.start({ yaml });
  const { metrics, logs } = batches;
  const sent = [...Array.from({ length: 30 }, (_, index) => someSpans(400, `batch ${index}`)), metrics, logs];
  for (const data of sent) {
    const body = new Uint8Array(data.toBuffer());
    const headers = { "content-type": "application/x-protobuf" };
    const { status } = await fetch(`${daemon.http}/v1/${data.signal}`, { method: "POST", headers, body });
    assert.equal(status, 200);
  }
  while (linesOf(/^copy\.json$/).length < sent.length) await new Promise((resolve) => setImmediate(resolve));
  const { code, books } = await daemon.stop();
  assert.equal(code, 0);
  const wanted = sent.map((data) => toJson(data).toString()).sort();
  assert.deepEqual(linesOf(/^in.*\.json$/).sort(), wanted);
  assert.deepEqual(linesOf(/^copy\.json$/).sort(), wanted);
  assert.ok(
    readdirSync(folder).some((name) => name.includes("-size")),
    "it has rotated",
  );
  assert.equal(books["receiver:otlp_json_file"]?.out, 30 * 400 + 2);
});
