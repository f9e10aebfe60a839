import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { it } from "node:test";
import { assertBalanced, type Books, type Command } from "../support/daemon.ts";
import { someSpans } from "../support/traces.ts";

const yaml = (path: string) => `
receivers: { otlp: { protocols: { http: { endpoint: "localhost:0" } } } }
exporters: { file: { path: ${path} } }
service:
  telemetry: { metrics: { readers: [{ pull: { exporter: { prometheus: { host: localhost, port: 0 } } } }] } }
  pipelines: { traces: { receivers: [otlp], exporters: [file] } }
`;

/** The books as the own metrics tell them. */
async function booksOf(metricsAddress: string): Promise<Books> {
  const text = await (await fetch(`http://${metricsAddress}/metrics`)).text();
  const nodes: Record<
    string,
    { in: number; out: number; refused: number; held: number; dropped: Record<string, number> }
  > = {};
  for (const [, side, node = "", reason, items] of text.matchAll(
    /^otelpipe_node_items_(in|out|refused|held|dropped)\{node="([^"]*)"(?:,reason="([^"]*)")?\} (\d+)$/gm,
  )) {
    const books = (nodes[node] ??= { in: 0, out: 0, refused: 0, held: 0, dropped: {} });
    if (side === "dropped") books.dropped[reason ?? ""] = Number(items);
    else books[side as "in" | "out" | "refused" | "held"] = Number(items);
  }
  return nodes;
}

/** What becomes of a daemon whose log nobody reads any more, however it was installed. */
export function lostLogSuite(command: Command): void {
  // Scenario: whoever read the log is gone (`otelpipe ... 2>&1 | head`), so every line fails with EPIPE.
  // Guarantees: the daemon goes on taking and delivering with balanced books, and ends when it is told to.
  it("outlives the reader of its log", async () => {
    const path = join(mkdtempSync(join(tmpdir(), "otelpipe-lost-log-")), "received.jsonl");
    const child = spawn(command.program, [...command.args, "--config", `yaml:${yaml(path)}`], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    try {
      let log = "";
      for await (const text of child.stderr.setEncoding("utf8")) {
        log += text;
        if (log.includes("Everything is ready")) break; // leaving the loop closes the pipe
      }
      child.stdout.destroy();
      const endpoint = (message: string) => new RegExp(`${message}\\t.*"endpoint": ?"([^", ]+)`).exec(log)?.[1] ?? "";
      const body = new Uint8Array(someSpans(3).toBuffer());
      const headers = { "content-type": "application/x-protobuf" };
      const url = `http://${endpoint("Starting HTTP server")}/v1/traces`;
      assert.equal((await fetch(url, { method: "POST", headers, body })).status, 200);
      const books = await booksOf(endpoint("Serving metrics"));
      assertBalanced(books);
      assert.equal(books["exporter:traces:file"]?.in, 3);
      child.kill("SIGTERM");
      const [code] = await once(child, "exit", { signal: AbortSignal.timeout(20_000) });
      assert.equal(code, 0);
      assert.match(readFileSync(path, "utf8"), /span-3/);
    } finally {
      child.kill("SIGKILL");
    }
  });
}
